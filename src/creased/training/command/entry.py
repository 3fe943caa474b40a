"""Call Hydra, whose refusals end in one line, and report metrics to its sweepers."""

from __future__ import annotations

import logging
import math
import os
import sys
from collections.abc import Callable
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig

from creased.shapes import ShapeError
from creased.training.command.mistakes import run_or_explain
from creased.training.command.refusals import format_refusal, refuse_dashes
from creased.training.command.words import by_own_names, quote_paths
from creased.training.console import tolerate_encodings
from creased.training.runs.folders import ResumeError
from creased.training.runs.replay import replayed

TRACES = "HYDRA_FULL_ERROR"  # with 1 Hydra raises what it caught; a user who sets it wants the traceback

log = logging.getLogger(__name__)


def run_command(main: Callable[[], object]) -> None:
    """Run a function that Hydra decorates; exit with status 1 and one line if it refuses the command line."""
    tolerate_encodings()
    if os.environ.get(TRACES) == "1":
        main()
        return
    os.environ[TRACES] = "1"
    try:
        refuse_dashes(sys.argv[1:])
        sys.argv[1:] = replayed(quote_paths(by_own_names(sys.argv[1:])))
        main()
    except (HydraException, OSError, ResumeError, ShapeError) as error:
        print(f"creased: {format_refusal(error)}", file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        os.environ.pop(TRACES, None)


def objective(cfg: DictConfig) -> float | list[float] | None:
    """Run once, and return the metrics that a sweeper of Hydra optimises.

    Args:
        cfg: the configuration of `configs/train.yaml`; ``optimized_metric`` is null, a name, or several.

    Returns:
        The metric or metrics named. None if none is named, and for a failed trial: the run failed, or a
        metric is missing, as an empty level set has no distance to a shape.
    """
    metrics, wanted = run_or_explain(cfg), cfg.optimized_metric
    if wanted is None or "failed" in metrics or not metrics:
        return None
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    values = [_number(metrics, name) for name in names]
    found = [value for value in values if value is not None]
    if len(found) < len(names):
        missing = ", ".join(name for name, value in zip(names, values, strict=True) if value is None)
        log.error(
            "optimized_metric: this run has no number %s; it has %s", missing, ", ".join(_numbers_in(metrics))
        )
        return None
    return found[0] if isinstance(wanted, str) else found


def _number(metrics: dict[str, Any], name: str) -> float | None:
    """Look up a finite number in the metrics, or in the values logged in the last epoch."""
    value = metrics.get(name, metrics["logged"].get(name))
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if is_number else None


def _numbers_in(metrics: dict[str, Any]) -> list[str]:
    return [name for name in metrics if _number(metrics, name) is not None] + list(metrics["logged"])
