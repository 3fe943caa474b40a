"""Complete the command line of a resumed run by the options that it was begun with.

`ckpt_path=RUN` alone goes on with RUN's own configuration: Hydra's overrides of RUN, in `RUN/.hydra/`, come
before those of the command line, which replace those of the same name. Sweeps are left as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from creased.io.runs import as_named
from creased.training.runs.folders import find_checkpoint, hash_of_given, is_follower, run_of

CONFIGS = Path(__file__).parents[4] / "configs"
OF_ONE_RUN = (
    "ckpt_path",
    "start_from",
    "train",
    "paths.output",
    "logger.wandb.id",
)  # begun with, not gone on with
FILES = ("shape.path",)  # options that name files, relative to where the run was begun


def replayed(words: Sequence[str]) -> list[str]:
    """Complete the words of a command line that resumes a run; return those of any other as they are.

    Raises:
        ResumeError: there is no such run.
        ShapeError: the shape that is given cannot be read.
    """
    words = list(words)
    given = {key: word for word in words if (key := _key(word))}
    if not {"-m", "--multirun"}.isdisjoint(words) or "ckpt_path" not in given or is_follower():
        return words
    named = _parse(given["ckpt_path"]).value()
    if not isinstance(named, str):
        return words
    checkpoint = _find(named, list(given.values()))
    run = None if checkpoint is None else run_of(checkpoint)
    if checkpoint is None or run is None or not (run / ".hydra" / "overrides.yaml").is_file():
        return words
    resumed = str(run if named == "last" or as_named(named).is_dir() else checkpoint).replace('"', r"\"")
    words[words.index(given["ckpt_path"])] = f'ckpt_path="{resumed}"'
    return _earlier(run, given) + words


def _earlier(run: Path, given: dict[str, str]) -> list[str]:
    """List the overrides of a run that the command line does not give anew."""
    kept = []
    for word in OmegaConf.load(run / ".hydra" / "overrides.yaml"):
        key = _key(str(word))
        if key in given or key in OF_ONE_RUN or any(_replaces(other, key, run) for other in given.values()):
            continue
        kept.append(_moved(run, str(word)) if key in FILES else str(word))
    return kept


def _replaces(word: str, key: str, run: Path) -> bool:
    """Return True if a word chooses another member of the group whose option this is."""
    group, _, choice = word.partition("=")
    if not key.startswith(f"{group}."):
        return False
    chosen = OmegaConf.load(run / ".hydra" / "hydra.yaml").hydra.runtime.choices
    return str(chosen.get(group)) != choice


def _moved(run: Path, word: str) -> str:
    """Make the file of an option absolute; it is relative to the folder in which the run was begun."""
    value = _parse(word).value()
    if not isinstance(value, str) or as_named(value).is_absolute():
        return word
    begun = Path(OmegaConf.load(run / ".hydra" / "hydra.yaml").hydra.runtime.cwd)
    return '{}="{}"'.format(word.partition("=")[0], str(begun / value).replace('"', r"\""))


def _find(named: str, words: list[str]) -> Path | None:
    """Find the checkpoint that is named; "last" is of the shape that is given, if one is.

    None: the words compose no configuration, which Hydra is to say.
    """
    if named != "last":
        return find_checkpoint(named, "")
    try:
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            plain, asked = compose("train"), compose("train", words)
    except (HydraException, OmegaConfBaseException):
        return None
    sha256 = hash_of_given(asked.shape) if _names_shape(words, plain, asked) else ""
    return find_checkpoint(named, asked.paths.runs, sha256)


def _names_shape(words: list[str], plain: DictConfig, asked: DictConfig) -> bool:
    is_named = any(key == "shape" or key.startswith("shape.") for key in map(_key, words))
    return is_named or any(
        plain.shape.get(name) != asked.shape.get(name) for name in ("name", "path", "source")
    )


def _key(word: str) -> str:
    """Return the option that an override sets; empty for other words."""
    return (
        ""
        if word.startswith("-") or "=" not in word
        else word.partition("=")[0].lstrip("+~").partition("@")[0]
    )


def _parse(word: str) -> Override:
    return OverridesParser.create().parse_override(word)
