"""The main job at its default settings, and what it promises."""

from pathlib import Path
from typing import Any

import pytest

from creased.training.run import run
from tests.configs import composed


def _train(shape: str, folder: Path) -> dict[str, Any]:
    return run(composed(f"shape={shape}", f"paths.output={folder}", "callbacks.progress=null"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_default_bunny_keeps_its_promises(tmp_path: Path) -> None:
    metrics = _train("bunny", tmp_path)
    assert metrics["surface_error_mean"] <= 0.0002
    assert metrics["surface_error_p99"] <= 0.001
    assert metrics["iou"] >= 0.998
    assert metrics["is_closed"]
    assert metrics["is_oriented"]
    assert metrics["is_manifold"]
    assert all(metrics[question] == answer for question, answer in metrics["trimesh"].items())
    assert metrics["differences"] == []
    assert metrics["euler_characteristic"] == 2
    assert metrics["n_components"] == 1
    assert metrics["max_residual"] <= 1e-12
    assert metrics["n_polygons"] <= 90_000
    assert metrics["is_complete"]
    assert metrics["certificate"]["is_certified"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_part_with_sharp_edges_has_errors_within_one_and_a_half_of_these(tmp_path: Path) -> None:
    metrics = _train("bracket", tmp_path)
    assert metrics["surface_error_mean"] <= 0.0003
    assert metrics["surface_error_p99"] <= 0.0015
    assert metrics["euler_characteristic"] == -4
    assert metrics["differences"] == []


@pytest.mark.slow
def test_wandb_works_offline_and_is_closed_after_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    overrides = ["experiment=smoke", "logger=wandb", "logger.wandb.offline=true", f"paths.output={tmp_path}"]
    run(composed(*overrides, "callbacks.progress=null"))
    assert list((tmp_path / "wandb").glob("offline-run-*/run-*.wandb"))
    assert wandb.run is None
