"""Exact linear algebra in integers: rank, reduced row echelon form, inverse, null vector.

A rational matrix is an integer one over a common denominator; a row of which only the direction matters is
a primitive integer vector. python-flint eliminates where it is installed (``pip install 'creased[exact]'``),
else Python's integers do. Both give the same numbers, for the reduced row echelon form is unique.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from importlib import import_module
from math import gcd, lcm
from operator import mul
from typing import Any, NamedTuple

Vector = tuple[int, ...]  # homogeneous coordinates (x, w): a point, or a linear form, its constant last
Matrix = Sequence[Sequence[int]]

PRIME = 2**61 - 1
SMALL = 8  # rows up to which elimination modulo a prime does not pay


class RationalMatrix(NamedTuple):
    """The matrix rows / scale."""

    rows: tuple[Vector, ...]  # (n, m)
    scale: int  # > 0

    @staticmethod
    def of(rows: Iterable[Iterable[float | Fraction]]) -> RationalMatrix:
        """Convert floats, integers or fractions exactly, over their least common denominator."""
        exact = [[x.as_integer_ratio() for x in row] for row in rows]
        scale = lcm(*{denominator for row in exact for _, denominator in row})
        return RationalMatrix(tuple(tuple(a * (scale // b) for a, b in row) for row in exact), scale)

    def fractions(self) -> tuple[tuple[Fraction, ...], ...]:
        """Entries as fractions."""
        return tuple(tuple(Fraction(x, self.scale) for x in row) for row in self.rows)

    def reduced(self) -> RationalMatrix:
        """Divide entries and scale by their greatest common divisor: equal matrices then compare equal."""
        divisor = gcd(self.scale, *(x for row in self.rows for x in row))
        if divisor <= 1:
            return self
        rows = tuple(tuple(x // divisor for x in row) for row in self.rows)
        return RationalMatrix(rows, self.scale // divisor)

    def inverse(self) -> RationalMatrix:
        """Invert a square matrix.

        Raises:
            ArithmeticError: it is singular.
        """
        n = len(self.rows)
        wide = [(*row, *unit) for row, unit in zip(self.rows, identity(n), strict=True)]
        (rows, scale), pivots = rref(wide)
        if pivots != list(range(n)):
            raise ArithmeticError(f"a matrix of {n} rows is singular")
        return RationalMatrix(tuple(tuple(self.scale * x for x in row[n:]) for row in rows), scale).reduced()


class Echelon(NamedTuple):
    """A reduced row echelon form."""

    matrix: RationalMatrix  # (r, m), in lowest terms; without zero rows
    pivots: list[int]  # columns of the leading ones, ascending

    def reduce(self, vector: Sequence[int]) -> Vector:
        """Reduce a vector modulo the rows, up to a positive factor: primitive, and zero in the pivots."""
        rows, scale = self.matrix
        shares = [(vector[pivot], row) for pivot, row in zip(self.pivots, rows, strict=True) if vector[pivot]]
        if not shares:
            return primitive(vector)
        reduced = [scale * x for x in vector]
        for share, row in shares:
            reduced = [x - share * y for x, y in zip(reduced, row, strict=True)]
        return primitive(reduced)


def rref(matrix: Matrix) -> Echelon:
    """Return the reduced row echelon form of a matrix (n, m)."""
    if not len(matrix):
        return Echelon(RationalMatrix((), 1), [])
    flint = _flint()
    if flint is None:
        rows, pivots = _eliminate(matrix, reduced=True)
        scale = lcm(*(row[pivot] for row, pivot in zip(rows, pivots, strict=True)))
        factors = [scale // row[pivot] for row, pivot in zip(rows, pivots, strict=True)]
        scaled = (tuple(f * x for x in row) for f, row in zip(factors, rows, strict=True))
        return Echelon(RationalMatrix(tuple(scaled), scale), pivots)
    found, scale, n_rows = flint.fmpz_mat(matrix).rref()
    sign = -1 if scale < 0 else 1
    signed = tuple(tuple(sign * int(x) for x in row) for row in found.tolist()[:n_rows])
    pivots = [next(j for j, x in enumerate(row) if x) for row in signed]
    return Echelon(RationalMatrix(signed, sign * int(scale)).reduced(), pivots)


def rank(matrix: Matrix) -> int:
    """Return the rank of a matrix (n, m)."""
    if not len(matrix):
        return 0
    most = min(len(matrix), len(matrix[0]))
    if most > SMALL and _rank_modulo(matrix, PRIME) == most:  # no more than the rank
        return most
    flint = _flint()
    return len(_eliminate(matrix, reduced=False)[1]) if flint is None else int(flint.fmpz_mat(matrix).rank())


def null_vector(matrix: Matrix) -> Vector:
    """Return the primitive vector orthogonal to independent rows (n - 1, n), with a last entry >= 0.

    Raises:
        ArithmeticError: the rows are dependent.
    """
    (rows, scale), pivots = rref(matrix)
    n = len(matrix) + 1
    if len(pivots) < n - 1:
        raise ArithmeticError(f"the {n - 1} rows of a vertex have rank {len(pivots)}")
    free = next(j for j in range(n) if j not in pivots)
    vector = [0] * n
    vector[free] = scale
    for row, pivot in zip(rows, pivots, strict=True):
        vector[pivot] = -row[free]
    return primitive(vector if vector[-1] >= 0 else [-x for x in vector])


def primitive(vector: Sequence[int]) -> Vector:
    """Divide a vector by the greatest common divisor of its entries."""
    divisor = gcd(*vector)
    return tuple(vector) if divisor <= 1 else tuple(x // divisor for x in vector)


def integer_row(row: Iterable[float | Fraction]) -> Vector:
    """Return the primitive integer vector that is a positive multiple of a rational one."""
    return primitive(RationalMatrix.of([row]).rows[0])


def dot(first: Sequence[int], second: Sequence[int]) -> int:
    """Return the inner product."""
    return sum(map(mul, first, second))


def identity(n: int) -> tuple[Vector, ...]:
    """Return the identity matrix (n, n)."""
    return tuple(tuple(int(i == j) for j in range(n)) for i in range(n))


@cache
def _flint() -> Any | None:
    try:
        return import_module("flint")
    except ImportError:
        return None


def _eliminate(matrix: Matrix, *, reduced: bool) -> tuple[list[Sequence[int]], list[int]]:
    """Eliminate without fractions below pivots, or above them too: primitive rows with positive pivots."""
    rows, pivots = list[Sequence[int]](matrix), list[int]()
    for column in range(len(rows[0])):
        done = len(pivots)
        found = next((i for i in range(done, len(rows)) if rows[i][column]), None)
        if found is None:
            continue
        pivot = primitive(rows[found] if rows[found][column] > 0 else [-x for x in rows[found]])
        rows[found], rows[done] = rows[done], pivot
        for i in range(0 if reduced else done + 1, len(rows)):
            if i != done and (b := rows[i][column]):
                a = pivot[column]
                rows[i] = primitive([a * x - b * y for x, y in zip(rows[i], pivot, strict=True)])
        pivots.append(column)
    return rows[: len(pivots)], pivots


def _rank_modulo(matrix: Matrix, prime: int) -> int:
    """Return the rank modulo a prime."""
    rows, done = [[x % prime for x in row] for row in matrix], 0
    for column in range(len(rows[0])):
        found = next((i for i in range(done, len(rows)) if rows[i][column]), None)
        if found is None:
            continue
        rows[found], rows[done] = rows[done], rows[found]
        inverse = pow(rows[done][column], -1, prime)
        for i in range(done + 1, len(rows)):
            if factor := rows[i][column] * inverse % prime:
                rows[i] = [(x - factor * y) % prime for x, y in zip(rows[i], rows[done], strict=True)]
        done += 1
    return done
