"""Choose the number of CPU threads of training steps, by the time that the first steps take."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import lightning as L
import torch

WARM_UP = 5  # steps before the first trial
BLOCK = 6  # steps of a trial, of which the first, in which threads are started, does not count
TRIALS = 4  # with one thread, and as many with all idle cores, in turns
HOPELESS = 2  # times as long with more threads: no further trials
GAIN = 0.9  # more threads are to take less than this share of the time

log = logging.getLogger(__name__)


class ChooseThreads(L.Callback):
    """Takes a step in one thread or in as many as cores are idle, whichever was faster in the first steps.

    Wall time is compared, so that other work on the machine counts. Between epochs, where level sets are
    extracted, one thread works. In training on a GPU nothing is measured. `threads=auto` adds this to a run.

    YAML to paste, in `configs/callbacks/`:

        threads:
          _target_: creased.training.callbacks.ChooseThreads

    Args:
        most: threads to compare with one; as many as cores are idle by default.
        clock: gives the time in seconds.
    """

    def __init__(self, most: int | None = None, clock: Callable[[], float] = time.perf_counter) -> None:
        self.most = idle_cores() if most is None else most
        self.chosen: int | None = None  # not yet
        self._clock, self._step, self._start = clock, 0, 0.0
        self._seconds: dict[int, list[float]] = {1: [], self.most: []}

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Choose one thread where there is no choice."""
        where = trainer.strategy.root_device.type
        if where != "cpu":
            self._choose(1, f"training is on {where}")
        elif self.most == 1:
            self._choose(1, "no other core is idle")

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the threads of the step, and note the time."""
        torch.set_num_threads(self.chosen or self._tried())
        self._start = self._clock()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note how long the step took; decide after the last trial."""
        if self.chosen is not None:
            return
        n_tried = self._step - WARM_UP
        if n_tried >= 0 and n_tried % BLOCK:
            self._seconds[self._tried()].append(self._clock() - self._start)
        self._step += 1
        if n_tried >= 0 and (n_tried + 1) % (2 * BLOCK) == 0:
            one, many = (median(self._seconds[n]) for n in (1, self.most))
            if n_tried + 1 < 2 * TRIALS * BLOCK and many < HOPELESS * one:
                return
            chosen = self.most if many < GAIN * one else 1
            self._choose(chosen, f"a step takes {1e3 * one:.1f} ms in 1, {1e3 * many:.1f} ms in {self.most}")

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Go back to one thread."""
        torch.set_num_threads(1)

    def _tried(self) -> int:
        """The number of threads of this step, while trials last."""
        is_other = (max(self._step - WARM_UP, 0) // BLOCK) % 2
        return self.most if is_other else 1

    def _choose(self, n_threads: int, why: str) -> None:
        self.chosen = n_threads
        log.info("threads=auto: %d CPU thread%s: %s", n_threads, "s" * (n_threads > 1), why)


def idle_cores() -> int:
    """Count the cores that this process may take: those without other work in the last minute; 1 or more."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 1.0
    return max(own - max(round(load - 1), 0), 1)  # one is the load of this process
