"""Small matrices of fractions: products with sparse ones, and bases of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import torch
from torch import Tensor

from creased.core.exact.elimination import RationalMatrix, rank, rref

Row = list[Fraction]
SparseRow = Mapping[int, Fraction]  # entries by column; the others are zero


def fractions_of(rows: Iterable[Tensor]) -> list[Row]:
    """Convert float vectors exactly."""
    return [[Fraction(x) for x in row.tolist()] for row in rows]


def product(rows: Sequence[Row], others: Sequence[SparseRow], width: int) -> list[Row]:
    """Multiply a dense matrix (n, m) by a sparse one (m, width)."""
    results = []
    for row in rows:
        result = [Fraction(0)] * width
        for entry, other in zip(row, others, strict=True):
            if entry:
                for column, factor in other.items():
                    result[column] += entry * factor
        results.append(result)
    return results


def independent_rows(rows: Sequence[Row]) -> tuple[list[int], dict[int, dict[int, Fraction]]]:
    """Select a basis of the span of rows among them, and express the other rows in it.

    Rows are taken by their distance from the span of those before, so that the coefficients stay small.
    """
    exact = RationalMatrix.of(rows).rows
    if rank(exact) == len(rows):
        return list(range(len(rows))), {}
    order = _by_distance(rows)
    echelon, pivots = rref(list(zip(*(exact[i] for i in order), strict=True)))
    basis, shares = [order[k] for k in pivots], echelon.fractions()
    combinations = {
        index: {i: share[k] for i, share in zip(basis, shares, strict=True) if share[k]}
        for k, index in enumerate(order)
        if k not in pivots
    }
    return sorted(basis), combinations


def _by_distance(rows: Sequence[Row]) -> list[int]:
    """Order rows: the longest first, then each the farthest from the span of those before."""
    rest = torch.tensor([[float(x) for x in row] for row in rows], dtype=torch.float64)
    order: list[int] = []
    lengths = rest.norm(dim=1)
    for _ in rows:
        lengths[order] = -1
        farthest = int(lengths.argmax())
        order.append(farthest)
        if lengths[farthest] > 0:
            direction = rest[farthest] / lengths[farthest]
            rest = rest - (rest @ direction)[:, None] * direction
            lengths = rest.norm(dim=1)
    return order
