"""Files that would unpack to far more than they hold are refused before that, in one line."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from creased.io import limits
from creased.io.checkpoint import CheckpointError
from creased.io.limits import printable
from creased.io.load import load_program
from creased.shapes.sources import download
from creased.shapes.sources.mesh_file import ShapeError, read_scene
from creased.shapes.sources.rewriting import one_face_a_line


@pytest.fixture
def low(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_BYTES", 1 << 20)


def _bomb(path: Path, name: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, bytes(1 << 23))
    return path


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize("name", ["a.npz", "a.pt", "a.ckpt"])
def test_networks_that_unpack_to_much_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match="would unpack to 8,388,608"):
        load_program(_bomb(tmp_path / name, "weight_0.npy"))


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize("name", ["a.3mf", "a.zip", "a.zae"])
def test_meshes_that_unpack_to_much_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ShapeError, match="would unpack to 8,388,608"):
        read_scene(_bomb(tmp_path / name, "a.stl"))


@pytest.mark.usefixtures("low")
def test_large_files_that_hold_what_they_state_are_read(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    hidden, last = generator.normal(size=(600, 400)), generator.normal(size=(1, 600))
    np.savez(tmp_path / "a.npz", weight_0=hidden, weight_1=last)
    assert (tmp_path / "a.npz").stat().st_size > 1 << 20
    assert load_program(tmp_path / "a.npz").widths == (600,)


def test_tensors_of_fewer_numbers_than_their_shape_are_refused(tmp_path: Path) -> None:
    torch.save({"weight_0": torch.zeros(1, 1).expand(2**20, 2**12)}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="fewer numbers"):
        load_program(tmp_path / "a.pt")


def test_off_files_that_announce_more_than_they_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="4,000,000,000 vertices"):
        one_face_a_line(b"OFF\n4000000000 4000000000 0\n0 0 0\n")


def test_downloads_without_an_end_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MOST_BYTES", 1 << 21)
    with pytest.raises(ShapeError, match="does not end"):
        download._read(io.BytesIO(bytes(1 << 23)), "https://example.org/a.stl")
    assert download._read(io.BytesIO(b"abc"), "https://example.org/a.stl") == b"abc"
    monkeypatch.setattr(download, "MOST_SECONDS", -1)
    with pytest.raises(ShapeError, match="does not end"):
        download._read(io.BytesIO(b"abc"), "https://example.org/a.stl")


def test_control_characters_are_not_printed() -> None:
    assert printable("a\x1b]0;title\x07\x9bb\nö") == "a\\x1b]0;title\\x07\\x9bb\nö"
