"""Schedules: factors as functions of the share of the run done, in [0, 1]; epochs in which callbacks act."""

from __future__ import annotations

import math
from collections.abc import Callable

import lightning as L

Schedule = Callable[[float], float]


def one_cycle(warm_up: float = 0.15, start: float = 0.04, end: float = 1e-3) -> Schedule:
    """Rise to the full rate and fall to nearly zero, along cosines (Smith and Topin 2019).

    Args:
        warm_up: share of the run in which the factor rises.
        start: factor at the beginning.
        end: factor at the end.
    """
    if not 0 <= warm_up < 1:
        raise ValueError(f"one_cycle: warm_up is a share in [0, 1), got {warm_up}")

    def factor(done: float) -> float:
        if done < warm_up:
            return _cosine(start, 1.0, done / warm_up)
        return _cosine(1.0, end, min((done - warm_up) / (1 - warm_up), 1.0))

    return factor


def constant() -> Schedule:
    """Keep the full rate."""
    return lambda done: 1.0


def is_epoch_due(trainer: L.Trainer, every_n_epochs: int) -> bool:
    """Return True in every n-th epoch, counted from 1, and in the last one of the run."""
    epoch = trainer.current_epoch + 1
    return epoch % every_n_epochs == 0 or epoch == trainer.max_epochs


def _cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
