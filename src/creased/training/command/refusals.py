"""Format Hydra's refusals of a command line in one line, with the nearest names that there are."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from hydra.errors import ConfigCompositionException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from creased.training.options.names import CONFIGS, SIMILAR

ALL_OPTIONS = "./run train --cfg job shows every option"


def format_refusal(error: BaseException) -> str:
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
