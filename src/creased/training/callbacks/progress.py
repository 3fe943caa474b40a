"""The progress bar: loss, surface error, faces, seconds of extraction."""

from __future__ import annotations

import lightning as L
from lightning.pytorch.callbacks import RichProgressBar


class TrainingBar(RichProgressBar):
    """Lightning's Rich progress bar without the version number, and with counts as counts.

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
        metrics = super().get_metrics(trainer, pl_module)
        metrics.pop("v_num", None)
        if isinstance(faces := metrics.get("faces"), float):
            metrics["faces"] = f"{faces:,.0f}"
        return metrics
