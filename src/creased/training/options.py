"""Check the numbers in a configuration, by name, before any work."""

from __future__ import annotations

import math
from typing import NamedTuple

from omegaconf import DictConfig, OmegaConf

from creased.core.options import METHODS


class Option(NamedTuple):
    """A number in the configuration with its bounds; null and missing values pass."""

    name: str
    kind: type[int] | type[float]
    least: float
    greatest: float = math.inf
    word: str = ""  # that may stand for the number


FLAG = "true, false"
OPTIONS = (
    Option("seed", int, 0, 2**32 - 1),
    Option("threads", int, 1, word="auto"),
    Option("viewer", int, 1, 65535, word=FLAG),
    Option("model.width", int, 1),
    Option("model.depth", int, 1),
    Option("data.n_samples", int, 1),
    Option("data.batch_size", int, 1),
    Option("data.n_batches", int, 1),
    Option("data.n_validation", int, 1),
    Option("optimizer.lr", float, 0),
    Option("trainer.max_epochs", int, -1),
    Option("evaluation.budget", float, 0),
)


HALF = ("bf16-true", "16-true", "transformer-engine", "transformer-engine-float16")


class OptionError(ValueError):
    """An option whose value is no number, or out of bounds."""


def require_options(cfg: DictConfig) -> None:
    """Check all of `OPTIONS`, the method of the final extraction, and the precision of the weights.

    Raises:
        OptionError: naming the option, its constraint and the value received.
    """
    for option in OPTIONS:
        value = OmegaConf.select(cfg, option.name)
        if value is not None and not _fits(option, value):
            word = f"{option.word} or " if option.word else ""
            kind = "a whole number" if option.kind is int else "a number"
            bound = "" if math.isinf(option.greatest) else f", at most {option.greatest}"
            raise OptionError(
                f"{option.name} takes {word}{kind}, at least {option.least}{bound}; got {value!r}"
            )
    method = OmegaConf.select(cfg, "evaluation.method")
    if method is not None and method not in METHODS:
        raise OptionError(f"evaluation.method takes one of {', '.join(METHODS)}; got {method!r}")
    precision = str(OmegaConf.select(cfg, "trainer.precision"))
    if precision in HALF:
        raise OptionError(
            f"trainer.precision={precision} rounds weights to three digits, too coarse for a shape; "
            "take bf16-mixed, 16-mixed, 32-true or 64-true"
        )


def _fits(option: Option, value: object) -> bool:
    kinds = (int,) if option.kind is int else (int, float)
    if (option.word and value == option.word) or (option.word == FLAG and isinstance(value, bool)):
        return True
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    return is_number and option.least <= value <= option.greatest  # type: ignore[operator]
