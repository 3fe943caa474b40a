"""What a search is told of a run."""

import math
from typing import Any

import pytest
from omegaconf import OmegaConf

from creased.training import command
from creased.training.command import objective

METRICS = {
    "shape": "box",
    "n_polygons": 12,
    "chamfer_l1_mean": 0.25,
    "iou": math.nan,
    "logged": {"val/surface_error": 0.5},
}


def _ask(monkeypatch: pytest.MonkeyPatch, wanted: Any, metrics: dict[str, Any] = METRICS) -> Any:
    monkeypatch.setattr(command, "run_or_explain", lambda cfg: metrics)
    return objective(OmegaConf.create({"optimized_metric": wanted}))


def test_one_name_gives_a_number_and_several_give_several(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ask(monkeypatch, "chamfer_l1_mean") == 0.25
    assert _ask(monkeypatch, "val/surface_error") == 0.5
    assert _ask(monkeypatch, ["n_polygons", "val/surface_error"]) == [12.0, 0.5]
    assert _ask(monkeypatch, None) is None


@pytest.mark.parametrize("wanted", ["shape", "iou", "nothing", ["n_polygons", "nothing"]])
def test_what_is_no_number_is_said_with_what_there_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wanted: Any
) -> None:
    assert _ask(monkeypatch, wanted) is None
    assert "it has n_polygons, chamfer_l1_mean, val/surface_error" in caplog.text


def test_a_run_that_failed_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ask(monkeypatch, "n_polygons", {"failed": "diverged"}) is None
