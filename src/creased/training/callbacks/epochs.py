"""Each epoch's function, kept: from it follow its exact mesh and all else, at a few kilobytes."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import lightning as L
import torch

from creased.io.atomic_write import write_whole
from creased.io.checkpoint import KEY, write_record
from creased.training.module import SDFModule

log = logging.getLogger(__name__)


class KeepEpochs(L.Callback):
    """Writes `epoch_NNN.ckpt`, the record alone; `creased view RUN` shows them on a slider.

    YAML to paste, in `configs/callbacks/`:

        epochs:
          _target_: creased.training.callbacks.KeepEpochs
          folder: ${paths.output}/epochs
          every_n_epochs: 1

    Args:
        folder: where.
        every_n_epochs: how often; the last epoch of the run always.
    """

    def __init__(self, folder: str, every_n_epochs: int = 1) -> None:
        self.folder, self.every_n_epochs = Path(folder), every_n_epochs

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Keep the function as it is now."""
        assert isinstance(pl_module, SDFModule)
        epoch = trainer.current_epoch + 1
        if not trainer.is_global_zero or (epoch % self.every_n_epochs and epoch != trainer.max_epochs):
            return
        content = io.BytesIO()
        torch.save({KEY: write_record(pl_module.record())}, content)
        path = self.folder / f"epoch_{epoch:03d}.ckpt"
        try:
            write_whole(path, content.getvalue())
        except OSError as error:
            log.error("cannot write %s: %s; training goes on", path, error)
