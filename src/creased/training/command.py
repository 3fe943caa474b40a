"""The command `train.py` around Hydra: format its errors in one line, and report metrics to its sweepers.

Errors once a run has begun are handled by `creased.training.run.run_or_explain`.
"""

from __future__ import annotations

import logging
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from creased.shapes import ShapeError
from creased.training.console import tolerate_encodings
from creased.training.run import run_or_explain
from creased.training.runs.folders import ResumeError
from creased.training.runs.replay import CONFIGS, replayed

TRACES = "HYDRA_FULL_ERROR"  # with 1 Hydra raises what it caught; a user who sets it wants the traceback
ALL_OPTIONS = "./run train --cfg job shows every option"
SIMILAR = 0.75  # difflib's ratio of two words, from which on one is suggested for the other
# Options that name files.
PATHS = ("shape.path", "ckpt_path", "start_from", "paths.root", "paths.runs", "paths.output", "paths.meshes")

log = logging.getLogger(__name__)


def run_command(main: Callable[[], object]) -> None:
    """Run a function that Hydra decorates; exit with status 1 and one line if it refuses the command line."""
    tolerate_encodings()
    if os.environ.get(TRACES) == "1":
        main()
        return
    os.environ[TRACES] = "1"
    try:
        sys.argv[1:] = replayed(quote_paths(by_own_names(sys.argv[1:])))
        main()
    except (HydraException, OSError, ResumeError, ShapeError) as error:
        print(f"creased: {_format_error(error)}", file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        os.environ.pop(TRACES, None)


def by_own_names(words: Sequence[str]) -> list[str]:
    """Take the folder of a run by Hydra's name, too: all that a run writes goes there, not its log alone."""
    theirs, ours = "hydra.run.dir=", "paths.output="
    return [ours + word.removeprefix(theirs) if word.startswith(theirs) else word for word in words]


def quote_paths(words: Sequence[str]) -> list[str]:
    """Quote names of files that Hydra would not take as they are: with ~, umlauts, parentheses, commas."""
    is_sweep = not {"-m", "--multirun"}.isdisjoint(words)
    return [word if _is_plain(word, is_sweep) else _quoted(word, is_sweep) for word in words]


def _is_plain(word: str, is_sweep: bool) -> bool:
    """Return True for what is no file, and for what Hydra reads as one name, or in a sweep as several."""
    name, _, value = word.partition("=")
    if name.lstrip("+") not in PATHS or not value:
        return True
    try:
        parsed = OverridesParser.create().parse_override(word)
    except HydraException:
        return False
    if parsed.is_sweep_override():
        return is_sweep or not Path(value).exists()
    return parsed.value() is None or isinstance(parsed.value(), str)


def _quoted(word: str, is_sweep: bool) -> str:
    name, _, value = word.partition("=")
    files = value.split(",") if is_sweep else [value]
    return f"{name}=" + ",".join('"{}"'.format(file.replace('"', r"\"")) for file in files)


def _format_error(error: BaseException) -> str:
    """Name the wrong option or choice and the nearest right ones; of other errors give the first lines."""
    if isinstance(error, OverrideParseException) and "=" not in error.override and "." in error.override:
        return f"{error.override} is no option: a file of your own is shape.path={error.override}"
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        kind, _, file = error.missing_cfg_file.partition("/")
        if kind == "shape" and "." in file:
            return f"there is no shape={file}: a file of your own is shape.path={file}"
        group, _, name = error.missing_cfg_file.rpartition("/")
        folder = CONFIGS / group
        options = error.options or [path.stem for path in folder.glob("*.yaml")]
        return f"there is no {group}={name}: choose from {', '.join(sorted(options))}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    summary = "; ".join(line.removesuffix(".") for line in lines[:2] if not line.startswith("See http"))
    if suggestion := _nearest_option(error):
        return f"there is no option {suggestion[0]}: did you mean {suggestion[1]}? {ALL_OPTIONS}"
    if summary.startswith("Ambiguous value"):
        return f"{lines[0]}: give one, or add -m for one run of each"
    if isinstance(error, ConfigCompositionException):
        return f"{summary}; {ALL_OPTIONS}"
    return summary


def _nearest_option(error: BaseException) -> tuple[str, str] | None:
    """Find the unknown option, and the known one most similar in its full name or its last part."""
    cause: Any = error.__cause__
    if not isinstance(cause, OmegaConfBaseException) or not isinstance(cause.parent_node, DictConfig):
        return None
    wrong = str(cause.full_key)
    is_of_hydra = wrong.startswith("hydra")
    names = [
        name for name in _names(cause.parent_node._get_root()) if is_of_hydra or not name.startswith("hydra.")
    ]
    by_last = {name.rpartition(".")[2]: name for name in reversed(names)}
    found = get_close_matches(wrong, names, 1, SIMILAR)
    if not found:
        found = [by_last[word] for word in get_close_matches(wrong.rpartition(".")[2], by_last, 1, SIMILAR)]
    return (wrong, found[0]) if found else None


def _names(config: Any, prefix: str = "") -> Iterator[str]:
    """List the full names of all options, nested ones too, but for those of recipes."""
    for key in config:
        if key == "quality":
            continue
        yield f"{prefix}{key}"
        value = config._get_node(key)
        if isinstance(value, DictConfig) and not (value._is_none() or value._is_interpolation()):
            yield from _names(value, f"{prefix}{key}.")


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
