"""Coordinate the processes of one run: broadcasts from rank 0, joint decisions, and termination.

Lightning starts the command again for each further rank. All ranks train, on batches of their own; rank 0
alone extracts, writes, evaluates and logs, and broadcasts the level set that regularizers need. An error on
one rank ends all, or the others would wait for it in a collective.
"""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import lightning as L
import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from torch import Tensor

from creased.training.runs.folders import RUN_FOLDER, is_follower

Made = TypeVar("Made")
GRACE = 5.0  # seconds that a failing rank gets to end before the others are killed


class RankError(RuntimeError):
    """Another rank has failed, and has printed its error."""


class AgreedError(RuntimeError):
    """An error that is raised on all ranks at once."""


class SweepOfRanksError(ValueError):
    """A run of a sweep was asked for several processes, each of which would start the sweep again."""


def silence_followers() -> None:
    """Log errors only, on all ranks but 0."""
    if is_follower():
        logging.getLogger("creased").setLevel(logging.ERROR)


def from_rank_zero(trainer: L.Trainer, make: Callable[[], Made]) -> Made:
    """Call a function on rank 0 and broadcast its value; a collective.

    Raises:
        RankError: rank 0 has failed; on rank 0 its own error is raised.
    """
    if trainer.world_size == 1:
        return make()
    made: Made | None = None
    failure: Exception | None = None
    if trainer.is_global_zero:
        try:
            made = make()
        except Exception as error:
            failure = error
    made, is_failed = trainer.strategy.broadcast((made, failure is not None))
    if failure is not None:
        raise failure
    if is_failed:
        raise RankError("rank 0 has failed")
    return cast(Made, made)


def all_agree(trainer: L.Trainer, *, is_so: bool) -> bool:
    """Return True if the condition holds on all ranks; a collective."""
    return is_so if trainer.world_size == 1 else trainer.strategy.reduce_boolean_decision(is_so, all=True)


def mean_over_ranks(gradient: Tensor) -> Tensor:
    """Average a gradient over the ranks; a collective."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return gradient
    total = gradient.clone()
    torch.distributed.all_reduce(total)
    return total / torch.distributed.get_world_size()


@contextmanager
def supervised_ranks(trainer: L.Trainer, folder: str) -> Iterator[None]:
    """Pass the run folder to the ranks that are started within, and kill them when this one fails.

    Raises:
        SweepOfRanksError: this is a run of a sweep, and each rank would start the sweep again.
        RankError: another rank has failed.
    """
    launcher: Any = trainer.strategy.launcher
    starts_others = trainer.world_size > 1 and hasattr(launcher, "procs") and not is_follower()
    if starts_others and HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        raise SweepOfRanksError(
            f"trainer.devices={trainer.num_devices}: a run of a sweep (-m) is one process; start runs of "
            "several processes one by one"
        )
    os.environ[RUN_FOLDER] = folder
    try:
        yield
    except BaseException as error:
        # A collective raises a RuntimeError when another rank fails, a moment before that process ends.
        is_collective = isinstance(error, RuntimeError) and not isinstance(error, AgreedError)
        if starts_others and _end(launcher, GRACE if is_collective else 0.0) and is_collective:
            raise RankError("another process of this run has failed; its own message says why") from error
        raise
    finally:
        os.environ.pop(RUN_FOLDER, None)


def _end(launcher: Any, seconds: float) -> bool:
    """Kill the other ranks; return True if one of them fails by itself within the given seconds."""
    others: list[subprocess.Popen[bytes]] = list(launcher.procs)
    launcher.procs.clear()  # or Lightning's observer kills this process too, while it closes its loggers
    until = time.monotonic() + seconds
    while not (has_failed := any(other.poll() for other in others)) and time.monotonic() < until:
        time.sleep(0.05)
    for other in others:
        other.kill()  # a process that waits in a collective ignores SIGTERM; no rank but 0 writes files
    return has_failed
