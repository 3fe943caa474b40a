"""Largest and smallest entries along axes, as tournaments of maxima of two.

The largest of k entries takes k - 1 rectifications in log2(k) blocks. As relu is monotone, the largest of
relu(z) is relu of the largest z, which takes fewer of them and leaves no crease inside flat regions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.slots import Slot
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.operators.arithmetic import Operation
from creased.networks.lowering.operators.piecewise import absolute, maximum, minimum

Pairwise = Callable[[Tape, Any, Any], Slot]


class Extremes(NamedTuple):
    """What torch returns of max, min and sort along an axis."""

    values: Slot
    indices: None = None  # they jump


def reduce_groups(tape: Tape, better: Pairwise, x: Slot, dim: int, groups: Sequence[Sequence[int]]) -> Slot:
    """The best entry of each group of entries of an axis; the axis then has one entry a group."""
    source = tape.source_of(x)
    if source is not None:
        return tape.rectify(reduce_groups(tape, better, source, dim, groups))
    while any(len(group) > 1 for group in groups):
        pairs = _places(pair for group in groups for pair in _pairs(group))
        rest = _places(group[-1] for group in groups if len(group) % 2)
        first, second = (pick(tape, x, dim, tuple(pair[i] for pair in pairs)) for i in (0, 1))
        winners = better(tape, first, second)
        parts = [winners, pick(tape, x, dim, tuple(rest))] if rest else [winners]
        x = tape.apply(torch.cat, parts, dim)
        groups = [
            [pairs[pair] for pair in _pairs(group)] + [len(pairs) + rest[i] for i in group[len(group) & ~1 :]]
            for group in groups
        ]
    return pick(tape, x, dim, tuple(group[0] for group in groups))


def _pairs(group: Sequence[int]) -> Iterator[tuple[int, int]]:
    return zip(group[::2], group[1::2], strict=False)


def _places(entries: Iterator[Any]) -> dict[Any, int]:
    """Where each of some entries stands, counted once."""
    return {entry: place for place, entry in enumerate(dict.fromkeys(entries))}


def pick(tape: Tape, x: Slot, dim: int, index: tuple[int, ...]) -> Slot:
    """Entries of an axis."""
    if index == tuple(range(x.sample.shape[dim])):
        return x
    picked: Slot = tape.apply(_pick, x, dim, index)
    return picked


def _pick(columns: Tensor, dim: int, index: tuple[int, ...]) -> Tensor:
    return columns.index_select(dim, torch.tensor(index, device=columns.device))


def axes_of(x: Slot, dim: Any, name: str) -> list[int]:
    """Axes as positive numbers, the last first."""
    chosen = [dim] if isinstance(dim, int) else list(dim or ())
    axes = sorted({axis % x.sample.ndim for axis in chosen}, reverse=True)
    if not axes or axes[-1] == 0:
        raise Refusal(f"{name} over the points of a batch; give it the axes of a point")
    return axes


def _over_axes(name: str, better: Pairwise) -> Callable[..., Slot]:
    def operation(tape: Tape, x: Slot, dim: Any = (), keepdim: bool = False) -> Slot:
        for axis in axes_of(x, dim, name):
            x = reduce_groups(tape, better, x, axis, [range(x.sample.shape[axis])])
            x = x if keepdim else tape.apply(torch.squeeze, x, axis)
        return x

    return operation


amax, amin = _over_axes("amax", maximum), _over_axes("amin", minimum)


def _along_or_of_two(over_axes: Callable[..., Slot], better: Pairwise) -> Callable[..., Any]:
    """torch.max and torch.min, which are two functions each."""

    def operation(tape: Tape, x: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        second = other if other is not None else dim
        if isinstance(second, int):
            return Extremes(over_axes(tape, x, second, keepdim))
        if second is None:
            raise Refusal("max or min over all points of a batch; give it an axis of a point")
        return better(tape, x, second)

    return operation


def norm(tape: Tape, x: Slot, p: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any) -> Slot:
    """The norms that are piecewise affine: of order 1 and infinity."""
    if p not in (1, math.inf):
        raise Refusal(f"a norm of order {p} is not piecewise affine; the nearest supported are 1 and inf")
    axes = axes_of(x, dim, "norm")
    size = absolute(tape, x)
    return tape.apply(torch.sum, size, axes, keepdim) if p == 1 else amax(tape, size, axes, keepdim)


def _vector_norm(tape: Tape, x: Slot, ord: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any) -> Slot:  # noqa: A002
    return norm(tape, x, ord, dim, keepdim)


EXTREMES: dict[str, Operation] = {
    "amax": amax,
    "amin": amin,
    "max": _along_or_of_two(amax, maximum),
    "min": _along_or_of_two(amin, minimum),
    "norm": norm,
    "linalg_norm": _vector_norm,
    "linalg_vector_norm": _vector_norm,
}
