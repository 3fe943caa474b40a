"""Several processes that train together: what rank 0 does alone, what it tells the others, and how they end.

Lightning starts the command again for each further rank. All of them train, on batches of their own; rank 0
alone extracts, writes, evaluates and talks, and the others get from it what regularizers need. An error that
one rank has is an end for all, or the others would wait for it.
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

from creased.training.folders import RUN_FOLDER, is_follower

Made = TypeVar("Made")
PATIENCE = 5.0  # seconds


class RankError(RuntimeError):
    """Another rank has failed, and has said why."""


class AgreedError(RuntimeError):
    """Raised on all ranks at once."""


class SweepOfRanksError(ValueError):
    """Runs of a sweep can't start processes that would start the sweep again."""


def hush_followers() -> None:
    """Let rank 0 alone say what all would say."""
    if is_follower():
        logging.getLogger("creased").setLevel(logging.ERROR)


def from_rank_zero(trainer: L.Trainer, make: Callable[[], Made]) -> Made:
    """What rank 0 makes, on all ranks; all must call this.

    Raises:
        RankError: rank 0 has failed; there the error itself is raised.
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
    """True if it is so on all ranks; all must call this."""
    return is_so if trainer.world_size == 1 else trainer.strategy.reduce_boolean_decision(is_so, all=True)


def mean_over_ranks(gradient: Tensor) -> Tensor:
    """What a gradient will be once those of all ranks are averaged; all must call this."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return gradient
    total = gradient.clone()
    torch.distributed.all_reduce(total)
    return total / torch.distributed.get_world_size()


@contextmanager
def joined(trainer: L.Trainer, folder: str) -> Iterator[None]:
    """Within, further ranks may be started: they are told the run folder, and end when this one fails.

    Raises:
        SweepOfRanksError: this is a run of a sweep, whose command they would start again.
        RankError: a further rank has failed.
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
        # A collective whose other side is gone raises one, a moment before that process has ended.
        is_heard = isinstance(error, RuntimeError) and not isinstance(error, AgreedError)
        if starts_others and _end(launcher, PATIENCE if is_heard else 0.0) and is_heard:
            raise RankError("a further process of this run has failed; it has said why") from error
        raise
    finally:
        os.environ.pop(RUN_FOLDER, None)


def _end(launcher: Any, seconds: float) -> bool:
    """End the further ranks; True if one of them fails by itself within so many seconds."""
    others: list[subprocess.Popen[bytes]] = list(launcher.procs)
    launcher.procs.clear()  # or Lightning's observer kills this process too, as it closes its loggers
    until = time.monotonic() + seconds
    while not (has_failed := any(other.poll() for other in others)) and time.monotonic() < until:
        time.sleep(0.05)
    for other in others:
        other.kill()  # one that waits in a collective hears nothing softer, and none of them writes
    return has_failed
