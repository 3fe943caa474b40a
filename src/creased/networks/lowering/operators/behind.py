"""What stands behind the last layer: a monotone activation, and what scales, moves or reshapes its values.

Such values are marked in the trace. Any other operation on them refuses the activation, at its own place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from creased.networks.lowering.graph.refusals import Refusal, UnsupportedModuleError
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.values import CASTS, Value, find_values, substitute
from creased.networks.lowering.last_activation import (
    ALIASES,
    MONOTONE,
    ORDERED,
    Activation,
    LastActivation,
    Scaling,
)
from creased.networks.lowering.operators.arithmetic import one_row
from creased.networks.lowering.operators.tensor_layout import COPIES, PARTS, VIEWS

MOVING = CASTS.union(" ".join([VIEWS, PARTS, COPIES]).split())
SUMS, DIFFERENCES, PRODUCTS = ("add", "radd"), ("sub", "rsub", "subtract"), ("mul", "rmul", "multiply")
QUOTIENTS, NEGATIVES = ("div", "truediv", "true_divide", "divide"), ("neg", "negative")
SCALING = (*SUMS, *DIFFERENCES, *PRODUCTS, *QUOTIENTS, *NEGATIVES)
OPTIONS = {"softplus": ("beta", "threshold"), "elu": ("alpha",), "celu": ("alpha",)}  # by position


@dataclass(frozen=True, eq=False)
class Mapped(Value):
    """A value with an activation behind it; as a `Value` it is what stands before that."""

    last: LastActivation
    refusal: str  # of the activation, if anything follows that is not possible behind it


def is_monotone(name: str) -> bool:
    """True for functions that `record_last` takes."""
    name = ALIASES.get(name, name)
    return name in MONOTONE or name in ("softmax", "log_softmax")


def record_last(x: Value, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], refusal: str) -> Mapped:
    """Mark a value as taken behind an activation.

    Raises:
        UnsupportedModuleError: a softmax is not of the entries of a vector, or follows another activation.
    """
    name = ALIASES.get(name, name)
    given = dict(zip(OPTIONS.get(name, ()), args, strict=False)) | kwargs
    numbers = {key: float(n) for key, n in given.items() if key in OPTIONS.get(name, ())}
    steps = x.last.steps if isinstance(x, Mapped) else ()
    if name in ORDERED:
        dim = kwargs.get("dim", args[0] if args else None)
        allowed = ORDERED.keys() - {"argmax"} if name == "argmax" else set()
        names = {step.name if isinstance(step, Activation) else "" for step in steps}
        if dim not in (1, -1) or x.sample.ndim != 2 or not names <= allowed:
            raise UnsupportedModuleError(refusal)
    elif any(step.name in ORDERED for step in steps if isinstance(step, Activation)):
        raise UnsupportedModuleError(refusal)
    last = LastActivation((*steps, Activation(name, numbers)))
    return Mapped(x.index, x.level, x.sample, last, x.refusal if isinstance(x, Mapped) else refusal)


def record_behind(
    tape: Tape, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Record what follows an activation, on the values before it.

    Raises:
        UnsupportedModuleError: nothing of this kind can follow; the message refuses the activation.
    """
    found = [value for value in find_values((args, kwargs)) if not value.is_constant]
    (x, *others) = found
    assert isinstance(x, Mapped) or others
    marked = next(value for value in found if isinstance(value, Mapped))
    if len(found) > 1 or any(
        step.name in ORDERED for step in marked.last.steps if isinstance(step, Activation)
    ):
        if name == "argmax" and len(found) == 1:
            return record_last(marked, name, args[1:], kwargs, marked.refusal)
        raise UnsupportedModuleError(marked.refusal)
    if is_monotone(name):
        return record_last(marked, name, args[1:], kwargs, marked.refusal)
    if name in MOVING:
        return _moved(tape, marked, function, args, kwargs)
    if name in SCALING:
        return _scaled(tape, marked, name, args, kwargs)
    raise UnsupportedModuleError(marked.refusal)


def _moved(tape: Tape, x: Mapped, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Move the values, and the factors that belong to them."""

    def of(tensor: Tensor) -> Any:
        """Apply the function to numbers of one point."""
        if tensor.ndim == 0:
            return None
        samples = substitute((args, kwargs), lambda v: tensor if v is x else v.sample, 1)
        return function(*samples[0], **samples[1])

    plain = substitute((args, kwargs), lambda v: Value(v.index, v.level, v.sample) if v is x else v, None)
    out = tape.apply(function, *plain[0], **plain[1])
    parts = out if isinstance(out, tuple) else (out,)
    steps: list[list[Scaling | Activation]] = [[] for _ in parts]
    for step in x.last.steps:
        if isinstance(step, Activation):
            for own in steps:
                own.append(step)
            continue
        both = []
        for tensor in (step.scale, step.offset):
            moved = of(tensor)
            both.append(
                [tensor] * len(parts) if moved is None else [moved] if not isinstance(out, tuple) else moved
            )
        for own, scale, offset in zip(steps, *both, strict=True):
            own.append(Scaling(scale, offset))
    made = tuple(
        Mapped(part.index, part.level, part.sample, LastActivation(tuple(own)), x.refusal)
        for part, own in zip(parts, steps, strict=True)
    )
    return made if isinstance(out, tuple) else made[0]


def _scaled(tape: Tape, x: Mapped, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapped:
    """Add a scaling to the steps."""
    other = next((part for part in (*args, *kwargs.values()) if part is not x), 0.0)
    alpha = float(kwargs.get("alpha", 1.0))
    amount = _numbers(tape, x, other if not (kwargs and other is kwargs.get("alpha")) else 0.0)
    one, zero = torch.tensor(1.0, dtype=torch.float64), torch.tensor(0.0, dtype=torch.float64)
    is_first = args[0] is x
    if name in NEGATIVES:
        step = Scaling(-one, zero)
    elif name in PRODUCTS:
        step = Scaling(amount, zero)
    elif name in QUOTIENTS:
        if not is_first or kwargs.get("rounding_mode"):
            raise UnsupportedModuleError(x.refusal)
        step = Scaling(1 / amount, zero)
    elif name in DIFFERENCES:
        minus = is_first == (name != "rsub")
        if not minus and alpha != 1:
            raise UnsupportedModuleError(x.refusal)
        step = Scaling(one, -alpha * amount) if minus else Scaling(-one, amount)
    else:
        step = Scaling(one, alpha * amount) if is_first else Scaling(one * alpha, amount)
    if not bool((step.scale != 0).all() & step.scale.isfinite().all()):
        raise UnsupportedModuleError(x.refusal)
    *before, latest = x.last.steps
    if isinstance(latest, Scaling):
        step = Scaling(latest.scale * step.scale, latest.offset * step.scale + step.offset)
    else:
        before.append(latest)
    return replace(x, last=LastActivation((*before, step)))


def _numbers(tape: Tape, x: Mapped, other: Any) -> Tensor:
    """Return a constant as a number or as one row, (1, *shape), float64.

    Raises:
        UnsupportedModuleError: it has more entries than the value.
    """
    if isinstance(other, Value):
        if other.sample.numel() == 1:
            return other.sample.detach().double().reshape(())
        other = one_row(tape, other, x.sample.ndim).sample
    numbers = torch.as_tensor(other, dtype=torch.float64)
    try:
        return numbers if numbers.ndim == 0 else numbers.expand(1, *x.sample.shape[1:])
    except RuntimeError as error:
        raise UnsupportedModuleError(x.refusal) from error


def increasing(tape: Tape, x: Mapped) -> tuple[Value, LastActivation]:
    """Return the value before the activation, negated where that decreases, and what then increases.

    Raises:
        Refusal: some outputs increase and others decrease.
    """
    value = Value(x.index, x.level, x.sample)
    signs = torch.ones((), dtype=torch.float64)
    for step in x.last.steps:
        if isinstance(step, Scaling):
            signs = signs * step.scale.sign()
    if bool((signs > 0).all()):
        return value, x.last
    if not bool((signs < 0).all()):
        raise Refusal(
            "behind the last activation some outputs are scaled by negative numbers, and some are not"
        )
    first = Scaling(-torch.ones((), dtype=torch.float64), torch.zeros((), dtype=torch.float64))
    return tape.apply(torch.neg, value), LastActivation((first, *x.last.steps))
