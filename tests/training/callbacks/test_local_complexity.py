"""The callback that follows local complexity: in a plain classifier, and in a run from the configuration."""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import creased
from creased import CellLimitError
from creased.training.callbacks import LocalComplexity
from creased.training.run import run
from creased.tropical import local_complexity
from tests.training.conftest import TINY, Compose, quiet_trainer

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore:.*does not have many workers.*")


class Classifier(L.LightningModule):
    """Two classes of points in six dimensions."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 2))

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        self.log("val/loss", self.training_step(batch, batch_idx))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 0.01)


def fit(folder: Path, callback: L.Callback, epochs: int = 2, **options: Any) -> tuple[Classifier, L.Trainer]:
    points = torch.randn((64, 6), generator=torch.Generator().manual_seed(0))
    loader = DataLoader(TensorDataset(points, (points[:, 0] > 0).long()), batch_size=32)
    module = Classifier()
    trainer = quiet_trainer(folder, callback, epochs, **options)
    trainer.fit(module, loader, loader)
    return module, trainer


def test_a_classifier_logs_what_the_function_counts(tmp_path: Path) -> None:
    callback = LocalComplexity(radius=0.5, n_points=5, network="net")
    module, trainer = fit(tmp_path, callback)
    program = creased.lower(module.net)
    for name in ("train", "val"):
        assert callback.points[name].shape == (5, 6)
        found = local_complexity(program, callback.points[name], 0.5)
        logged = {k: float(v) for k, v in trainer.callback_metrics.items()}
        assert logged[f"complexity/{name}/crossing"] == pytest.approx(float(found.n_crossing.double().mean()))
        assert logged[f"complexity/{name}/cells"] == pytest.approx(float(found.cells.double().mean()))
        by_block = [logged[f"complexity/{name}/crossing_{block}"] for block in (1, 2)]
        assert by_block == pytest.approx(found.crossing.double().mean(0).tolist())
        assert 0 < logged[f"complexity/{name}/by_corners"] <= logged[f"complexity/{name}/crossing"]


def test_what_does_not_fit_into_memory_is_said_and_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def too_large(*_: object, **__: object) -> None:
        raise CellLimitError("too large")

    monkeypatch.setattr("creased.training.callbacks.local_complexity.local_complexity", too_large)
    with caplog.at_level(logging.WARNING):
        _, trainer = fit(tmp_path, LocalComplexity(network="net"))
    assert trainer.current_epoch == 2
    assert "epoch 1: local complexity is left out: too large" in caplog.text


def test_a_network_of_another_name_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'network'.*network=NAME"):
        fit(tmp_path, LocalComplexity(), epochs=1)


def test_points_survive_a_checkpoint() -> None:
    first = LocalComplexity(points={"corners": torch.ones((40, 2, 3))}, n_points=3)
    assert first.points["corners"].shape == (3, 6)
    resumed = LocalComplexity()
    resumed.load_state_dict(first.state_dict())
    torch.testing.assert_close(resumed.points["corners"], first.points["corners"])


def test_refuses_a_radius_of_nothing() -> None:
    with pytest.raises(ValueError, match="radius > 0"):
        LocalComplexity(radius=0.0)


def test_the_experiment_writes_complexity_into_the_table(configured: Compose) -> None:
    options = ["callbacks.complexity.n_points=4", "callbacks.complexity.count_domain=true"]
    cfg = configured("run", "experiment=[smoke,complexity]", *TINY, "data.n_batches=10", *options)
    run(cfg)
    rows = list(csv.DictReader((Path(cfg.paths.output) / "metrics.csv").read_text().splitlines()))
    assert len(rows) == 2
    for row in rows:
        assert float(row["complexity/train/cells"]) >= 1
        assert float(row["complexity/val/crossing"]) >= 0
        assert float(row["complexity/cells"]) > 16
