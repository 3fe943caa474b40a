"""The callback that follows Betti numbers: in a plain module, and in a run from the configuration."""

from __future__ import annotations

import csv
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import creased
from creased.training.callbacks import BettiNumbers, ExtractLevelSet
from creased.training.run import run
from tests.training.conftest import TINY, Compose, quiet_trainer

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore:.*does not have many workers.*")


class Ring(L.LightningModule):
    """A network fitted to a ring in the plane."""

    def __init__(self, domain: creased.Box | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 1))
        if domain is not None:
            self.domain = domain

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        return (self.net(batch[0]) - batch[1]).square().mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 0.01)


def fit(
    folder: Path, module: Ring, callback: L.Callback, epochs: int, before: Sequence[L.Callback] = ()
) -> dict[str, float]:
    points = torch.rand((2048, 2), generator=torch.Generator().manual_seed(0)) * 2 - 1
    values = (points.norm(dim=1, keepdim=True) - 0.6).abs() - 0.2
    trainer = quiet_trainer(folder, callback, epochs)
    trainer.callbacks[:0] = before
    trainer.fit(module, DataLoader(TensorDataset(points, values), batch_size=256))
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


def test_a_ring_that_is_learnt_has_one_loop(tmp_path: Path) -> None:
    module = Ring()
    logged = fit(tmp_path, module, BettiNumbers(network="net", half_width=1.0), epochs=20)
    assert (logged["topology/below_0"], logged["topology/below_1"]) == (1, 1)
    assert (logged["topology/on_0"], logged["topology/on_1"]) == (2, 2)
    box = creased.Box.cube(2, 1.0)
    assert logged["topology/above_0"] == creased.betti_numbers(module.net, box, side="above")[0]
    assert logged["topology_s"] > 0


def test_the_domain_is_the_modules_or_all_of_space(tmp_path: Path) -> None:
    domain = creased.Box.cube(2, 0.1)  # within the hole
    inside = fit(tmp_path, Ring(domain), BettiNumbers(sides=["below"], network="net"), epochs=20)
    assert inside["topology/below_0"] == 0
    module = Ring()
    everywhere = fit(tmp_path, module, BettiNumbers(sides=["on"], network="net"), epochs=1)
    assert everywhere["topology/on_0"] == creased.betti_numbers(module.net, side="on")[0]


def test_what_has_too_many_cells_is_said_and_training_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        logged = fit(tmp_path, Ring(), BettiNumbers(network="net", half_width=1, max_cells=9), epochs=1)
    assert "epoch 1: Betti numbers are left out: " in caplog.text
    assert "max_cells=9" in caplog.text
    assert "topology_s" in logged
    assert "topology/on_0" not in logged


class Disc(Ring):
    """The same of a network on a grid."""

    def __init__(self) -> None:
        super().__init__()
        self.net = creased.GridMLP(in_dim=2, levels=(4, 8), features=2, width=8, depth=1, half_width=1.0)


def test_the_level_set_that_was_extracted_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    callback, extracted = BettiNumbers(sides=["below"], network="net"), []

    def count(program: creased.Program, *args: Any, **options: Any) -> creased.LevelSet:
        extracted.append(program)
        return creased.core.extract_level_set.extract_level_set(program, *args, **options)

    monkeypatch.setattr("creased.topology.level_set_sides.extract_level_set", count)
    module, before = Disc(), [ExtractLevelSet(network="net")]
    logged = fit(tmp_path, module, callback, epochs=4, before=before)
    below = creased.betti_numbers(module.net)
    assert (logged["topology/below_0"], logged["topology/below_1"]) == below[:2]
    assert below[0] > 0
    extracted.clear()
    fit(tmp_path, module, callback, epochs=1, before=before)
    assert not extracted
    fit(tmp_path, module, callback, epochs=1)
    assert extracted


def test_sides_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="beside"):
        BettiNumbers(sides=["beside"])


def test_the_experiment_writes_betti_numbers_into_the_table(configured: Compose) -> None:
    cfg = configured("run", "experiment=[smoke,topology]", *TINY, "data.n_batches=10")
    run(cfg)
    rows = list(csv.DictReader((Path(cfg.paths.output) / "metrics.csv").read_text().splitlines()))
    assert all(float(row["topology/below_0"]) >= 0 for row in rows)
    assert all(float(row["topology/on_2"]) >= 0 for row in rows)
