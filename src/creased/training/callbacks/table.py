"""One row an epoch in metrics.csv."""

from __future__ import annotations

import csv
import io
import logging
import time
from pathlib import Path
from typing import Any

import lightning as L

from creased.io.atomic_write import write_whole

log = logging.getLogger(__name__)


class EpochTable(L.Callback):
    """Writes all logged values of each epoch as a row; a resumed run goes on in the same table.

    YAML to paste, in `configs/callbacks/`:

        table:
          _target_: creased.training.callbacks.EpochTable
          path: ${paths.output}/metrics.csv

    Args:
        path: of the table; rewritten whole each epoch.
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
            log.error("cannot write %s: %s; training goes on", self.path, error)

    def _as_csv(self) -> str:
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="")
        writer.writeheader()
        writer.writerows({k: f"{v:.8g}" for k, v in row.items()} for row in self.rows)
        return text.getvalue()

    def state_dict(self) -> dict[str, Any]:
        """The rows so far go into the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Rows of the resumed run."""
        self.rows = list(state_dict["rows"])
