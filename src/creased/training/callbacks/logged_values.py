"""Show the logged values: a row an epoch in metrics.csv, and the progress bar."""

from __future__ import annotations

import csv
import io
import logging
import time
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import RichProgressBar
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Column

from creased.io.atomic_write import write_whole

SHOWN = {  # label and format of each value in the bar
    "loss": ("loss", "{:.4f}"),
    "val/surface_error": ("|f|", "{:.4f}"),
    "faces": ("faces", "{:,.0f}"),
}

log = logging.getLogger(__name__)


class EpochTable(L.Callback):
    """Writes all logged values of each epoch as a row; a resumed run continues the table.

    YAML to paste, in `configs/callbacks/`:

        table:
          _target_: creased.training.callbacks.EpochTable
          path: ${paths.output}/metrics.csv

    Args:
        path: of the table, which is rewritten each epoch.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.rows: list[dict[str, float]] = []
        self._epoch_start = 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._epoch_start = time.perf_counter()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Add a row."""
        if not trainer.is_global_zero:
            return
        values = {k: float(v) for k, v in trainer.callback_metrics.items() if k != "loss"}
        seconds = time.perf_counter() - self._epoch_start
        row = {"epoch": float(trainer.current_epoch + 1), "step": float(trainer.global_step)}
        self.rows.append(row | dict(sorted(values.items())) | {"epoch_s": seconds})
        try:
            write_whole(self.path, self._as_csv().encode())
        except OSError as error:
            log.error("cannot write %s: %s; training continues", self.path, error)

    def _as_csv(self) -> str:
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="")
        writer.writeheader()
        writer.writerows({k: f"{v:.8g}" for k, v in row.items()} for row in self.rows)
        return text.getvalue()

    def state_dict(self) -> dict[str, Any]:
        """Store the rows in the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the rows of the resumed run."""
        self.rows = list(state_dict["rows"])


class TrainingBar(RichProgressBar):
    """Lightning's Rich progress bar in one line of 80 columns, with epochs counted from 1.

    YAML to paste, in `configs/callbacks/`:

        progress:
          _target_: creased.training.callbacks.TrainingBar
          refresh_rate: 20
          leave: true
    """

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Show the values at each refresh; the base class reads them from the device in every step."""
        is_last = trainer.is_last_batch or trainer.global_step == trainer.max_steps
        if is_last or (batch_idx + 1) % max(self.refresh_rate, 1) == 0:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def on_validation_batch_end(self, *arguments: Any, **options: Any) -> None:
        """Show no line of validation, which is short: the base class adds a second one."""

    def configure_columns(self, trainer: L.Trainer) -> list[ProgressColumn]:
        """Choose what is shown before the values."""
        whole = Column(no_wrap=True)
        description = TextColumn("{task.description}", table_column=whole)
        count, left = (
            MofNCompleteColumn(table_column=whole),
            TimeRemainingColumn(compact=True, table_column=whole),
        )
        return [description, BarColumn(bar_width=8), count, left]

    def _init_progress(self, trainer: L.Trainer) -> None:
        super()._init_progress(trainer)
        if self._metric_component is not None:  # values that do not fit are cut off
            self._metric_component._table_column = Column(no_wrap=True, overflow="ellipsis", ratio=1)

    def get_metrics(
        self, trainer: L.Trainer, pl_module: L.LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """Format the values at the end of the bar."""
        values = trainer.progress_bar_metrics
        shown = [(name, *style) for name, style in SHOWN.items() if name in values]
        return {label: form.format(float(values[name])) for name, label, form in shown}

    def _get_train_description(self, current_epoch: int) -> str:
        n_epochs = self.trainer.max_epochs
        return f"Epoch {current_epoch + 1}" + (f"/{n_epochs}" if n_epochs and n_epochs > 0 else "")
