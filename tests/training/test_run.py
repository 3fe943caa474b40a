"""A whole run on a sphere, from the configuration to the folder of results."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import trimesh
from omegaconf import DictConfig, OmegaConf

import creased
from creased.io.checkpoint import read_record
from creased.io.runs import LAST
from creased.render.images import load_png
from creased.training.run import run
from tests.configs import composed
from tests.training.conftest import SMOKE, TINY, Compose, Finished


@pytest.fixture
def configured(tmp_path: Path, few_points: None) -> Compose:
    def make(*overrides: str) -> DictConfig:
        return composed(*SMOKE, f"paths.output={tmp_path / 'run'}", "callbacks.draw.size=60", *overrides)

    return make


def _rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "metrics.csv").read_text().splitlines()))


def test_a_run_leaves_all_that_was_promised(finished: Finished) -> None:
    folder, metrics = finished
    names = [
        "config.yaml",
        "metrics.json",
        "metrics.csv",
        "mesh.ply",
        "mesh.glb",
        "preview.png",
        "progress.png",
        "error.png",
    ]
    names += [
        "checkpoints/last.ckpt",
        "checkpoints/best.ckpt",
        "pictures/epoch_001.png",
        "pictures/epoch_002.png",
        "epochs/epoch_001.ckpt",
        "epochs/epoch_002.ckpt",
    ]
    for name in names:
        assert (folder / name).stat().st_size > 100, name
    assert json.loads((folder / "metrics.json").read_text()) == metrics


def test_progress_begins_with_the_shape_and_ends_with_the_distances(finished: Finished) -> None:
    sheet, errors = (load_png(finished[0] / name) for name in ("progress.png", "error.png"))
    cell = errors.shape[0] - 2 * 14  # captions of small pictures take 28 pixels
    gap = cell // 20
    shape, distances = errors[:cell, :cell], errors[:cell, 2 * cell : 3 * cell]
    below = 2 * gap + errors.shape[0]
    assert (sheet[gap : gap + cell, gap : gap + cell] == shape).all()
    assert (sheet[below : below + cell, 2 * gap + cell : 2 * (gap + cell)] == distances).all()


def test_each_epoch_is_kept_as_a_function(finished: Finished) -> None:
    folder, _ = finished
    first, second = (read_record(folder / "epochs" / f"epoch_{epoch:03d}.ckpt") for epoch in (1, 2))
    last = read_record(folder / "checkpoints" / "last.ckpt")
    assert [record.epoch for record in (first, second)] == [1, 2]
    for kept, whole in zip(second.program.tensors(), last.program.tensors(), strict=True):
        torch.testing.assert_close(kept, whole, atol=0, rtol=0)
    assert any(
        bool((a != b).any()) for a, b in zip(first.program.tensors(), last.program.tensors(), strict=True)
    )


def test_the_function_is_near_the_shape(finished: Finished) -> None:
    _, metrics = finished
    assert metrics["surface_error_mean"] < 0.03
    assert metrics["iou"] > 0.8
    assert metrics["chamfer_l1_mean"] < 0.03
    assert metrics["max_residual"] < 1e-12


def test_the_table_has_a_row_an_epoch(finished: Finished) -> None:
    folder, metrics = finished
    rows = _rows(folder)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert int(rows[-1]["faces"]) == metrics["n_polygons"]
    assert {"train/loss", "val/surface_error", "extract_s", "epoch_s"} <= rows[0].keys()


def test_the_last_mesh_is_proven(finished: Finished) -> None:
    folder, metrics = finished
    certificate = metrics["certificate"]
    assert certificate["is_certified"]
    assert certificate["n_vertices"] == metrics["n_vertices"]
    for name in ("mesh.ply", "mesh.glb"):
        known = json.loads((folder / f"{name}.json").read_text())
        assert known["certificate"] == certificate
        assert known["is_complete"]
        assert known["guarantee"] == metrics["guarantee"]


def test_a_last_extraction_that_is_given_up_leaves_the_mesh(configured: Compose) -> None:
    again = "callbacks.extract.dtype=float32"  # the last epoch's surface is not good enough
    cfg = configured(*TINY, "+evaluation.memory=20000", "trainer.max_epochs=1", again)
    metrics = run(cfg)
    folder = Path(cfg.paths.output)
    assert not metrics["is_complete"]
    assert not metrics["certificate"]["is_certified"]
    mesh = trimesh.load(folder / "mesh.ply", process=False)
    row = _rows(folder)[-1]
    assert len(mesh.vertices) == float(row["mesh/vertices"])
    assert metrics["n_polygons"] < float(row["faces"])
    assert json.loads((folder / "mesh.ply.json").read_text())["certificate"] is None


def test_the_mesh_on_disk_is_the_last_level_set(finished: Finished) -> None:
    folder, metrics = finished
    mesh = trimesh.load(folder / "mesh.ply", process=False)
    assert len(mesh.vertices) == metrics["n_vertices"]
    # The sphere has radius 1 in the user's coordinates, 0.45 in the domain's.
    assert abs(mesh.vertices).max() == pytest.approx(1.0, rel=0.25)


def test_the_checkpoint_gives_the_mesh_again(finished: Finished) -> None:
    folder, metrics = finished
    record = read_record(folder / "checkpoints" / "last.ckpt")
    level_set = creased.extract_level_set(record.program, record.domain, dtype=torch.float64)
    assert level_set.polygons.n == metrics["n_polygons"]
    assert (record.shape, record.epoch) == ("sphere", 2)


def test_a_resumed_run_ends_where_an_unbroken_one_does(
    finished: Finished, configured: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, unbroken = finished
    cfg = configured("callbacks.draw=null")
    _stop_after_epochs(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        run(cfg)
    monkeypatch.undo()
    cfg.ckpt_path = cfg.paths.output
    resumed = run(cfg)
    assert resumed["surface_error_mean"] == unbroken["surface_error_mean"]
    assert resumed["n_polygons"] == unbroken["n_polygons"]
    rows = _rows(Path(cfg.paths.output))
    assert [row["epoch"] for row in rows] == ["1", "2"]


def _stop_after_epochs(monkeypatch: pytest.MonkeyPatch, n_epochs: int) -> None:
    """Ctrl-C in the middle of the epoch that follows."""
    from creased.training.module import SDFModule

    step = SDFModule.training_step

    def interrupted(self: SDFModule, batch: Any, batch_index: int) -> Any:
        if self.current_epoch == n_epochs and batch_index == 20:
            raise KeyboardInterrupt
        return step(self, batch, batch_index)

    monkeypatch.setattr(SDFModule, "training_step", interrupted)


def test_an_empty_level_set_early_in_training_stops_nothing(
    configured: Compose, caplog: pytest.LogCaptureFixture
) -> None:
    overrides = ["optimizer.lr=1e-12", "model.initialise._target_=creased.networks.geometric"]
    overrides += ["+model.initialise.radius=-1.0", "trainer.max_epochs=1"]
    metrics = run(configured(*TINY, *overrides))
    assert metrics["n_polygons"] == 0
    assert "empty" in metrics["status"]
    assert "empty" in caplog.text


def test_a_surface_that_meets_the_walls_is_said_with_the_count(configured: Compose) -> None:
    metrics = run(configured(*TINY, "domain.half_width=0.4", "callbacks.draw=null"))
    assert metrics["n_wall_vertices"] > 0
    assert f"walls at {metrics['n_wall_vertices']} vertices" in metrics["status"]
    assert not metrics["is_closed"]


def test_a_file_has_its_own_name_and_no_licence_of_another_shape(configured: Compose, tmp_path: Path) -> None:
    trimesh.creation.icosphere(subdivisions=2).export(tmp_path / "cup.stl")
    cfg = configured(*TINY, f"shape.path={tmp_path / 'cup.stl'}", "trainer.max_epochs=1", "data.n_batches=5")
    metrics = run(cfg)
    assert (metrics["shape"], metrics["licence"], metrics["credit"]) == ("cup", "", "")
    written = OmegaConf.load(tmp_path / "run" / "config.yaml")
    assert (written.shape.name, written.shape.licence, written.shape.credit) == ("cup", "", "")
    assert written.shape.source is None
    record = read_record(tmp_path / "run" / LAST)
    assert written.shape_sha256 == metrics["shape_sha256"] == record.sha256
    assert len(metrics["shape_sha256"]) == 64
