"""Learning rates over a run, as functions from the share of the run done, in [0, 1], to a factor."""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float], float]


def one_cycle(warm_up: float = 0.15, start: float = 0.04, end: float = 1e-3) -> Schedule:
    """Smith and Topin 2019: rise to the full rate, then fall along a cosine to almost nothing.

    Args:
        warm_up: the share of the run that rises.
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
    """The full rate all the way."""
    return lambda done: 1.0


def _cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
