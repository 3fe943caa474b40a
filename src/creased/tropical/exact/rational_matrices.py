"""Small matrices of fractions: products with sparse ones, and rows as combinations of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import torch

Row = list[Fraction]
SparseRow = Mapping[int, Fraction]  # entries by column; the others are zero
PRIME = 2**61 - 1


def product(rows: Sequence[Row], others: Sequence[SparseRow], width: int) -> list[Row]:
    """A dense matrix (n, m) times a sparse one (m, width)."""
    results = []
    for row in rows:
        result = [Fraction(0)] * width
        for entry, other in zip(row, others, strict=True):
            if entry:
                for column, factor in other.items():
                    result[column] += entry * factor
        results.append(result)
    return results


def inner(row: Row, vector: Sequence[Fraction]) -> Fraction:
    """The inner product; zeros cost nothing."""
    return sum((a * b for a, b in zip(row, vector, strict=True) if a and b), Fraction(0))


def independent_rows(rows: Sequence[Row]) -> tuple[list[int], dict[int, dict[int, Fraction]]]:
    """A basis of the span of rows, chosen among them, and the other rows as combinations of it.

    Rows that stand out most are chosen, so that the coefficients stay small.
    """
    if _has_full_rank(rows):
        return list(range(len(rows))), {}
    reduced: list[tuple[Row, dict[int, Fraction]]] = []  # each row is the combination of the given ones
    basis: list[int] = []
    combinations: dict[int, dict[int, Fraction]] = {}
    for index in _by_distance(rows):
        row, made = _reduce(list(rows[index]), reduced)
        if any(row):
            reduced.append((row, {index: Fraction(1)} | {k: -c for k, c in made.items()}))
            basis.append(index)
        else:
            combinations[index] = {k: c for k, c in made.items() if c}
    return sorted(basis), combinations


def _reduce(row: Row, reduced: Sequence[tuple[Row, dict[int, Fraction]]]) -> tuple[Row, dict[int, Fraction]]:
    """What is left of a row, and what was taken from it as a combination of the given ones."""
    taken: dict[int, Fraction] = {}
    for other, made in reduced:
        column = next(i for i, x in enumerate(other) if x)
        if row[column]:
            factor = row[column] / other[column]
            row = [x - factor * y for x, y in zip(row, other, strict=True)]
            for k, c in made.items():
                taken[k] = taken.get(k, Fraction(0)) + factor * c
    return row, taken


def _has_full_rank(rows: Sequence[Row]) -> bool:
    """Whether the rows are independent modulo a prime, which proves that they are."""
    work = [[x.numerator * pow(x.denominator, -1, PRIME) % PRIME for x in row] for row in rows]
    width = len(work[0]) if work else 0
    if len(work) > width:
        return False
    done = 0
    for column in range(width):
        pivot = next((i for i in range(done, len(work)) if work[i][column]), None)
        if pivot is None:
            continue
        work[done], work[pivot] = work[pivot], work[done]
        inverse = pow(work[done][column], -1, PRIME)
        for i in range(done + 1, len(work)):
            if factor := work[i][column] * inverse % PRIME:
                work[i] = [(x - factor * y) % PRIME for x, y in zip(work[i], work[done], strict=True)]
        done += 1
    return done == len(work)


def _by_distance(rows: Sequence[Row]) -> list[int]:
    """All rows, first the longest, then each the farthest from the span of those before."""
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
