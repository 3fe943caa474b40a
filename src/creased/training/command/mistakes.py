"""Run, and end a user's mistakes in one line and a status."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.types import RunMode
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig
from omegaconf.errors import MissingMandatoryValue

from creased.networks import UnsupportedModuleError
from creased.training.callbacks.guard import DivergedError
from creased.training.command.sweep import note_failure
from creased.training.distributed import RankError
from creased.training.run import run
from creased.training.runs.folders import ResumeError, is_follower
from creased.training.runs.replay import replayed_job
from creased.training.runs.resume import offer

log = logging.getLogger(__name__)

# Errors that a user can correct; ValueError covers ShapeError, CheckpointError and refusals of constructors.
# hydra.verbose=true shows their traceback.
USER_ERRORS = (
    DivergedError,
    InstantiationException,
    MisconfigurationException,
    MissingMandatoryValue,
    OSError,
    RankError,
    UnsupportedModuleError,
    ValueError,
)


def run_or_explain(cfg: DictConfig) -> dict[str, Any]:
    """Run; print a user's mistake in one line and exit with status 1, with 130 after Ctrl-C.

    In a sweep a mistake is logged, and the result is ``{"failed": message}``.
    """
    try:
        return run(replayed_job(cfg))
    except (*USER_ERRORS, KeyboardInterrupt) as error:
        log.debug("traceback", exc_info=True)
        return _explain(error, cfg)


def _explain(error: BaseException, cfg: DictConfig) -> dict[str, Any]:
    is_stopped = isinstance(error, KeyboardInterrupt)
    message, status = ("interrupted", 130) if is_stopped else (_format_mistake(error), 1)
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN and not is_stopped:
        log.error("this run of the sweep failed: %s", message)
        note_failure(message)
        return {"failed": message}
    if is_follower() and isinstance(error, DivergedError | RankError | KeyboardInterrupt):  # rank 0 prints it
        raise SystemExit(status)
    how = None if isinstance(error, ResumeError) else offer(Path(cfg.paths.output))
    if how:
        message += f"\ncreased: {how}"
    elif is_stopped:
        message += ": nothing was saved yet"
    print(f"creased: {message}", file=sys.stderr)
    raise SystemExit(status)


def _format_mistake(error: BaseException) -> str:
    """Format an error for the user; of an exception that Hydra wrapped, the cause."""
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        return str(error.__cause__)
    if isinstance(error, MissingMandatoryValue):
        return f"give a value: {error.full_key}=..."
    if isinstance(error, MisconfigurationException):
        return f"{error} (options of trainer: accelerator, devices, max_epochs, ...)"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)
