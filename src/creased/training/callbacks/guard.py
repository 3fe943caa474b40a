"""Stop a run whose loss or weights are no longer finite, before they reach a checkpoint."""

from __future__ import annotations

from typing import Any

import lightning as L
import torch
from torch import Tensor

from creased.training.distributed import AgreedError, all_agree


class DivergedError(AgreedError):
    """The loss became NaN or infinite."""


class StopOnNaN(L.Callback):
    """Checks the loss every n steps, and the weights at the end of each epoch, on all ranks.

    YAML to paste, in `configs/callbacks/`:

        guard:
          _target_: creased.training.callbacks.StopOnNaN
          every_n_steps: 50

    Args:
        every_n_steps: interval of checks of the loss; the weights are checked before each checkpoint.
    """

    def __init__(self, every_n_steps: int = 50) -> None:
        self.every_n_steps = every_n_steps

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Check the loss."""
        if batch_idx % self.every_n_steps == 0:
            loss = outputs["loss"] if isinstance(outputs, dict) else outputs
            self._require_finite(loss, trainer)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Check the weights, before they are extracted and saved."""
        self._require_finite(torch.nn.utils.parameters_to_vector(pl_module.parameters()), trainer)

    def _require_finite(self, values: Tensor, trainer: L.Trainer) -> None:
        if not all_agree(trainer, is_so=bool(torch.isfinite(values).all())):
            raise DivergedError(
                f"training diverged at step {trainer.global_step} (NaN or infinity): lower optimizer.lr; "
                "the last checkpoint is from before"
            )
