"""Maxima and minima along axes, as trees of pairwise maxima.

A maximum of k entries takes k - 1 rectifications in log2(k) blocks. relu is monotone, so that max(relu(z)) is
recorded as relu(max(z)), which takes fewer rectifications and has no crease where all z are negative.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.values import Value
from creased.networks.lowering.operators.arithmetic import Operation
from creased.networks.lowering.operators.piecewise import absolute, maximum, minimum

Pairwise = Callable[[Tape, Any, Any], Value]


class Extremes(NamedTuple):
    """The result of torch.max, min and sort along an axis."""

    values: Value
    indices: None = None  # not continuous, so not available


def reduce_groups(
    tape: Tape, pairwise: Pairwise, x: Value, dim: int, groups: Sequence[Sequence[int]]
) -> Value:
    """Reduce each group of entries of an axis to its extreme; the axis then has one entry a group."""
    source = tape.preactivation_of(x)
    if source is not None:
        return tape.rectify(reduce_groups(tape, pairwise, source, dim, groups))
    while any(len(group) > 1 for group in groups):
        pairs = _positions(pair for group in groups for pair in _pairs(group))
        rest = _positions(group[-1] for group in groups if len(group) % 2)
        first, second = (select(tape, x, dim, tuple(pair[i] for pair in pairs)) for i in (0, 1))
        reduced = pairwise(tape, first, second)
        parts = [reduced, select(tape, x, dim, tuple(rest))] if rest else [reduced]
        x = tape.apply(torch.cat, parts, dim)
        groups = [
            [pairs[pair] for pair in _pairs(group)] + [len(pairs) + rest[i] for i in group[len(group) & ~1 :]]
            for group in groups
        ]
    return select(tape, x, dim, tuple(group[0] for group in groups))


def _pairs(group: Sequence[int]) -> Iterator[tuple[int, int]]:
    return zip(group[::2], group[1::2], strict=False)


def _positions(entries: Iterator[Any]) -> dict[Any, int]:
    """Number distinct entries in order of appearance."""
    return {entry: position for position, entry in enumerate(dict.fromkeys(entries))}


def select(tape: Tape, x: Value, dim: int, index: tuple[int, ...]) -> Value:
    """Record a selection of entries of an axis."""
    if index == tuple(range(x.sample.shape[dim])):
        return x
    return tape.apply(_select, x, dim, index)


def _select(columns: Tensor, dim: int, index: tuple[int, ...]) -> Tensor:
    return columns.index_select(dim, torch.tensor(index, device=columns.device))


def axes_of(x: Value, dim: Any, name: str) -> list[int]:
    """Normalise axes to positive numbers, in descending order."""
    chosen = [dim] if isinstance(dim, int) else list(dim or ())
    axes = sorted({axis % x.sample.ndim for axis in chosen}, reverse=True)
    if not axes or axes[-1] == 0:
        raise Refusal(f"{name} over the points of a batch; give axes of a point, dim=1 or later")
    return axes


def _over_axes(name: str, pairwise: Pairwise) -> Callable[..., Value]:
    def operation(tape: Tape, x: Value, dim: Any = (), keepdim: bool = False) -> Value:
        for axis in axes_of(x, dim, name):
            x = reduce_groups(tape, pairwise, x, axis, [range(x.sample.shape[axis])])
            x = x if keepdim else tape.apply(torch.squeeze, x, axis)
        return x

    return operation


amax, amin = _over_axes("amax", maximum), _over_axes("amin", minimum)


def _overloaded(over_axes: Callable[..., Value], pairwise: Pairwise) -> Callable[..., Any]:
    """Dispatch torch.max and torch.min: along an axis, or of two tensors."""

    def operation(tape: Tape, x: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        second = other if other is not None else dim
        if isinstance(second, int):
            return Extremes(over_axes(tape, x, second, keepdim))
        if second is None:
            raise Refusal("max or min over the points of a batch; give an axis of a point, dim=1 or later")
        return pairwise(tape, x, second)

    return operation


def norm(tape: Tape, x: Value, p: Any = 2, dim: Any = None, keepdim: bool = False, **options: Any) -> Value:
    """Record a norm of order 1 or infinity; torch.linalg calls the order ``ord``."""
    p = options.get("ord", p)
    if p not in (1, math.inf):
        raise Refusal(f"a norm of order {p} is not piecewise affine; the nearest supported are 1 and inf")
    axes = axes_of(x, dim, "norm")
    size = absolute(tape, x)
    return tape.apply(torch.sum, size, axes, keepdim) if p == 1 else amax(tape, size, axes, keepdim)


EXTREMES: dict[str, Operation] = {
    "amax": amax,
    "amin": amin,
    "max": _overloaded(amax, maximum),
    "min": _overloaded(amin, minimum),
    **dict.fromkeys(("norm", "linalg_norm", "linalg_vector_norm"), norm),
}
