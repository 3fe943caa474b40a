"""Piecewise-linear interpolation of features in simplices of Kuhn grids, all levels at once.

Points come axis by axis, as (D, m), so that each step works on long contiguous rows. A network of
compare-exchanges sorts the fractions of the axes, and carries along by how much a step along each axis moves
the row of a table: from corner to corner the row grows by it or, where the table is hashed, is xored with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, reduce
from itertools import accumulate, groupby, pairwise
from operator import add, xor
from typing import Any, NamedTuple

import torch
from torch import Tensor

PRIMES = (1, 2654435761, 805459861)  # of the spatial hash, an axis each (Mueller et al. 2022)


class Located(NamedTuple):
    """Points in the simplices of one level."""

    rows: Tensor  # (m, D + 1) int64: of the table, for the corners of the simplex in ascending order
    weights: Tensor  # (m, D + 1): barycentric coordinates, differentiable in the points


def locate(unit: Tensor, levels: Sequence[int], sizes: Sequence[int]) -> list[Located]:
    """Locate points (D, m) of the unit cube in grids of so many cubes an axis, with tables of such sizes."""
    n = column_of(tuple(levels), unit.dtype, unit.device)[:, :, None]
    scaled = unit * n
    base = torch.minimum(scaled.detach().floor().clamp_(min=0), n - 1).nan_to_num_(0)
    return locate_in_cubes(base.long(), scaled - base, levels, sizes)


def locate_in_cubes(
    base: Tensor, fractions: Tensor, levels: Sequence[int], sizes: Sequence[int]
) -> list[Located]:
    """Locate points in the simplices of cubes, level by level.

    Args:
        base: lowest corners (L, D, m) int64 of the cubes.
        fractions: (L, D, m), where in the cubes the points are.
        levels: cubes an axis.
        sizes: rows of the tables.
    """
    found: list[Located] = []
    for _, run in groupby(range(len(levels)), lambda k: is_hashed(levels[k], sizes[k], base.shape[1])):
        first, *others = run
        part = slice(first, first + len(others) + 1)
        found += _in_alike(base[part], fractions[part], levels[part], sizes[part])
    return found


def _in_alike(
    base: Tensor, fractions: Tensor, levels: Sequence[int], sizes: Sequence[int]
) -> Iterator[Located]:
    """Locate points in grids whose tables are all dense, or all hashed."""
    dim, hashed = base.shape[1], is_hashed(levels[0], sizes[0], base.shape[1])
    of_axes = zip(*(_factors(n, size, dim) for n, size in zip(levels, sizes, strict=True)), strict=True)
    factors = [column_of(each, base.dtype, base.device) for each in of_axes]
    keys = [at * factor for at, factor in zip(base.unbind(1), factors, strict=True)]
    steps = [key ^ (key + f) for key, f in zip(keys, factors, strict=True)] if hashed else factors
    ordered, steps = _sort_axes(list(fractions.unbind(1)), steps)
    move = xor if hashed else add
    rows = _corner_last(accumulate([reduce(move, keys), *steps], move))
    if hashed:
        rows &= sizes[0] - 1
    weights = _corner_last([1 - ordered[0], *(a - b for a, b in pairwise(ordered)), ordered[-1]])
    return map(Located, rows, weights)


def _sort_axes(fractions: list[Tensor], steps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Sort D fractions, descending and stably, and with them what belongs to each axis."""
    for last in reversed(range(1, len(fractions))):
        for a, b in pairwise(range(last + 1)):
            is_wrong = fractions[a] < fractions[b]
            fractions[a], fractions[b] = _exchange(is_wrong, fractions[a], fractions[b])
            change = (steps[a] ^ steps[b]) & -is_wrong.long()  # several times faster than `where`
            steps[a], steps[b] = steps[a] ^ change, steps[b] ^ change
    return fractions, steps


def _exchange(is_wrong: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """The larger and the smaller of two; where they are equal, with the derivatives of one simplex."""
    if first.requires_grad:
        return torch.where(is_wrong, second, first), torch.where(is_wrong, first, second)
    return torch.maximum(first, second), torch.minimum(first, second)


def _corner_last(of_corners: Iterable[Tensor]) -> Tensor:
    """Join what belongs to the corners of simplices, each (L, m), to (L, m, D + 1)."""
    return torch.stack(list(of_corners), dim=1).transpose(1, 2).contiguous()


def table_rows(corners: Tensor, n: int, n_rows: int) -> Tensor:
    """Rows (...) of vertices (..., D) int64 in a table of a level, dense or hashed."""
    dim = corners.shape[-1]
    keys = [at * factor for at, factor in zip(corners.unbind(-1), _factors(n, n_rows, dim), strict=True)]
    if is_hashed(n, n_rows, dim):
        return reduce(xor, keys) & (n_rows - 1)
    return reduce(add, keys)


def is_hashed(n: int, n_rows: int, dim: int) -> bool:
    """Tell whether vertices of a level share the rows of its table."""
    return n_rows != (n + 1) ** dim


def _factors(n: int, n_rows: int, dim: int) -> tuple[int, ...]:
    """Multiply coordinates of a vertex by these for its row, then add or xor them."""
    return PRIMES[:dim] if is_hashed(n, n_rows, dim) else tuple((n + 1) ** k for k in reversed(range(dim)))


@cache
def column_of(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Numbers (L, 1), one a level; kept, for each would have to be copied to the device."""
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=dtype, device=device)[:, None]


def interpolate(table: Tensor, located: Located) -> Tensor:
    """Features (m, features) of a table (rows, features) at points.

    Differentiable any number of times, in the table and in the weights.
    """
    found: Tensor = _Interpolation.apply(table, *located)  # type: ignore[no-untyped-call]
    return found


class _Interpolation(torch.autograd.Function):
    """`embedding_bag` with weights, whose own backward pass sorts all rows, and has no derivative."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
        """Sum weighted rows of the table."""
        ctx.save_for_backward(table, rows, weights)
        return torch.nn.functional.embedding_bag(rows, table, per_sample_weights=weights, mode="sum")

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None, Tensor | None]:
        """Gradients of table and weights, by differentiable operations."""
        table, rows, weights = ctx.saved_tensors
        to_table = to_weights = None
        if ctx.needs_input_grad[0]:
            shares = (weights[:, :, None] * gradient[:, None]).flatten(0, 1)
            to_table = torch.zeros_like(table).index_add_(0, rows.flatten(), shares)
        if ctx.needs_input_grad[2]:
            to_weights = (table[rows] * gradient[:, None]).sum(2)
        return to_table, None, to_weights
