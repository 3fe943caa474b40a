"""What `creased topology` prints and writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import creased
from creased.cli.main import main
from creased.io.checkpoint import KEY, Record, write_record
from creased.io.similarity import Similarity
from creased.topology.report import format_betti
from tests.tropical.nets import named


@pytest.fixture
def torus(tmp_path: Path) -> Path:
    program, arrays = named("TORUS"), {}
    assert all(block.is_plain for block in program.blocks)
    for i, affine in enumerate([*(block.affine for block in program.blocks), program.head]):
        arrays |= {f"weight_{i}": affine.weight.numpy(), f"bias_{i}": affine.bias.numpy()}
    np.savez(tmp_path / "torus.npz", **arrays)
    return tmp_path / "torus.npz"


def test_the_topology_of_a_torus_in_words_and_in_json(
    torus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "torus.json"
    assert main(["topology", str(torus), "--half-width", "4", "--json", str(out)]) == 0
    said = capsys.readouterr().out
    assert "cells, of dimension 0 to 3" in said
    assert "f < 0                  1 component, 1 loop, 0 cavities" in said
    assert "f = 0                  1 component, 2 loops, 1 cavity" in said
    assert "persistence, H1        1: [-0.5, 1.5)" in said
    written = json.loads(out.read_text())
    assert written["betti_numbers"]["above"] == [1, 1, 1, 0]
    assert {"dimension": 0, "birth": -0.5, "death": None} in written["persistence"]


def test_another_level_and_too_many_cells(torus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["topology", str(torus), "--half-width", "4", "--level", "-1"]) == 0
    assert "f < -1                 empty" in capsys.readouterr().out
    assert main(["topology", str(torus), "--half-width", "4", "--max-cells", "20"]) == 1
    assert "max_cells=20" in capsys.readouterr().err


def test_of_a_large_grid_persistence_alone_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    network = creased.GridMLP(in_dim=3, levels=(4, 8), features=2, width=6, depth=1)
    path, out = tmp_path / "grid.ckpt", tmp_path / "grid.json"
    similarity = Similarity((0.0, 0.0, 0.0), 1.0)
    record = Record(creased.lower(network), creased.Box.cube(3, 0.5), similarity, "grid", 1)
    torch.save({KEY: write_record(record)}, path)
    assert main(["topology", str(path), "--level", "10", "--max-cells", "100", "--json", str(out)]) == 0
    said = capsys.readouterr().out
    assert "f < 10                 1 component, 0 loops, 0 cavities" in said
    assert "persistence            left out: the grid alone has 13,312 cells" in said
    written = json.loads(out.read_text())
    assert written["betti_numbers"] == {"below": [1, 0, 0, 0], "on": [0] * 4, "above": [0] * 4}
    assert written["persistence"] is None


def test_betti_numbers_in_words() -> None:
    assert format_betti((2, 1, 0, 3, 0)) == "2 components, 1 loop, 0 cavities, 3 of dimension 3"
    assert format_betti((1, 0)) == "1 component"
    assert format_betti((0, 0, 0)) == "empty"
