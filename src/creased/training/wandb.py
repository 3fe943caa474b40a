"""Publish a finished run to W&B, and close its loggers.

During training Lightning logs the numbers, and callbacks the pictures and meshes. Here the final metrics,
with the guarantee, go into the summary, and the last checkpoint and the mesh become artifacts. Without a W&B
key the run is kept offline and nothing is sent.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.loggers import Logger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from creased.io.runs import LAST
from creased.training.runs.commands import sync_command

MESHES = "mesh.*"

log = logging.getLogger(__name__)


def wandb_loggers(loggers: Sequence[Logger]) -> list[WandbLogger]:
    """Select the loggers that write to W&B."""
    return [logger for logger in loggers if isinstance(logger, WandbLogger)]


@rank_zero_only
def begin_quietly(loggers: Sequence[WandbLogger]) -> None:
    """Begin the W&B runs, on rank 0; say where each logs in a line, not W&B's own forty. Warnings stay."""
    for logger in loggers:
        os.environ.setdefault("WANDB_SHOW_INFO", "false")
        logger._wandb_init.pop("anonymous", None)  # Lightning gives it, and W&B warns that it does nothing
        run: Any = logger.experiment
        if run.offline:
            log.info("W&B: kept offline; to send it: %s", sync_command(str(Path(run.dir).parent)))
        elif run.url:
            log.info("W&B: %s", run.url)


def wandb_run_id(loggers: Sequence[Logger]) -> str | None:
    """Return the id of the W&B run, for the checkpoint; None without one."""
    ids = [str(logger.version) for logger in wandb_loggers(loggers) if logger.version is not None]
    return ids[0] if ids else None


def publish(loggers: Sequence[Logger], metrics: Mapping[str, Any], folder: Path) -> None:
    """Send the final metrics, the checkpoint and the meshes to the W&B loggers, if there are any.

    Args:
        loggers: of the trainer.
        metrics: as in `metrics.json`.
        folder: the run folder.
    """
    for logger in wandb_loggers(loggers):
        run: Any = logger.experiment
        run.summary.update(_flat(metrics))
        try:
            _log_artifact(run, "checkpoint", "model", [folder / LAST], metrics)
            _log_artifact(run, "mesh", "mesh", sorted(folder.glob(MESHES)), metrics)
        except OSError as error:
            log.error("W&B gets no artifacts of this run: %s", error)


def _log_artifact(run: Any, name: str, kind: str, paths: list[Path], metrics: Mapping[str, Any]) -> None:
    import wandb

    files = [path for path in paths if path.is_file()]
    if not files:
        return
    notes = {
        key: metrics[key] for key in ("shape", "licence", "credit", "guarantee", "status", "certificate")
    }
    artifact = wandb.Artifact(f"{name}-{run.id}", type=kind, metadata=notes)
    for path in files:
        artifact.add_file(str(path))
    run.log_artifact(artifact)


def _flat(metrics: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested metrics to names such as ``seconds/total``; leave out what Lightning has logged."""
    flat: dict[str, Any] = {}
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            flat |= {} if name == "logged" else _flat(value, f"{prefix}{name}/")
        else:
            flat[prefix + name] = value
    return flat


@contextmanager
def closing_loggers(trainer: L.Trainer) -> Iterator[None]:
    """Finalize the loggers at the end, so that the next run of this process gets its own W&B run."""
    is_whole = False
    try:
        yield
        is_whole = True
    finally:
        for logger in trainer.loggers:
            logger.finalize("success" if is_whole else "failed")
        if "wandb" in sys.modules:
            sys.modules["wandb"].finish(exit_code=0 if is_whole else 1)
