"""`creased draw`: what is written, and one line for what cannot be drawn."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch

import creased
from creased.cli.main import main
from creased.core.program.affine_slice import slice_program
from creased.drawing import flatten


def _write(path: Path, in_dim: int, out_dim: int = 1) -> creased.MLP:
    torch.manual_seed(0)
    network = creased.MLP(in_dim, 6, 2, out_dim=out_dim).double()
    linear = [m for m in network.modules() if isinstance(m, torch.nn.Linear)]
    arrays = {
        f"{i}.{name}": p.detach().numpy() for i, m in enumerate(linear) for name, p in m.named_parameters()
    }
    np.savez(path, **arrays)
    return network


def _draw(file: Path, *options: str) -> int:
    return main(["draw", str(file), "--half-width", "1", *options])


def test_two_inputs_are_drawn_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = _write(tmp_path / "net.npz", 2)
    assert _draw(tmp_path / "net.npz", "--out", str(tmp_path / "new" / "a.png")) == 0
    flat = flatten(creased.lower(network), creased.Box.cube(2, 1))
    assert (
        f": {flat.n_cells} activation cells, which the level set cuts into {len(flat.polygons)}\n"
        in capsys.readouterr().out
    )
    assert (tmp_path / "new" / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_plane_of_three_inputs_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = _write(tmp_path / "net.npz", 3)
    out = tmp_path / "a.svg"
    level = network(torch.tensor([[0.1, 0.25, 0.2]]).double()).item()
    options = ["--across", "y", "--at", "0.25", f"--level={level}", "--out", str(out)]
    assert _draw(tmp_path / "net.npz", *options) == 0
    plane = slice_program(creased.lower(network), [0, 0.25, 0], [[1, 0], [0, 0], [0, 1]])
    flat = flatten(plane.program, creased.Box.cube(2, 1), level)
    said = capsys.readouterr().out
    assert f": {flat.n_cells} activation cells in y = 0.25, which the level set cuts" in said
    assert "<svg" in out.read_text()


def test_the_plane_is_z_0_by_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(tmp_path / "net.npz", 3)
    assert _draw(tmp_path / "net.npz", "--out", str(tmp_path / "a.png")) == 0
    assert "cells in z = 0, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("in_dim", "options", "message"),
    [
        (4, ["--out", "a.png"], "got 4"),
        (2, ["--out", "a.png", "--at", "0"], "--across and --at"),
        (3, ["--out", "a.png", "--at", "2"], "--at .*from -1 to 1 along z, got 2"),
        (3, ["--out", "a.png", "--at", "nan"], "--at .*got nan"),
        (2, ["--out", "a.ply"], r"a\.ply.*png"),
        (2, ["--out", "a.png", "--output", "1"], r"output.*0\.\.0.*1"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_line(
    in_dim: int,
    options: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    _write(tmp_path / "net.npz", in_dim)
    assert _draw(tmp_path / "net.npz", *options) == 1
    said = capsys.readouterr().err
    assert re.search(message, said)
    assert said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["net.npz"]


def test_one_of_several_outputs_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = _write(tmp_path / "net.npz", 2, out_dim=2)
    assert _draw(tmp_path / "net.npz", "--output", "1", "--out", str(tmp_path / "a.png")) == 0
    program = creased.lower(network)
    head = creased.Affine(program.head.weight[1:], program.head.bias[1:])
    flat = flatten(creased.Program(program.blocks, head), creased.Box.cube(2, 1))
    assert f"cuts into {len(flat.polygons)}\n" in capsys.readouterr().out


def test_a_level_that_is_nowhere_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(tmp_path / "net.npz", 2)
    assert _draw(tmp_path / "net.npz", "--level", "99", "--out", str(tmp_path / "a.png")) == 0
    assert capsys.readouterr().out.endswith("activation cells, no level set\n")


def test_a_picture_names_its_axes_its_plane_and_what_colours_mean(tmp_path: Path) -> None:
    _write(tmp_path / "net.npz", 3)
    options = ["--half-width", "1", "--across", "y", "--at", "0.1", "--out", str(tmp_path / "a.svg")]
    with matplotlib.rc_context({"svg.fonttype": "none"}):  # words, not outlines
        assert main(["draw", str(tmp_path / "net.npz"), *options]) == 0
    words = re.findall(r">([^<>\n]+)</text>", (tmp_path / "a.svg").read_text())
    assert {"x", "z", "layer 1", "level set", "gradient", "d/dx", "d/dz"} <= set(words)
    assert "net.npz: y = 0.1" in words
    assert any(re.fullmatch(r"0\.50?", word) for word in words)  # a tick
