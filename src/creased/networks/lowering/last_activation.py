"""Strictly monotone activations behind the last layer: taken off, and remembered to map levels by.

Where f = g(z) with g strictly increasing, {f = level} is {z = g^-1(level)}; z is piecewise affine where f
need not be. A g that decreases is that of -z. A softmax keeps the order of its outputs alone: the classes
that are predicted are those of its arguments, but no level of one output is a level of one argument.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # of torch, and of ONNX


class Monotone(NamedTuple):
    """A strictly increasing function, and its inverse between its bounds."""

    function: Callable[[Tensor], Tensor]
    inverse: Callable[[float], float]
    low: float = -math.inf  # values lie above
    high: float = math.inf  # and below


def _logit(y: float) -> float:
    return math.log(y) - math.log1p(-y)


def _erf() -> Monotone:
    return Monotone(torch.erf, lambda y: float(torch.tensor(y, dtype=torch.float64).erfinv()), -1, 1)


def _softplus(beta: float = 1.0, threshold: float = 20.0) -> Monotone:
    def inverse(y: float) -> float:
        return y if y * beta > threshold else math.log(math.expm1(beta * y)) / beta

    return Monotone(lambda z: functional.softplus(z, beta, threshold), inverse, 0.0)


def _log_sigmoid() -> Monotone:
    return Monotone(functional.logsigmoid, lambda y: y - math.log(-math.expm1(y)), high=0.0)


def _softsign() -> Monotone:
    return Monotone(functional.softsign, lambda y: y / (1 - abs(y)), -1, 1)


def _elu(alpha: float = 1.0) -> Monotone:
    return Monotone(
        lambda z: functional.elu(z, alpha), lambda y: y if y > 0 else math.log1p(y / alpha), -alpha
    )


def _celu(alpha: float = 1.0) -> Monotone:
    return Monotone(
        lambda z: functional.celu(z, alpha), lambda y: y if y > 0 else alpha * math.log1p(y / alpha), -alpha
    )


def _selu() -> Monotone:
    def inverse(y: float) -> float:
        y /= SELU_SCALE
        return y if y > 0 else math.log1p(y / SELU_ALPHA)

    return Monotone(torch.selu, inverse, -SELU_SCALE * SELU_ALPHA)


MONOTONE: dict[str, Callable[..., Monotone]] = {
    "tanh": lambda: Monotone(torch.tanh, math.atanh, -1, 1),
    "sigmoid": lambda: Monotone(torch.sigmoid, _logit, 0, 1),
    "softplus": _softplus,
    "log_sigmoid": _log_sigmoid,
    "softsign": _softsign,
    "exp": lambda: Monotone(torch.exp, math.log, 0.0),
    "expm1": lambda: Monotone(torch.expm1, math.log1p, -1.0),
    "atan": lambda: Monotone(torch.atan, math.tan, -math.pi / 2, math.pi / 2),
    "erf": _erf,
    "elu": _elu,
    "celu": _celu,
    "selu": _selu,
}
ALIASES = {
    "special_expit": "sigmoid",
    "logsigmoid": "log_sigmoid",
    "logsoftmax": "log_softmax",
    "arctan": "atan",
    "special_erf": "erf",
}
ORDERED: dict[str, Callable[[Tensor], Tensor]] = {
    "softmax": lambda z: z.softmax(1),
    "log_softmax": lambda z: z.log_softmax(1),
    "argmax": lambda z: z.argmax(1, keepdim=True),
}


@dataclass(frozen=True)
class Scaling:
    """The map y -> scale y + offset; tensors of one point (1, ...) or (), float64."""

    scale: Tensor
    offset: Tensor


class Activation(NamedTuple):
    """An activation by its name, with its numbers by keyword."""

    name: str
    numbers: dict[str, float]


@dataclass(frozen=True)
class LastActivation:
    """What stands behind the program that a module was lowered to; the program and it increase together."""

    steps: tuple[Scaling | Activation, ...]

    def __call__(self, values: Tensor) -> Tensor:
        """Map values of the program (n, O) to values of the module."""
        for step in self.steps:
            if isinstance(step, Scaling):
                values = step.scale.to(values) * values + step.offset.to(values)
            elif step.name in ORDERED:
                values = ORDERED[step.name](values)
            else:
                values = MONOTONE[step.name](**step.numbers).function(values)
        return values

    def before(self, level: float, output: int = 0) -> float:
        """Return the value of the program where an output of the module has the value ``level``.

        Raises:
            ValueError: the module does not take the level, or a softmax has no such value.
        """
        value = level
        for step in reversed(self.steps):
            if isinstance(step, Scaling):
                scale, offset = (float(_entry(t, output)) for t in (step.scale, step.offset))
                value = (value - offset) / scale
                continue
            if step.name in ORDERED:
                raise ValueError(
                    f"a level of {step.name} is no level of one of its arguments: give level=None, or take "
                    "the zero level of core.program.combine.difference, where two classes tie"
                )
            activation = MONOTONE[step.name](**step.numbers)
            if not activation.low < value < activation.high:
                between = f"between {activation.low:g} and {activation.high:g}"
                raise ValueError(
                    f"level {level:g} is not taken: the last activation, {self}, has values of {step.name} "
                    f"{between}; choose a level that it takes, such as {self._middle(output):g}"
                )
            value = activation.inverse(value)
        return value

    def _middle(self, output: int) -> float:
        """Return the module's value where the program is zero."""
        n = max([1, *(t.numel() for s in self.steps if isinstance(s, Scaling) for t in (s.scale, s.offset))])
        values = self(torch.zeros((1, n), dtype=torch.float64))
        return float(_entry(values, output))

    def __str__(self) -> str:
        text = "z"
        for step in self.steps:
            text = f"{step.name}({text})" if isinstance(step, Activation) else _scaled(text, step)
        return text

    def as_plain(self) -> list[dict[str, Any]]:
        """Convert to tensors and plain values."""
        return [vars(s) if isinstance(s, Scaling) else s._asdict() for s in self.steps]

    @staticmethod
    def from_plain(values: list[dict[str, Any]]) -> LastActivation:
        """Read what `as_plain` made.

        Raises:
            KeyError: an entry is missing, or an activation is not known.
            TypeError: a number of an activation is another.
        """
        steps: list[Scaling | Activation] = []
        for entry in values:
            if "name" not in entry:
                steps.append(Scaling(entry["scale"].double(), entry["offset"].double()))
                continue
            name, numbers = str(entry["name"]), {k: float(v) for k, v in entry["numbers"].items()}
            if name not in ORDERED:
                MONOTONE[name](**numbers)
            steps.append(Activation(name, numbers))
        return LastActivation(tuple(steps))


def _scaled(text: str, step: Scaling) -> str:
    if step.scale.numel() > 1 or step.offset.numel() > 1:
        return f"scaled({text})"
    scale, offset = float(step.scale), float(step.offset)
    factor = {1.0: "", -1.0: "-"}.get(scale, f"{scale:g} ")
    return f"{factor}{text}" + (f" {'-' if offset < 0 else '+'} {abs(offset):g}" if offset else "")


def _entry(tensor: Tensor, output: int) -> Tensor:
    return tensor.reshape(-1)[output if tensor.numel() > 1 else 0]
