"""Name, licence and credit of a shape: those of its configuration, unless it is a user's file.

A user's file has its own name and no licence, but for what was given: by the command line, by a job of a
sweep, or by an experiment. That is what differs from the file of the shape that is chosen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

FACTS = ("name", "licence", "credit")


def settle_shape(cfg: DictConfig) -> None:
    """Replace source, name, licence and credit in a configuration whose shape is a user's file."""
    if cfg.shape.path is not None:
        own: dict[str, Any] = {"source": None, "name": label_shape(cfg.shape.name, cfg.shape.path)}
        given = given_facts(cfg.shape)
        _replace(cfg, own | dict.fromkeys({"licence", "credit"} - given, ""))


def forget_shape(cfg: DictConfig) -> None:
    """Take source, name, licence and credit from a configuration whose shapes are several files."""
    given = given_facts(cfg.shape)
    _replace(cfg, {"source": None} | {fact: None for fact in FACTS if fact not in given})


def _replace(cfg: DictConfig, own: dict[str, Any]) -> None:
    """Replace parts of the shape, which interpolations may name and Hydra may have made read-only."""
    with_own = OmegaConf.merge({"shape": cfg.shape}, {"shape": own}).shape
    readonly = cfg._get_flag("readonly")
    OmegaConf.set_readonly(cfg, False)
    cfg.shape = with_own
    OmegaConf.set_readonly(cfg, readonly)


def label_shape(name: str | None, path: str | None) -> str:
    """Name a shape: by its own name, or the one given for a user's file, or else by that of the file."""
    is_named = path is None or name is None or "name" in given_facts({"name": name})
    return name if is_named and name is not None else Path(path or "").stem


def given_facts(shape: Any) -> set[str]:
    """List the facts of a shape, such as ``name``, that are not those of the shape that is chosen.

    Args:
        shape: its configuration, or parts of it.
    """
    if not HydraConfig.initialized():
        return set()
    own = HydraConfig.get()
    parsed = OverridesParser.create().parse_overrides(list(own.overrides.task))
    keys = {override.key_or_group.removeprefix("shape.") for override in parsed}
    chosen = _read_chosen(own)
    return {
        fact
        for fact in FACTS
        if fact in keys or (fact in chosen and fact in shape and chosen[fact] != shape[fact])
    }


def _read_chosen(own: Any) -> dict[str, Any]:
    """Read the file of the shape that is chosen, as it stands; empty if it is not found."""
    choice = OmegaConf.select(own, "runtime.choices.shape")
    folders = [source.path for source in own.runtime.config_sources if source.schema == "file"]
    found = [file for folder in folders if (file := Path(folder) / "shape" / f"{choice}.yaml").is_file()]
    return OmegaConf.to_container(OmegaConf.load(found[0]), resolve=False) if found else {}  # type: ignore[return-value]
