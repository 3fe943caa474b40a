"""Masks and selections by the sign of a value: continuous ones become rectifications.

    where(d > 0, a, b) = b + s relu(d)        if a - b = s d where d > 0, with s constant

Both sides are compared as combinations of earlier values, with relu(k d) = k d or 0 on the side in question.
What is chosen by a sign is marked in the trace, and refused where both sides are not seen to agree.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from creased.networks.lowering.graph.refusals import NEAREST_SWITCH, Refusal, unsupported_reason
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.values import CASTS, Value, find_values
from creased.networks.lowering.operators.arithmetic import Operation, add, mul, sub
from creased.networks.lowering.operators.combinations import (
    Constant,
    computed,
    expand,
    on_side,
    product,
    quotient,
)


@dataclass(frozen=True, eq=False)
class Switch(Value):
    """One of two constants by the sign of a value d; as a `Value` it is d."""

    above: Constant  # where d > 0
    below: Constant  # where d < 0
    name: str  # of the function that made it


@dataclass(frozen=True, eq=False)
class Undecided(Value):
    """A question about values of the input, which an assertion may ask."""


def _compared(name: str, *, is_less: bool) -> Operation:
    def operation(tape: Tape, x: Any, other: Any) -> Switch:
        difference = sub(tape, other, x) if is_less else sub(tape, x, other)
        return Switch(difference.index, difference.level, difference.sample, True, False, name)

    return operation


def _undecided(tape: Tape, *args: Any, **kwargs: Any) -> Undecided:
    value = next(value for value in find_values((args, kwargs)) if not value.is_constant)
    return Undecided(value.index, value.level, value.sample)


def _sign(tape: Tape, x: Value) -> Switch:
    return Switch(x.index, x.level, x.sample, 1, -1, "sign")


def _heaviside(tape: Tape, x: Value, values: Any) -> Switch:
    return Switch(x.index, x.level, x.sample, 1, 0, "heaviside")


def where(tape: Tape, condition: Any, x: Any, other: Any) -> Value:
    """Record x where the condition holds, else the other."""
    if isinstance(x, Switch) and not isinstance(condition, Switch):
        condition, x = x, condition  # the method has the condition second
    if not isinstance(condition, Switch):
        if any(not value.is_constant for value in find_values(condition)):
            raise Refusal(_refusal("where"))
        blend = tape.apply(_as_number, condition)
        return add(tape, other, mul(tape, sub(tape, x, other), blend))
    if others := [part for part in (x, other) if isinstance(part, Switch)]:
        raise Refusal(unsupported_reason(others[0].name))
    above, below = (x, other) if condition.above is True else (other, x)
    if all(value.is_constant for value in find_values((x, other))):
        above, below = (float(torch.tensor(c)) if isinstance(c, float) else c for c in (above, below))
        return replace(condition, above=above, below=below)
    argument = Value(condition.index, condition.level, condition.sample)
    return _selected(tape, "where", argument, above, below)


def masked_fill(tape: Tape, x: Any, mask: Any, value: Any) -> Value:
    """Record the value where the mask holds, else x."""
    return where(tape, mask, value, x)


def record_switched(tape: Tape, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Record a function of what is chosen by a sign.

    Raises:
        Refusal: the result is not continuous, or the function is not known to be.
    """
    values = [value for value in find_values((args, kwargs)) if not value.is_constant]
    if name in ("all", "any", "and", "or", "xor", "logical_and", "logical_or"):
        return _undecided(tape, *values)
    if name in SELECTING:
        return SELECTING[name](tape, *args, **kwargs)
    switch = next((value for value in values if isinstance(value, Switch)), None)
    if switch is None or any(isinstance(value, Undecided) for value in values):
        raise Refusal("control flow depends on the values of the input")
    if name in CASTS or name in ("clone", "detach", "contiguous", "bool"):
        return switch
    if name in ("invert", "logical_not", "bitwise_not"):
        return replace(switch, above=switch.below, below=switch.above)
    if name in ("neg", "negative"):
        return _mapped(tape, switch, lambda c: product(tape, c, -1))
    function = OF_TWO.get(name)
    if function is None or len(args) != 2 or kwargs:
        raise Refusal(unsupported_reason(switch.name))
    first, second = args
    if len(values) == 1:
        return _mapped(
            tape, switch, lambda c: computed(tape, function, *(c if arg is switch else arg for arg in args))
        )
    x = second if first is switch else first
    if function is not operator.mul or isinstance(x, Switch):
        raise Refusal(unsupported_reason(switch.name))
    argument = Value(switch.index, switch.level, switch.sample)
    return _selected(
        tape, name, argument, *(mul(tape, x, _number(tape, c)) for c in (switch.above, switch.below))
    )


def _mapped(tape: Tape, switch: Switch, function: Callable[[Any], Any]) -> Switch:
    above, below = (function(_number(tape, c)) for c in (switch.above, switch.below))
    return replace(switch, above=above, below=below)


def _number(tape: Tape, constant: Constant) -> Constant:
    """Return a number in place of a truth value."""
    return float(constant) if isinstance(constant, bool) else constant


def _as_number(condition: Tensor) -> Tensor:
    return condition.to(torch.get_default_dtype())


def _selected(tape: Tape, name: str, argument: Value, above: Any, below: Any) -> Value:
    """Record ``above`` where the argument is positive, else ``below``.

    Raises:
        Refusal: they do not agree, or cannot be seen to agree, where the argument is zero.
    """
    direction = expand(tape, argument)
    steps = on_side(tape, direction, expand(tape, sub(tape, above, below)))
    factor = quotient(tape, steps, direction)
    if factor is None:
        raise Refusal(_refusal(name))
    bent = tape.rectify(argument)
    is_one = isinstance(factor, int | float) and factor == 1
    return add(tape, bent if is_one else mul(tape, bent, factor), below)


def _refusal(name: str) -> str:
    return (
        f"{name}: both sides must agree where the sign changes, and are not seen to: it may not be "
        f"continuous; the nearest supported is {NEAREST_SWITCH}"
    )


SELECTING: dict[str, Operation] = {"where": where, "masked_fill": masked_fill}
OF_TWO: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("mul", "rmul", "multiply"), operator.mul),
    **dict.fromkeys(("add", "radd"), operator.add),
    **dict.fromkeys(("sub", "subtract"), operator.sub),
    **dict.fromkeys(("div", "truediv", "true_divide", "divide"), operator.truediv),
}
SWITCHES: dict[str, Operation] = {
    **SELECTING,
    **{name: _compared(name, is_less=False) for name in ("gt", "ge", "greater", "greater_equal")},
    **{name: _compared(name, is_less=True) for name in ("lt", "le", "less", "less_equal")},
    **dict.fromkeys(("eq", "ne", "allclose", "equal"), _undecided),
    **dict.fromkeys(("sign", "sgn"), _sign),
    "heaviside": _heaviside,
}
