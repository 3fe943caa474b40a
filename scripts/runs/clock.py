"""Measure the CPU seconds of training, which other processes of the machine do not change."""

from __future__ import annotations

import json
import time
from pathlib import Path

import lightning as L


class CpuClock(L.Callback):
    """Writes the CPU seconds of this process since training began, at the end of each epoch, as JSON.

    Args:
        path: of the file, a list of seconds.
    """

    def __init__(self, path: str) -> None:
        self._path, self._seconds, self._start = Path(path), list[float](), 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._start = time.process_time()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the seconds so far."""
        self._seconds.append(time.process_time() - self._start)
        self._path.write_text(json.dumps(self._seconds))
