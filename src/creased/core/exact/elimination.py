"""Linear algebra in integers, up to positive factors: elimination, without fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd
from typing import Any

Form = list[Any]  # integers: a linear form of (x, w), or one number, its value at a point
Point = tuple[int, ...]  # homogeneous coordinates (x, w), without common divisor; w >= 0


def eliminate(forms: list[Form]) -> tuple[int, list[Form], list[int]]:
    """Rank, reduced rows and their pivots, by elimination without fractions."""
    rows = [list(form) for form in forms]
    pivots: list[int] = []
    for column in range(len(rows[0]) if rows else 0):
        done = len(pivots)
        found = next((i for i in range(done, len(rows)) if rows[i][column]), None)
        if found is None:
            continue
        rows[done], rows[found] = rows[found], rows[done]
        pivot = rows[done]
        for i in range(len(rows)):
            if i != done and rows[i][column]:
                a, b = pivot[column], rows[i][column]
                rows[i] = primitive([a * x - b * y for x, y in zip(rows[i], pivot, strict=True)])
        pivots.append(column)
    return len(pivots), rows, pivots


def reduce(form: Form, others: list[Form], n_columns: int) -> Form:
    """A positive multiple of a form, made zero in its first columns by adding multiples of others."""
    rows = [list(other) for other in others]
    for column in range(n_columns):
        pivot = next(row for row in rows if row[column])
        rows.remove(pivot)
        if pivot[column] < 0:
            pivot = [-x for x in pivot]

        form, *rows = [_without(row, pivot, column) for row in (form, *rows)]
    return form


def _without(row: Form, pivot: Form, column: int) -> Form:
    """A positive multiple of a row, less one of a pivot that is positive in a column: zero there."""
    size, share = pivot[column], row[column]
    return primitive([size * x - share * y for x, y in zip(row, pivot, strict=True)])


def null_vector(forms: list[Form]) -> Point:
    """The point (x, w) where D forms vanish."""
    rank, rows, pivots = eliminate([primitive(form) for form in forms])
    n = len(forms) + 1
    if rank < n - 1:
        raise ArithmeticError(f"the {n - 1} rows of a vertex have rank {rank}")
    free = next(j for j in range(n) if j not in pivots)
    common = 1
    for row, pivot in zip(rows, pivots, strict=True):
        a = abs(int(row[pivot]))
        common = common * a // gcd(common, a)
    point = [0] * n
    point[free] = common
    for row, pivot in zip(rows, pivots, strict=True):
        point[pivot] = -common * int(row[free]) // int(row[pivot])
    point = [int(x) for x in primitive(point)]
    return tuple(-x for x in point) if point[-1] < 0 else tuple(point)


def primitive(form: Form) -> Form:
    """Without common divisor."""
    divisor = gcd(*(int(x) for x in form))
    return [x // divisor for x in form] if divisor > 1 else form


def opposite_walls(points: Sequence[Sequence[float]]) -> list[list[int]]:
    """For each of D + 1 points an affine function in integers: positive there, and zero on the others."""
    exact = [[Fraction(x) for x in (*point, 1)] for point in points]
    common = max(x.denominator for point in exact for x in point)
    forms = [[int(x * common) for x in point] for point in exact]  # denominators are powers of two
    walls = []
    for index, form in enumerate(forms):
        wall = null_vector([other for i, other in enumerate(forms) if i != index])
        height = sum(a * x for a, x in zip(wall, form, strict=True))
        walls.append([a if height > 0 else -a for a in wall])
    return walls
