"""Complete the command line of a resumed run by the options that it was begun with.

`ckpt_path=RUN` alone goes on with RUN's own configuration: Hydra's overrides of RUN, in `RUN/.hydra/`, come
before those of the command line, which replace those of the same name. In a sweep each job does so by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from creased.io.runs import as_named
from creased.training.options.names import CONFIGS
from creased.training.options.roles import role_of
from creased.training.runs.folders import ResumeError, find_checkpoint, hash_of_given, is_follower, run_of


def replayed(words: Sequence[str]) -> list[str]:
    """Complete the words of a command line that resumes a run; return those of any other as they are.

    Raises:
        ResumeError: there is no such run.
        ShapeError: the shape that is given cannot be read.
    """
    words = list(words)
    given = {key: word for word in words if (key := _key(word))}
    if "ckpt_path" not in given or is_follower():
        return words
    if not {"-m", "--multirun"}.isdisjoint(words):
        _require_runs(given)
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


def replayed_job(cfg: DictConfig) -> DictConfig:
    """Compose a job of a sweep that resumes a run anew, with the options that the run was begun with.

    Args:
        cfg: the configuration of any run; returned as it is, unless it is such a job.

    Raises:
        ResumeError: there is no such run.
        ShapeError: the shape that is given cannot be read.
    """
    if not HydraConfig.initialized() or HydraConfig.get().mode != RunMode.MULTIRUN or cfg.ckpt_path is None:
        return cfg
    own: Any = HydraConfig.get()
    words = replayed(own.overrides.task)
    with _composing():
        found = compose("train", words, return_hydra_config=True)
    with read_write(own):
        own.overrides.task, own.runtime.choices = words, found.hydra.runtime.choices
    with read_write(found), open_dict(found):
        del found["hydra"]
    return found


def _require_runs(given: dict[str, str]) -> None:
    """Refuse a sweep whose jobs would all go on with one and the same run."""
    checkpoint = _parse(given["ckpt_path"])
    is_one = not checkpoint.is_sweep_override() and checkpoint.value() not in (None, "last")
    swept = [key for key, word in given.items() if key != "ckpt_path" and _parse(word).is_sweep_override()]
    if is_one and swept and given.get("train", "").lower() != "train=false":
        raise ResumeError(
            f"each value of {swept[0]} would go on with the same run: start_from={checkpoint.value()} begins "
            "new runs from its weights"
        )


def _earlier(run: Path, given: dict[str, str]) -> list[str]:
    """List the overrides of a run that the command line does not give anew."""
    kept = []
    for word in OmegaConf.load(run / ".hydra" / "overrides.yaml"):
        key = _key(str(word))
        is_replaced = key in given or any(_replaces(other, key, run) for other in given.values())
        if role_of(key).is_kept and not is_replaced:
            kept.append(_moved(run, str(word)) if role_of(key).is_file else str(word))
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
        with _composing():
            plain, asked = compose("train"), compose("train", words)
    except (HydraException, OmegaConfBaseException):
        return None
    sha256 = hash_of_given(asked.shape) if _names_shape(words, plain, asked) else ""
    return find_checkpoint(named, asked.paths.runs, sha256)


def _composing() -> AbstractContextManager[Any]:
    """Let `compose` find the configurations; where Hydra runs it does, but for workers of its launchers."""
    if GlobalHydra.instance().is_initialized():
        return nullcontext()
    return initialize_config_dir(str(CONFIGS), version_base="1.3")


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
