"""Operations that are piecewise affine: each is written with as few rectifications as it has kinks.

    leaky(z)   = (1 - slope) relu(z) + slope z        |z| = 2 relu(z) - z
    max(a, b)  = b + relu(a - b)                      min(a, b) = a - relu(a - b)
    clamp(z)   = low + relu(z - low) - relu(z - high)

Rectifications of one value are recorded once, so that max(a, b) and min(a, b) share their creases.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.slots import Slot
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.operators.arithmetic import Operation, add, depends, mul, sub


def relu(tape: Tape, x: Slot, inplace: bool = False) -> Slot:
    """max(x, 0)."""
    return tape.rectify(x)


def _blend(hidden: Tensor, x: Tensor, slope: Tensor | float) -> Tensor:
    """(1 - slope) relu(x) + slope x."""
    return (1 - slope) * hidden + slope * x


def leaky_relu(tape: Tape, x: Slot, negative_slope: float = 0.01, inplace: bool = False) -> Slot:
    """X where it is positive, else a multiple of it."""
    if negative_slope == 0:
        return tape.rectify(x)
    if negative_slope == 1:
        return x
    return tape.apply(_blend, tape.rectify(x), x, negative_slope)


def prelu(tape: Tape, x: Slot, weight: Slot) -> Slot:
    """The same with a learnt slope, one or one a channel."""
    if depends(weight):
        raise Refusal("prelu with a slope that depends on the input is not piecewise affine")
    if weight.sample.numel() > 1 and x.sample.ndim > 2:
        weight = tape.apply(torch.reshape, weight, (-1, *[1] * (x.sample.ndim - 2)))
    return tape.apply(_blend, tape.rectify(x), x, weight)


def rrelu(
    tape: Tape,
    x: Slot,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Slot:
    """Leaky by the mean slope, as in eval mode."""
    if training:
        raise Refusal("rrelu with training=True is random; give it training=self.training")
    return leaky_relu(tape, x, (lower + upper) / 2)


def absolute(tape: Tape, x: Slot) -> Slot:
    """|x|."""
    return tape.apply(_blend, tape.rectify(x), x, -1)


def maximum(tape: Tape, x: Any, other: Any) -> Slot:
    """The larger of two, of which one may be constant."""
    x, other = _in_order(x, other)
    return add(tape, tape.rectify(sub(tape, x, other)), other)


def minimum(tape: Tape, x: Any, other: Any) -> Slot:
    """The smaller of two, of which one may be constant."""
    x, other = _in_order(x, other)
    return sub(tape, x, tape.rectify(sub(tape, x, other)))


def _in_order(x: Any, other: Any) -> tuple[Any, Any]:
    """The two in one order, however they were given, so that their creases are recorded once."""
    if not depends(x) or (depends(other) and other.index < x.index):
        return other, x
    return x, other


def clamp(tape: Tape, x: Slot, min: Any = None, max: Any = None) -> Slot:  # noqa: A002 - torch's names
    """X, but not below one bound and not above the other."""
    if min is None and max is None:
        raise Refusal("clamp without bounds")
    if max is None:
        return maximum(tape, x, min)
    if min is None:
        return minimum(tape, x, max)
    if depends(min) or depends(max):
        return minimum(tape, maximum(tape, x, min), max)
    if bool((_value(min) > _value(max)).any()):
        raise Refusal(f"clamp with min above max, {min} above {max}")
    below, above = (tape.rectify(sub(tape, x, bound)) for bound in (min, max))
    return add(tape, sub(tape, below, above), min)


def _value(bound: Any) -> Tensor:
    return torch.as_tensor(bound.sample if isinstance(bound, Slot) else bound)


def hardtanh(tape: Tape, x: Slot, min_val: float = -1, max_val: float = 1, inplace: bool = False) -> Slot:
    """Clamped to an interval."""
    return clamp(tape, x, min_val, max_val)


def relu6(tape: Tape, x: Slot, inplace: bool = False) -> Slot:
    """Clamped to [0, 6]."""
    return clamp(tape, x, 0, 6)


def hardsigmoid(tape: Tape, x: Slot, inplace: bool = False) -> Slot:
    """X / 6 + 1 / 2, clamped to [0, 1]."""
    return mul(tape, clamp(tape, add(tape, x, 3), 0, 6), 1 / 6)


def threshold(tape: Tape, x: Slot, threshold: float, value: float, inplace: bool = False) -> Slot:
    """X above a threshold, else a value."""
    if threshold != value:
        raise Refusal(
            f"threshold {threshold:g} with value {value:g} is not continuous; the nearest supported has them "
            "equal"
        )
    return maximum(tape, x, threshold)


def softshrink(tape: Tape, x: Slot, lambd: float = 0.5) -> Slot:
    """X moved towards zero by lambd, where it stays."""
    return sub(tape, x, clamp(tape, x, -lambd, lambd))


PIECEWISE: dict[str, Operation] = {
    "relu": relu,
    "leaky_relu": leaky_relu,
    "prelu": prelu,
    "rrelu": rrelu,
    "abs": absolute,
    "absolute": absolute,
    "maximum": maximum,
    "fmax": maximum,
    "minimum": minimum,
    "fmin": minimum,
    "clamp": clamp,
    "clip": clamp,
    "clamp_min": maximum,
    "clamp_max": minimum,
    "hardtanh": hardtanh,
    "relu6": relu6,
    "hardsigmoid": hardsigmoid,
    "threshold": threshold,
    "softshrink": softshrink,
}
