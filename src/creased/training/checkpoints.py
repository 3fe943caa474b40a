"""Checkpoints of Lightning: written whole or not at all, with the weights that their record is of.

Where weights are averaged (Lightning's `EMAWeightAveraging`, `StochasticWeightAveraging`), the averages are
the result: pictures and meshes of epochs, the records in checkpoints, the final mesh and metrics are theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins.io import TorchCheckpointIO
from lightning.pytorch.callbacks import StochasticWeightAveraging, WeightAveraging

from creased.io.atomic_write import replacing
from creased.io.checkpoint import KEY, load_plain, write_record
from creased.io.runs import EPOCHS, LAST
from creased.training.module import SDFModule


class WholeCheckpoints(TorchCheckpointIO):
    """Writes checkpoints beside their target and renames them; Lightning goes by TMPDIR.

    YAML to paste, in `configs/trainer/`:

        plugins:
          - _target_: creased.training.checkpoints.WholeCheckpoints
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint.

        Raises:
            OSError: it cannot be written; the earlier file is unchanged.
        """
        try:
            with replacing(Path(path)) as file:
                torch.save(checkpoint, file)
        except RuntimeError as error:  # of torch's writer, where a disk is full
            raise OSError(
                f"cannot write {path}: {str(error).splitlines()[0]}; the earlier file is kept"
            ) from error


class ShowAverages(L.Callback):
    """Swaps a module's weights with their averages at the end of an epoch.

    One stands before the callbacks that extract and draw, one behind them.

    Args:
        averaging: the callbacks that average.
    """

    def __init__(self, averaging: Sequence[WeightAveraging]) -> None:
        self.averaging = averaging

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Swap, but for regularizers, whose level set is that of the weights in training."""
        assert isinstance(pl_module, SDFModule)
        for callback in [] if pl_module.wants_level_set else self.averaging:
            callback.on_validation_epoch_start(trainer, pl_module)


def showing_averages(callbacks: Sequence[L.Callback]) -> list[L.Callback]:
    """Put the callbacks that average last, and between two swaps those that see the averages."""
    averaging = [callback for callback in callbacks if isinstance(callback, WeightAveraging)]
    if not averaging:
        return list(callbacks)
    others = [callback for callback in callbacks if not isinstance(callback, WeightAveraging)]
    return [ShowAverages(averaging), *others, ShowAverages(averaging), *averaging]


def settle_averages(trainer: L.Trainer, module: SDFModule, run: Path) -> None:
    """Give the last checkpoint and the last kept epoch the record of the weights that training ended with.

    Lightning's SWA averages after they are written. The state of training in them is left as it is.
    """
    averaging = (WeightAveraging, StochasticWeightAveraging)
    if not any(isinstance(callback, averaging) for callback in trainer.callbacks):  # type: ignore[attr-defined]
        return
    epoch = run / EPOCHS / f"epoch_{trainer.current_epoch:03d}.ckpt"
    for path in (run / LAST, epoch):
        if not path.is_file():
            continue
        values = load_plain(path)
        if values.get("global_step", trainer.global_step) == trainer.global_step:
            record = replace(module.record(), epoch=values[KEY]["epoch"])
            with replacing(path) as file:
                torch.save(values | {KEY: write_record(record)}, file)
