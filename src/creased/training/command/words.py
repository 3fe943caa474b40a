"""Words of a command line as Hydra reads them: names of files need no quotes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from creased.training.options.roles import role_of


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
    if not role_of(name.lstrip("+")).is_file or not value:
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
