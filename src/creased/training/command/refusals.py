"""Format Hydra's refusals of a command line in one line, with the nearest names that there are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from hydra._internal.utils import get_args_parser
from hydra.errors import ConfigCompositionException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from creased.training.options.names import CONFIGS, SIMILAR
from creased.training.options.nearest import format_unknown


def refuse_dashes(words: Sequence[str]) -> None:
    """Refuse options with dashes, as other programs have them.

    Raises:
        OverrideParseException: naming the first, and how it is written here.
    """
    for word in get_args_parser().parse_known_args(list(words))[1]:
        if word.startswith("-"):
            raise OverrideParseException(word, "")


def format_refusal(error: BaseException) -> str:
    """Name the wrong option or choice and the nearest right ones; of other errors give the first lines."""
    if isinstance(error, OverrideParseException) and (
        "=" not in error.override or error.override.startswith("-")
    ):
        return _format_word(error.override)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _format_choice(error.missing_cfg_file, error.options)
    if (unknown := _unknown_option(error)) is not None:
        return format_unknown(*unknown)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    summary = "; ".join(line.removesuffix(".") for line in lines[:2] if not line.startswith("See http"))
    if summary.startswith("Ambiguous value"):
        return f"{lines[0]}: give one, or add -m for one run of each"
    return summary


def _format_word(word: str) -> str:
    """Say how a word that is no option is written as one."""
    name, _, value = word.lstrip("-").partition("=")
    if "." in word and not word.startswith("-"):
        return f"{word} is no option: a file of your own is shape.path={word}"
    groups = {path.stem: path.parent.name for path in sorted(CONFIGS.glob("*/*.yaml"), reverse=True)}
    if not word.startswith("-") and (near := get_close_matches(name, groups, 1, SIMILAR)):
        return f"{word} is no option: did you mean {groups[near[0]]}={near[0]}?"
    return f"{word} is no option: write {name}={value or 'VALUE'}"


def _format_choice(file: str, options: Sequence[str] | None) -> str:
    """Name the choices of a group, and the nearest one."""
    group, _, name = file.rpartition("/")
    if group.partition("/")[0] == "shape" and ("." in name or group != "shape"):
        own = file.removeprefix("shape/")
        return f"there is no shape={own}: a file of your own is shape.path={own}"
    known = sorted(options or (path.stem for path in (CONFIGS / group).glob("*.yaml")))
    near = "".join(f"did you mean {group}={each}? " for each in get_close_matches(name, known, 1, SIMILAR))
    return f"there is no {group}={name}: {near}choose from {', '.join(known)}"


def _unknown_option(error: BaseException) -> tuple[str, DictConfig | None] | None:
    """Find the option that there is not, and the configuration as far as it is known."""
    cause: Any = error.__cause__
    if isinstance(cause, OmegaConfBaseException) and isinstance(cause.parent_node, DictConfig):
        root: Any = cause.parent_node._get_root()
        return str(cause.full_key), root
    named = re.search("(?:override|delete from config.) '(.*?)'", str(error))
    is_unknown = isinstance(error, ConfigCompositionException) and named is not None
    return (named[1], None) if is_unknown and named else None
