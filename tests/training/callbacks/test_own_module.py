"""The callbacks in a LightningModule that knows nothing of creased, and in one that holds its surface."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning as L
import pytest
import torch
from lightning.pytorch.loggers import WandbLogger
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

import creased
from creased.geometry import EdgeLength, edge_lengths
from creased.io.checkpoint import read_record
from creased.training.callbacks import ExtractLevelSet, KeepEpochs, LogMeshes, SaveMesh

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore:.*does not have many workers.*")
CUBE = creased.Box.cube(3, 0.5)


class Ball(L.LightningModule):
    """A network of anybody's, fitted to a ball."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = creased.MLP(in_dim=3, width=12, depth=2)

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        return (self.net(batch[0])[:, 0] - batch[0].norm(dim=1) + 0.3).abs().mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.net.parameters(), 0.01)


class Smooth(Ball):
    """The same, with the length of the creases in the loss."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight, self.creases = weight, EdgeLength()
        self.surface = creased.TrackedLevelSet(self.net, CUBE, every_n_steps=None)

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        return super().training_step(batch, batch_idx) + self.weight * self.surface.term(self.creases)


def fit(module: L.LightningModule, *callbacks: L.Callback, **options: Any) -> L.Trainer:
    points = torch.rand((4000, 3), generator=torch.Generator().manual_seed(0)) - 0.5
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    short: dict[str, Any] = {"max_epochs": 2, "log_every_n_steps": 10, "accelerator": "cpu", "logger": False}
    trainer = L.Trainer(callbacks=list(callbacks), **(short | quiet | options))
    trainer.fit(module, DataLoader(TensorDataset(points), batch_size=100))
    return trainer


def test_the_surface_of_any_module_is_extracted_saved_and_kept(tmp_path: Path) -> None:
    extract = ExtractLevelSet(network="net", domain=CUBE)
    trainer = fit(Ball(), extract, SaveMesh(str(tmp_path)), KeepEpochs(str(tmp_path)))
    found = extract.surface.level_set
    assert found is not None
    assert found.audit().is_closed
    assert trainer.callback_metrics["faces"] == found.polygons.n
    assert json.loads((tmp_path / "mesh.ply.json").read_text())["audit"]["n_polygons"] == found.polygons.n
    record = read_record(tmp_path / "epoch_002.ckpt")
    assert (record.epoch, record.shape, record.domain) == (2, "Ball", CUBE)


def test_the_surface_that_a_module_holds_is_the_one_that_is_extracted() -> None:
    module = Smooth(1e-3)
    extract = ExtractLevelSet(network="net", every_n_steps=10)
    trainer = fit(module, extract)
    assert extract.surface is module.surface
    assert module.surface.extracted_at == trainer.global_step == 80
    assert "mesh/stale" in trainer.callback_metrics


def test_a_term_of_the_surface_shortens_its_creases() -> None:
    lengths = []
    for weight in (0.0, 1e-3):
        extract = ExtractLevelSet(network="net", every_n_steps=10)
        fit(Smooth(weight), extract)
        found = extract.surface.extract()
        lengths.append(float(edge_lengths(found.vertices, found.edges).sum()))
    assert lengths[1] < 0.8 * lengths[0]


def test_the_meshes_of_any_module_are_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[dict[str, Any]] = []
    run = SimpleNamespace(summary={}, log=logged.append)
    logger = WandbLogger(offline=True, save_dir=tmp_path)
    monkeypatch.setattr(WandbLogger, "experiment", run)
    monkeypatch.setattr(WandbLogger, "log_metrics", lambda *_, **__: None)
    monkeypatch.setattr(WandbLogger, "log_hyperparams", lambda *_, **__: None)
    fit(Ball(), ExtractLevelSet(network="net", domain=CUBE), LogMeshes(), logger=logger)
    assert "closed" in run.summary["audit"]
    assert [entry["mesh"]._caption.split(":")[0] for entry in logged] == ["epoch 1", "epoch 2"]


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (ExtractLevelSet(domain=CUBE), "Ball has no module 'network', but net; say network=NAME"),
        (ExtractLevelSet(network="net"), r"Ball has no domain; say domain=creased\.Box"),
        (SaveMesh("nowhere"), "SaveMesh: give the Trainer an ExtractLevelSet"),
    ],
)
def test_what_is_missing_is_named(callback: L.Callback, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(Ball(), callback)
