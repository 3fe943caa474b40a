"""Piecewise-affine activations and pairwise extremes, one rectification for each kink.

    leaky(z)   = (1 - slope) relu(z) + slope z        |z| = 2 relu(z) - z
    max(a, b)  = b + relu(a - b)                      min(a, b) = a - relu(a - b)
    clamp(z)   = low + relu(z - low) - relu(z - high)

The rectification of a value is recorded once, so that max(a, b) and min(a, b) share their creases.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from creased.core.numerics.tolerance import is_power_of_two
from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.values import Value
from creased.networks.lowering.operators.arithmetic import Operation, add, by_name, depends_on_input, mul, sub


def relu(tape: Tape, x: Value, inplace: bool = False) -> Value:
    """Record max(x, 0)."""
    return tape.rectify(x)


def _blend(hidden: Tensor, x: Tensor, slope: float) -> Tensor:
    """Return (1 - slope) relu(x) + slope x, given hidden = relu(x)."""
    return (1 - slope) * hidden + slope * x


def leaky_relu(tape: Tape, x: Value, negative_slope: float = 0.01, inplace: bool = False) -> Value:
    """Record x where x > 0, else negative_slope x."""
    if negative_slope == 0:
        return tape.rectify(x)
    if negative_slope == 1:
        return x
    return _with_slope(tape, x, negative_slope)


def _with_slope(tape: Tape, x: Value, slope: Any) -> Value:
    """Record relu(x) + slope min(x, 0), in one step where no product with the slope is rounded."""
    hidden = tape.rectify(x)
    if is_power_of_two(slope):
        return tape.apply(_blend, hidden, x, slope)
    return add(tape, hidden, mul(tape, sub(tape, x, hidden), slope))


def prelu(tape: Tape, x: Value, weight: Value) -> Value:
    """Record x where x > 0, else weight x; the weight has one entry, or one a channel."""
    if depends_on_input(weight):
        raise Refusal("prelu with a slope that depends on the input is not piecewise affine")
    if weight.sample.numel() > 1 and x.sample.ndim > 2:
        weight = tape.apply(torch.reshape, weight, (-1, *[1] * (x.sample.ndim - 2)))
    return _with_slope(tape, x, weight)


def rrelu(
    tape: Tape,
    x: Value,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Value:
    """Record leaky_relu with the mean slope, as in eval mode."""
    if training:
        raise Refusal("rrelu with training=True is random; pass training=self.training")
    return leaky_relu(tape, x, (lower + upper) / 2)


def absolute(tape: Tape, x: Value) -> Value:
    """Record abs(x)."""
    return _with_slope(tape, x, -1)


def maximum(tape: Tape, x: Any, other: Any) -> Value:
    """Record max(x, other); one of the two may be constant."""
    x, other = _in_order(x, other)
    return add(tape, tape.rectify(sub(tape, x, other)), other)


def minimum(tape: Tape, x: Any, other: Any) -> Value:
    """Record min(x, other); one of the two may be constant."""
    x, other = _in_order(x, other)
    return sub(tape, x, tape.rectify(sub(tape, x, other)))


def _in_order(x: Any, other: Any) -> tuple[Any, Any]:
    """Sort two arguments, a constant last, so that max(a, b) and min(b, a) share a rectification."""
    if not depends_on_input(x) or (depends_on_input(other) and other.index < x.index):
        return other, x
    return x, other


def clamp(tape: Tape, x: Value, min: Any = None, max: Any = None) -> Value:  # noqa: A002 - torch's names
    """Record min(max(x, min), max)."""
    if min is None and max is None:
        raise Refusal("clamp needs min or max")
    if max is None:
        return maximum(tape, x, min)
    if min is None:
        return minimum(tape, x, max)
    if depends_on_input(min) or depends_on_input(max):
        return minimum(tape, maximum(tape, x, min), max)
    if bool((_tensor_of(min) > _tensor_of(max)).any()):
        raise Refusal(f"clamp needs min <= max, got min={min} and max={max}")
    below, above = (tape.rectify(sub(tape, x, bound)) for bound in (min, max))
    return add(tape, sub(tape, below, above), min)


def _tensor_of(bound: Any) -> Tensor:
    return torch.as_tensor(bound.sample if isinstance(bound, Value) else bound)


def hardtanh(tape: Tape, x: Value, min_val: float = -1, max_val: float = 1, inplace: bool = False) -> Value:
    """Record x clamped to [min_val, max_val]."""
    return clamp(tape, x, min_val, max_val)


def relu6(tape: Tape, x: Value, inplace: bool = False) -> Value:
    """Record x clamped to [0, 6]."""
    return clamp(tape, x, 0, 6)


def hardsigmoid(tape: Tape, x: Value, inplace: bool = False) -> Value:
    """Record x / 6 + 1 / 2, clamped to [0, 1]."""
    return mul(tape, clamp(tape, add(tape, x, 3), 0, 6), 1 / 6)


def threshold(tape: Tape, x: Value, threshold: float, value: float, inplace: bool = False) -> Value:
    """Record x above a threshold, else the threshold, which the value must equal."""
    if threshold != value:
        raise Refusal(
            f"threshold {threshold:g} with value {value:g} is not continuous; the nearest "
            "supported has value = threshold"
        )
    return maximum(tape, x, threshold)


def softshrink(tape: Tape, x: Value, lambd: float = 0.5) -> Value:
    """Record x - clamp(x, -lambd, lambd)."""
    return sub(tape, x, clamp(tape, x, -lambd, lambd))


PIECEWISE: dict[str, Operation] = {
    **by_name(relu, leaky_relu, prelu, rrelu, absolute, maximum, minimum, clamp),
    **by_name(hardtanh, relu6, hardsigmoid, threshold, softshrink),
    **dict.fromkeys(("fmax", "clamp_min"), maximum),
    **dict.fromkeys(("fmin", "clamp_max"), minimum),
    "abs": absolute,
    "clip": clamp,
}
