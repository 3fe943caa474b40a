"""Refuse names of options that nothing reads.

Hydra checks the words of a command line, not the keys of an experiment, nor what ``+`` adds. Arguments of a
``_target_`` are compared with what it takes, the options of the final extraction with those of
`extract_level_set`. At the top any name may be added, for interpolations, unless it is nearly one that there
is.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

from hydra.utils import get_object
from omegaconf import DictConfig, ListConfig, OmegaConf

from creased.core.extract_level_set import extract_level_set
from creased.shapes.repair.options import Limits

SIMILAR = 0.75  # difflib's ratio of two words, from which on one is suggested for the other
CONFIGS = Path(__file__).parents[4] / "configs"
OF_CERTIFICATION = "certify"  # the option of `evaluation` that is not of `extract_level_set`


class OptionError(ValueError):
    """An option that there is not, or whose value does not fit."""


def require_names(cfg: DictConfig) -> None:
    """Check the names of all options.

    Raises:
        OptionError: naming the option, and the nearest one.
    """
    for name, known, is_closed in _places(cfg):
        _, _, last = name.rpartition(".")
        nearest = get_close_matches(last, known, 1, SIMILAR)
        if last not in known and (is_closed or nearest):
            group = name.removesuffix(last)
            choice = f"did you mean {group}{nearest[0]}?" if nearest else f"choose from {', '.join(known)}"
            raise OptionError(f"there is no option {name}: {choice}")


def _places(cfg: DictConfig) -> Iterator[tuple[str, Sequence[str], bool]]:
    """List options by full name, each with the names known beside it, and whether these are all."""
    top = _top_names()
    yield from ((str(name), top, False) for name in cfg)
    known = [*_arguments(extract_level_set), OF_CERTIFICATION]
    yield from ((f"evaluation.{name}", known, True) for name in cfg.get("evaluation") or ())
    known = [str(name) for name in OmegaConf.load(CONFIGS / "extras" / "default.yaml")]
    yield from ((f"extras.{name}", known, True) for name in cfg.get("extras") or ())
    known, limits = list(Limits.__annotations__), OmegaConf.select(cfg, "shape.limits")
    yield from ((f"shape.limits.{name}", known, True) for name in map(str, limits or ()))
    known = [str(name) for name in OmegaConf.load(CONFIGS / "callbacks" / "default.yaml")]
    callbacks = cfg.get("callbacks") or DictConfig({})
    yield from ((f"callbacks.{name!s}", known, False) for name in callbacks if callbacks[name] is None)
    for name in map(str, cfg):
        if name not in ("hydra", "quality", "recipe"):
            yield from _arguments_in(cfg._get_node(name), name)


def _top_names() -> list[str]:
    """List the groups and options of `configs/train.yaml`."""
    top: Any = OmegaConf.load(CONFIGS / "train.yaml")
    groups = [next(iter(entry)) for entry in top.defaults if isinstance(entry, DictConfig)]
    names = (str(name) for name in (*groups, *top))
    return [name for name in names if " " not in name and name != "defaults"]


def _arguments_in(node: Any, name: str) -> Iterator[tuple[str, Sequence[str], bool]]:
    """List the arguments of each ``_target_`` in a part of the configuration."""
    if isinstance(node, ListConfig) and not (node._is_none() or node._is_interpolation()):
        for index in range(len(node)):
            yield from _arguments_in(node._get_node(index), f"{name}.{index}")
    if not isinstance(node, DictConfig) or node._is_none() or node._is_interpolation():
        return
    known = arguments_of(node)
    for key in map(str, node):
        if known and not key.startswith("_"):
            yield f"{name}.{key}", known, True
        yield from _arguments_in(node._get_node(key), f"{name}.{key}")


def arguments_of(node: DictConfig) -> list[str]:
    """List the arguments of the ``_target_`` of a node; none if it takes any, or is not found."""
    target = node.get("_target_")
    try:
        return _arguments(get_object(target)) if isinstance(target, str) else []
    except Exception:  # of importing it, which instantiating it will say
        return []


def _arguments(function: Any) -> list[str]:
    """List the arguments that can be given by name; none if any can."""
    names: list[str] = []
    for argument in inspect.signature(function).parameters.values():
        if argument.kind is argument.VAR_KEYWORD:
            alone = SimpleNamespace(__annotations__={"it": argument.annotation})
            module = vars(sys.modules[function.__module__])  # may lack names in annotations of others
            keywords = get_args(get_type_hints(alone, module)["it"])  # of Unpack[a TypedDict]
            if not keywords:
                return []
            names += keywords[0].__annotations__
        elif argument.kind is not argument.POSITIONAL_ONLY:
            names.append(argument.name)
    return names
