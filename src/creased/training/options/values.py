"""Check the numbers in a configuration, by name, before any work."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from importlib.util import find_spec
from typing import Any, NamedTuple

import lightning as L
from omegaconf import DictConfig, OmegaConf

from creased.core.options import METHODS
from creased.extras import how_to_install
from creased.training.options.names import OptionError


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


LOGGED = (
    "val/surface_error",
    "loss",
    "faces",
    "extract_s",
    *(
        f"mesh/{name}"
        for name in ("vertices", "components", "euler_characteristic", "is_closed", "area", "volume")
    ),
    "mesh/stale",
)
HALF = ("bf16-true", "16-true", "transformer-engine", "transformer-engine-float16")


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
    if isinstance(activation := OmegaConf.select(cfg, "model.activation"), str):
        raise OptionError(
            f"model.activation takes a class of modules, not {activation!r}: give "
            "model.activation.path=torch.nn.ReLU, or model=leaky, maxout, group_sort"
        )
    _require_habits(cfg)
    precision = str(OmegaConf.select(cfg, "trainer.precision"))
    if precision in HALF:
        raise OptionError(
            f"trainer.precision={precision} rounds weights to three digits, too coarse for a shape; "
            "take bf16-mixed, 16-mixed, 32-true or 64-true"
        )


def _require_habits(cfg: DictConfig) -> None:
    """Check options of which one asks for another."""

    def given(name: str) -> Any:
        return OmegaConf.select(cfg, name)

    if given("extras.enforce_tags") and not given("tags"):
        raise OptionError("extras.enforce_tags is set, and there are no tags: give tags=[WORD,...]")
    if given("train") is False and given("ckpt_path") is None:
        raise OptionError("train=false evaluates a run: give ckpt_path=RUN, or last")
    if "tensorboard" in (given("logger") or ()) and not any(map(find_spec, ("tensorboard", "tensorboardX"))):
        raise OptionError(f"logger=tensorboard needs tensorboard: {how_to_install('tensorboard')}")
    batch, n_samples = given("data.batch_size"), given("data.n_samples")
    if batch and n_samples and batch > n_samples:
        raise OptionError(f"data.batch_size={batch} needs data.n_samples of {batch} or more; got {n_samples}")
    is_bounded = (given("trainer.max_steps") or -1) >= 0 or given("trainer.max_time")
    if given("trainer.max_epochs") == -1 and not is_bounded:
        raise OptionError("trainer.max_epochs=-1 never ends: give +trainer.max_steps=N, or +trainer.max_time")


def require_monitored(callbacks: Iterable[L.Callback], terms: Iterable[str]) -> None:
    """Refuse callbacks that monitor a value which nobody logs; those of other packages may log any.

    Args:
        callbacks: of the trainer.
        terms: names of losses and regularizers.

    Raises:
        OptionError: naming the callback, the value and the nearest ones.
    """
    callbacks = list(callbacks)
    if not all(type(callback).__module__.startswith(("creased.", "lightning.")) for callback in callbacks):
        return
    known = [*LOGGED, *(f"train/{name}" for name in ("loss", *terms))]
    for callback in callbacks:
        name = getattr(callback, "monitor", None)
        if name is not None and name not in known and not name.startswith("complexity"):
            raise OptionError(
                f"{type(callback).__name__} monitors {name}, which nobody logs: did you mean "
                f"{', '.join(_nearest(name, known))}?"
            )


def _nearest(name: str, known: Sequence[str]) -> list[str]:
    """List the three names that share most words with one, and are most like it in spelling."""

    def likeness(other: str) -> tuple[int, float]:
        words, others = (set(re.split(r"[/_]", text)) for text in (name, other))
        return len(words & others), SequenceMatcher(None, name, other).ratio()

    return sorted(known, key=likeness, reverse=True)[:3]


def _fits(option: Option, value: object) -> bool:
    kinds = (int,) if option.kind is int else (int, float)
    if (option.word and value == option.word) or (option.word == FLAG and isinstance(value, bool)):
        return True
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    return is_number and option.least <= value <= option.greatest  # type: ignore[operator]
