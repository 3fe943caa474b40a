"""A callback that fails where it is told to, for runs of several processes."""

from typing import Any

import lightning as L
import torch

from creased.core import extract_level_set
from creased.training.callbacks import ExtractLevelSet


class FailOnRank(L.Callback):
    """Raises on one rank, with the others waiting for it."""

    def __init__(self, rank: int) -> None:
        self.rank = rank

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        if trainer.global_rank == self.rank:
            raise ValueError(f"made to fail on rank {self.rank}")


class PoisonOnRank(L.Callback):
    """Spoils the loss that the guard sees, on one rank."""

    def __init__(self, rank: int) -> None:
        self.rank = rank

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, *_: Any
    ) -> None:
        if trainer.global_rank == self.rank:
            outputs["loss"] = torch.tensor(torch.nan)


class FailingExtraction(ExtractLevelSet):
    """Fails as it extracts, which rank 0 does alone."""

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        super().setup(trainer, pl_module, stage)
        surface: Any = self.surface
        surface.extract = self._fail

    def _fail(self, **_: Any) -> Any:
        surface = self.surface
        return extract_level_set.extract_level_set(surface.program(), surface.domain, output=7)
