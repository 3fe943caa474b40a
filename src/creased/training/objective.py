"""What a search over hyperparameters gets back from a run: the metrics that `optimized_metric` names."""

from __future__ import annotations

import logging
import math
from typing import Any

from omegaconf import DictConfig

from creased.training.run import run_or_explain

log = logging.getLogger(__name__)


def objective(cfg: DictConfig) -> float | list[float] | None:
    """One run, as Hydra's sweepers see it.

    Args:
        cfg: the configuration of `configs/train.yaml`; ``optimized_metric`` is null, a name, or several.

    Returns:
        The metric or metrics asked for; None where nothing is asked for, and where the run has failed or
        does not have them, as a level set that is empty has no distance to a shape: a failed trial.
    """
    metrics, wanted = run_or_explain(cfg), cfg.optimized_metric
    if wanted is None or "failed" in metrics or not metrics:
        return None
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    values = [_value(metrics, name) for name in names]
    found = [value for value in values if value is not None]
    if len(found) < len(names):
        missing = ", ".join(name for name, value in zip(names, values, strict=True) if value is None)
        log.error(
            "optimized_metric: this run has no number %s; it has %s", missing, ", ".join(_names(metrics))
        )
        return None
    return found[0] if isinstance(wanted, str) else found


def _value(metrics: dict[str, Any], name: str) -> float | None:
    """A finite number of `metrics.json`, or of what was logged in the last epoch."""
    value = metrics.get(name, metrics["logged"].get(name))
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if is_number else None


def _names(metrics: dict[str, Any]) -> list[str]:
    return [name for name in metrics if _value(metrics, name) is not None] + list(metrics["logged"])
