"""Expand values into linear combinations of earlier ones, add, scale and divide these.

Factors are numbers or constant values, operations on which are recorded on the tape.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from creased.core.numerics.tolerance import rounding_error
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.values import CONSTANT, Value
from creased.networks.lowering.operators.arithmetic import shift
from creased.networks.lowering.operators.piecewise import _blend

Constant = Any  # a number, or a constant value
Terms = dict[int, Constant]  # factors by step; those of CONSTANT are added as they are


def expand(tape: Tape, value: Any) -> Terms:
    """Expand a value into multiples of earlier ones, through sums and products with constants."""
    if not isinstance(value, Value) or value.is_constant:
        return {CONSTANT: value}
    step = tape.steps[value.index]
    name = "" if step.function is None else step.function.__name__
    args = [tape.value_of(part) for part in step.args]
    if name == "neg":
        return _scaled(tape, expand(tape, args[0]), -1)
    if name == "mul":
        return _scaled(tape, expand(tape, args[0]), args[1])
    if name == "true_divide":
        return _scaled(tape, expand(tape, args[0]), _inverse(tape, args[1]))
    if name in ("add", "sub"):
        factor = step.kwargs.get("alpha", 1) * (1 if name == "add" else -1)
        return _sum(tape, expand(tape, args[0]), _scaled(tape, expand(tape, args[1]), factor))
    if step.function is shift:
        x, amount, factor = args
        return _sum(tape, expand(tape, x), {CONSTANT: product(tape, amount, factor)})
    if step.function is _blend:
        hidden, x, slope = args
        return _sum(
            tape, _scaled(tape, expand(tape, hidden), 1 - slope), _scaled(tape, expand(tape, x), slope)
        )
    return {value.index: 1}


def _scaled(tape: Tape, terms: Terms, factor: Constant) -> Terms:
    return {index: product(tape, term, factor) for index, term in terms.items()}


def _sum(tape: Tape, first: Terms, second: Terms) -> Terms:
    both = dict(first)
    for index, term in second.items():
        both[index] = computed(tape, operator.add, both[index], term) if index in both else term
    return both


def product(tape: Tape, a: Constant, b: Constant) -> Constant:
    """Multiply constants."""
    return computed(tape, operator.mul, a, b)


def computed(tape: Tape, function: Callable[[Any, Any], Any], *constants: Constant) -> Constant:
    """Apply a function to constants, and record it unless they are numbers."""
    is_recorded = any(isinstance(constant, Value) for constant in constants)
    return tape.apply(function, *constants) if is_recorded else function(*constants)


def on_side(tape: Tape, direction: Terms, terms: Terms) -> Terms:
    """Replace the positive parts of functions of a value by what they are where that is positive."""
    out: Terms = {}
    for index, term in terms.items():
        own: Terms = {index: term}
        if (source := tape.rectified.get(index)) is not None:
            inner = expand(tape, tape.value_at(source))
            factor, rest = _ratio(tape, inner, direction)
            ends = [] if factor is None else [_tensor(factor), rest]
            if ends and all(bool((end >= 0).all()) for end in ends):
                own = _scaled(tape, inner, term)
            elif ends and all(bool((end <= 0).all()) for end in ends):
                own = {}
        out = _sum(tape, out, own)
    return out


def quotient(tape: Tape, terms: Terms, direction: Terms) -> Constant | None:
    """Return the constant s with terms = s direction; None if there is none."""
    factor, rest = _ratio(tape, terms, direction)
    if factor is None:
        return None
    sizes = [_tensor(term).abs().amax() for term in (*terms.values(), *direction.values(), factor)]
    return factor if bool(rest.abs().amax() <= rounding_error(tape.dtype, 4) * max(sizes)) else None


def _ratio(tape: Tape, terms: Terms, direction: Terms) -> tuple[Constant | None, Tensor]:
    """Return s and c with terms = s direction + c; None for s if there are none."""
    pivot = next((i for i in direction if i != CONSTANT and bool((_tensor(direction[i]) != 0).all())), None)
    if pivot is None:
        return None, _tensor(0.0)
    factor = product(tape, terms.get(pivot, 0.0), _inverse(tape, direction[pivot]))
    rest = {
        i: _tensor(terms.get(i, 0.0)) - _tensor(factor) * _tensor(direction.get(i, 0.0))
        for i in {*terms, *direction, CONSTANT} - {pivot}
    }
    constant = rest.pop(CONSTANT)
    return (None if any(bool(term.any()) for term in rest.values()) else factor), constant


def _inverse(tape: Tape, constant: Constant) -> Constant:
    return tape.apply(torch.reciprocal, constant) if isinstance(constant, Value) else 1 / constant


def _tensor(constant: Constant) -> Tensor:
    sample = constant.sample if isinstance(constant, Value) else constant
    return torch.as_tensor(sample).double()
