"""Sorting along an axis by a sorting network, and entries by rank; a comparator takes one rectification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.values import Value
from creased.networks.lowering.operators.arithmetic import Operation, by_name
from creased.networks.lowering.operators.extremes import Extremes, axes_of, select
from creased.networks.lowering.operators.piecewise import maximum, minimum


def comparators(n: int) -> Iterator[list[tuple[int, int]]]:
    """Yield the layers of a sorting network for n entries (Knuth, volume 3, 5.2.2, algorithm M)."""
    top = 1 << max((n - 1).bit_length() - 1, 0)
    p = top
    while p:
        q, r, d = top, 0, p
        while True:
            yield [(i, i + d) for i in range(n - d) if i & p == r]
            if q == p:
                break
            q, r, d = q // 2, p, q - p
        p //= 2


def sort(tape: Tape, x: Value, dim: int = -1, descending: bool = False, stable: bool = False) -> Extremes:
    """Record the entries of an axis in ascending or descending order."""
    (axis,) = axes_of(x, dim, "sort")
    n = x.sample.shape[axis]
    source = tape.preactivation_of(x)
    if source is not None:
        return Extremes(tape.rectify(sort(tape, source, dim, descending).values))
    for layer in filter(None, comparators(n)):
        first, second = (select(tape, x, axis, tuple(pair[i] for pair in layer)) for i in (0, 1))
        low, high = minimum(tape, first, second), maximum(tape, first, second)
        rest = tuple(sorted(set(range(n)).difference(*layer)))
        ends = [high, low] if descending else [low, high]
        parts = [*ends, select(tape, x, axis, rest)] if rest else ends
        positions = [pair[0] for pair in layer] + [pair[1] for pair in layer] + list(rest)
        order = tuple(positions.index(i) for i in range(n))
        x = select(tape, tape.apply(torch.cat, parts, axis), axis, order)
    return Extremes(x)


def topk(
    tape: Tape,
    x: Value,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,  # noqa: A002 - torch's name
) -> Extremes:
    """Record the k largest or smallest entries of an axis, in order."""
    (axis,) = axes_of(x, dim, "topk")
    return Extremes(select(tape, sort(tape, x, dim, largest).values, axis, tuple(range(k))))


def kthvalue(tape: Tape, x: Value, k: int, dim: int = -1, keepdim: bool = False) -> Extremes:
    """Record the k-th smallest entry of an axis, from 1."""
    (axis,) = axes_of(x, dim, "kthvalue")
    entry = select(tape, sort(tape, x, dim).values, axis, (k - 1,))
    return Extremes(entry if keepdim else tape.apply(torch.squeeze, entry, axis))


def median(tape: Tape, x: Value, dim: Any = (), keepdim: bool = False) -> Extremes:
    """Record the median of an axis, the lower one of an even number of entries."""
    (axis,) = axes_of(x, dim, "median")
    return kthvalue(tape, x, (x.sample.shape[axis] + 1) // 2, axis, keepdim)


SORTING: dict[str, Operation] = by_name(sort, topk, kthvalue, median)
