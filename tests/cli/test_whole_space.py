"""`--whole-space` counts the cells of all of space, and refuses networks that have a cube alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import creased
from creased.cli.main import main
from creased.io.checkpoint import KEY, Record, write_record
from creased.io.similarity import Similarity


@pytest.fixture
def lines(tmp_path: Path) -> str:
    """Five lines in general position, of which an affine map is taken: 10 vertices, 25 edges, 16 regions."""
    torch.manual_seed(0)
    first, second = (layer for layer in creased.MLP(2, 5, 1) if isinstance(layer, torch.nn.Linear))
    arrays = {f"weight_{i}": layer.weight.detach().numpy() for i, layer in enumerate((first, second))}
    arrays |= {f"bias_{i}": layer.bias.detach().numpy() for i, layer in enumerate((first, second))}
    np.savez(tmp_path / "lines.npz", **arrays)
    return str(tmp_path / "lines.npz")


def test_cells_of_all_of_space_are_counted(lines: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["count", lines, "--whole-space"]) == 0
    said = capsys.readouterr().out
    assert "R^2" in said
    assert "10, 25, 16 (cells of dimension 0 to 2; unbounded ones are among them)" in said
    assert main(["topology", lines, "--whole-space"]) == 0
    assert "51 cells, of dimension 0 to 2: 10, 25, 16" in capsys.readouterr().out


def test_a_cube_and_all_of_space_are_not_asked_for_together(
    lines: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["count", lines, "--whole-space", "--half-width", "1"])
    assert "not allowed with argument" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["count", "topology"])
def test_a_network_on_a_grid_is_refused(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = creased.lower(creased.GridMLP(2, levels=(2,), width=3)).detach()
    record = Record(program, creased.Box.cube(2, 0.5), Similarity.identity(), "x", 1)
    torch.save({KEY: write_record(record)}, tmp_path / "grid.ckpt")
    assert main([command, str(tmp_path / "grid.ckpt"), "--whole-space"]) == 1
    assert "on its cube alone" in capsys.readouterr().err
