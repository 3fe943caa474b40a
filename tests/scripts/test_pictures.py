"""Figures of trained networks are drawn from run folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image
from torch import nn

import creased
from creased.io.checkpoint import KEY, Record, write_record
from creased.io.similarity import Similarity
from scripts.benchmarks import systems
from scripts.pictures import accuracy, learning
from scripts.runs.trials import Trial
from tests.browser import find_chromium
from tests.scripts.running import run_script

SPHERE = {
    "_target_": "creased.shapes.load_shape",
    "name": "ball",
    "source": {"_target_": "creased.shapes.sphere"},
}


class Shifted(nn.Module):
    """A network less its value in the middle, through which its zero set goes then."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.shift = network, -network(torch.full((1, 3), 0.01).double()).item()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = self.network(x)
        return values + self.shift


def _run(folder: Path, network: nn.Module) -> Path:
    program = creased.lower(Shifted(network.double()))
    record = Record(program, creased.Box.cube(3, 0.5), Similarity.identity(), "ball", 1)
    (folder / "checkpoints").mkdir(parents=True)
    torch.save({KEY: write_record(record)}, folder / "checkpoints" / "last.ckpt")
    OmegaConf.save(OmegaConf.create({"shape": SPHERE}), folder / "config.yaml")
    return folder


@pytest.fixture
def on_grid(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = creased.GridMLP(3, levels=(2, 4), width=4)
    for table in network.grid.tables:
        nn.init.normal_(table)
    return _run(tmp_path / "grid", network)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    return _run(tmp_path / "plain", creased.MLP(3, 8, 2))


@pytest.mark.slow
@pytest.mark.skipif(find_chromium() is None, reason="needs chromium")
def test_figures_are_drawn_as_a_browser_shows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("plotly")
    run_script("pictures.figures", ["--out", str(tmp_path), "--only", "complex"], monkeypatch)
    assert "41 regions" in capsys.readouterr().out
    with Image.open(tmp_path / "figure_complex.png") as image:
        assert len(image.convert("RGB").getcolors(10_000)) > 20  # regions and creases, not an empty page


@pytest.mark.slow
def test_networks_are_drawn_beside_the_shape_and_cut_open(
    on_grid: Path, plain: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = on_grid / "showcase.png"
    run_script("pictures.showcase", [str(on_grid), str(plain), "--out", str(out)], monkeypatch)
    grid, box = creased.load_program(on_grid / "checkpoints" / "last.ckpt"), creased.Box.cube(3, 0.5)
    n_faces = creased.extract_level_set(grid, box).polygons.n
    assert f"{n_faces:,} faces on the grid" in capsys.readouterr().out
    assert 5_000 < out.stat().st_size < 300_000


@pytest.mark.slow
@pytest.mark.parametrize(("run", "exact"), [("on_grid", {"exact mesh"}), ("plain", {"exact mesh, marched"})])
def test_finer_marching_cubes_are_nearer_and_the_exact_mesh_is_exact(
    run: str, exact: set[str], tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(system: str, net: Path, mesh: Path) -> dict[str, float]:
        found: dict[str, float] = systems._work(system, net, Path(), mesh)
        return found

    monkeypatch.setattr(accuracy, "measure", measure)  # in this process
    folder: Path = request.getfixturevalue(run)
    files = ["--out", str(tmp_path / "a.png"), "--json", str(tmp_path / "a.json")]
    run_script("pictures.accuracy", [str(folder), "--grids", "8", "32", *files], monkeypatch)
    results: dict[str, dict[str, Any]] = json.loads((tmp_path / "a.json").read_text())["results"]
    coarse, fine = (results[f"marching cubes {n}^3"]["precision"] for n in (8, 32))
    assert coarse > fine > 1e-9
    assert exact <= results.keys()
    for name in exact:
        assert results[name]["max_error"] < 1e-13
        assert results[name]["recall"] < 1e-6
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_errors_of_runs_are_drawn_against_cpu_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def train_all(jobs: list[tuple[Path, list[str]]], at_once: int) -> list[Trial]:
        for folder, _ in jobs:
            folder.mkdir(parents=True)
            (folder / "clock.json").write_text("[1.5, 3.0]")
            (folder / "metrics.csv").write_text("epoch,val/surface_error,epoch_s\n1,0.01,9\n2,0.002,9\n")
        return [Trial(folder, {"n_polygons": 1234}) for folder, _ in jobs]

    monkeypatch.setattr(learning, "train_all", train_all)
    options = ["--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "a.png")]
    run_script("pictures.learning", options, monkeypatch)
    assert "| 4x96 | 3 | 2.00e-03 | 1,234 |" in capsys.readouterr().out
    assert (tmp_path / "a.png").stat().st_size > 5000
