"""The command `train.py` around Hydra: what is wrong with its words ends in one line, not in a trace.

What goes wrong once a run has begun is said by `creased.training.run.run_or_explain`.
"""

from __future__ import annotations

import logging
import math
import os
import sys
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from creased.training.run import run_or_explain

TRACES = "HYDRA_FULL_ERROR"  # with 1 Hydra raises what it caught; a user who sets it wants the trace
ALL_OPTIONS = "./run train --cfg job shows every option"
LIKE = 0.75  # of two words, as difflib measures it; less alike is not meant
CONFIGS = Path(__file__).parents[3] / "configs"


def run_command(main: Callable[[], object]) -> None:
    """Run what Hydra decorates; exit with status 1 and a line where its words, or its folder, are no good."""
    if os.environ.get(TRACES) == "1":
        main()
        return
    os.environ[TRACES] = "1"
    try:
        main()
    except (HydraException, OSError) as error:
        print(f"creased: {_say(error)}", file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        os.environ.pop(TRACES, None)


def _say(error: BaseException) -> str:
    """What is wrong and what there is instead; of the rest of Hydra's words, the first lines."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, name = error.missing_cfg_file.rpartition("/")
        folder = CONFIGS / group
        options = error.options or [path.stem for path in folder.glob("*.yaml")]
        return f"there is no {group}={name}: choose from {', '.join(sorted(options))}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    words = "; ".join(line.removesuffix(".") for line in lines[:2] if not line.startswith("See http"))
    if meant := _meant(error):
        return f"there is no option {meant[0]}: did you mean {meant[1]}? {ALL_OPTIONS}"
    if isinstance(error, ConfigCompositionException):
        return f"{words}; {ALL_OPTIONS}"
    return words


def _meant(error: BaseException) -> tuple[str, str] | None:
    """The option that there is not, and that most like it: in its whole name, or in its last word."""
    cause: Any = error.__cause__
    if not isinstance(cause, OmegaConfBaseException) or not isinstance(cause.parent_node, DictConfig):
        return None
    wrong, names = str(cause.full_key), list(_names(cause.parent_node._get_root()))
    by_last = {name.rpartition(".")[2]: name for name in reversed(names)}
    found = get_close_matches(wrong, names, 1, LIKE)
    if not found:
        found = [by_last[word] for word in get_close_matches(wrong.rpartition(".")[2], by_last, 1, LIKE)]
    return (wrong, found[0]) if found else None


def _names(config: Any, prefix: str = "") -> Iterator[str]:
    """All options, those of the configuration's parts too."""
    for key in config:
        yield f"{prefix}{key}"
        value = config._get_node(key)
        if isinstance(value, DictConfig) and not (value._is_none() or value._is_interpolation()):
            yield from _names(value, f"{prefix}{key}.")


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
    """A finite number of `metrics.json`, or of what was logged in the last epoch."""
    value = metrics.get(name, metrics["logged"].get(name))
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if is_number else None


def _numbers_in(metrics: dict[str, Any]) -> list[str]:
    return [name for name in metrics if _number(metrics, name) is not None] + list(metrics["logged"])
