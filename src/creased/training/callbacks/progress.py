"""The progress bar: loss, surface error, faces, seconds of extraction."""

from __future__ import annotations

import lightning as L
from lightning.pytorch.callbacks import RichProgressBar

SHOWN = {"loss": "loss", "val/surface_error": "|f|", "faces": "faces", "extract_s": "extract"}
FORMATS = {"loss": "{:.4f}", "val/surface_error": "{:.4f}", "faces": "{:,.0f}", "extract_s": "{:.1f}s"}


class TrainingBar(RichProgressBar):
    """Lightning's Rich progress bar, epochs counted from 1, counts as counts and times as times.

    YAML to paste, in `configs/callbacks/`:

        progress:
          _target_: creased.training.callbacks.TrainingBar
          refresh_rate: 20
          leave: true
    """

    def get_metrics(
        self, trainer: L.Trainer, pl_module: L.LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """What stands at the end of the bar."""
        values = trainer.progress_bar_metrics
        return {
            label: FORMATS[name].format(float(values[name]))
            for name, label in SHOWN.items()
            if name in values
        }

    def _get_train_description(self, current_epoch: int) -> str:
        return f"Epoch {current_epoch + 1}/{self.trainer.max_epochs}"
