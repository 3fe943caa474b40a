"""A Kuhn grid in rational arithmetic: encoders of simplices, and barycentric coordinates.

Vertices of the grid are taken at exactly (2 k / N - 1) times the half width, barycentric coordinates in
coarser levels are fractions, and features the numbers in the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache, reduce
from itertools import pairwise, product
from math import ceil, floor

import torch

from creased.core.exact.elimination import RationalMatrix, Vector
from creased.core.exact.integer_program import State
from creased.core.program.interpolation import table_rows
from creased.core.program.kuhn_grid import KuhnGrid, kuhn_paths
from creased.core.program.simplices import corners_of, n_paths

Point = tuple[Fraction, ...]


class ExactGrid:
    """A grid in rational arithmetic."""

    def __init__(self, grid: KuhnGrid) -> None:
        self._grid, self._n, self.dim = grid, grid.finest, grid.dim
        self._half = Fraction(grid.half_width)
        self.encoder = cache(self._encoder)
        self.barycentric = cache(self._barycentric)

    def _corners(self, simplex: int) -> list[list[int]]:
        corners: list[list[int]] = corners_of(torch.tensor([simplex]), self.dim, self._n)[0].tolist()
        return corners

    def _position(self, corner: Sequence[int]) -> Point:
        return tuple((Fraction(2 * k, self._n) - 1) * self._half for k in corner)

    def _encoder(self, simplex: int) -> State:
        """The encoder as linear forms (S + 1, D + 1) of (x, w)."""
        corners = self._corners(simplex)
        states = [self._state(tuple(corner)) for corner in corners]
        step, base = 2 * self._half / self._n, self._position(corners[0])
        columns: list[list[Fraction]] = [[] for _ in range(self.dim)]
        for (c, d), (s, t) in zip(pairwise(corners), pairwise(states), strict=True):
            axis = next(i for i in range(self.dim) if c[i] != d[i])
            columns[axis] = [(b - a) / step for a, b in zip(s, t, strict=True)]
        constants = [
            s - sum(x * column[k] for x, column in zip(base, columns, strict=True))
            for k, s in enumerate(states[0])
        ]
        forms = RationalMatrix.of(zip(*columns, constants, strict=True))
        return [*forms.rows, (0,) * self.dim + (forms.scale,)]

    def _state(self, corner: tuple[int, ...]) -> list[Fraction]:
        """The encoded state at a vertex of the finest grid."""
        state = list(self._position(corner))
        for n, table in zip(self._grid.levels, self._grid.tables, strict=True):
            stride = self._n // n
            base = [min(k // stride, n - 1) for k in corner]
            shares = [Fraction(k - b * stride, stride) for k, b in zip(corner, base, strict=True)]
            order = sorted(range(self.dim), key=lambda axis: -shares[axis])
            at, path = base, [base]
            for axis in order:
                at = [k + (i == axis) for i, k in enumerate(at)]
                path.append(at)
            rows = table_rows(torch.tensor(path), n, table.shape[0])
            features = table[rows.to(table.device)].tolist()
            weights = _weights(shares, order)
            state += [
                sum((w * Fraction(x) for w, x in zip(weights, column, strict=True) if w), Fraction(0))
                for column in zip(*features, strict=True)
            ]
        return state

    def _barycentric(self, simplex: int) -> list[Vector]:
        """Positive multiples of the barycentric coordinates as linear forms of (x, w)."""
        corners = self._corners(simplex)
        axes = [next(i for i in range(self.dim) if c[i] != d[i]) for c, d in pairwise(corners)]
        rises = [self._fraction_form(axis, corners[0][axis]) for axis in axes]  # f1 >= f2 >= ...
        one = tuple(Fraction(int(i == self.dim)) for i in range(self.dim + 1))
        bounds = [one, *rises, (Fraction(0),) * (self.dim + 1)]
        forms = [[x - y for x, y in zip(a, b, strict=True)] for a, b in pairwise(bounds)]
        return list(RationalMatrix.of(forms).rows)

    def _fraction_form(self, axis: int, k: int) -> tuple[Fraction, ...]:
        """The fraction of a cube at which x lies along an axis, n (x / half + 1) / 2 - k."""
        slope = Fraction(self._n, 2) / self._half
        form = [Fraction(0)] * self.dim + [Fraction(self._n, 2) - k]
        form[axis] = slope
        return tuple(form)

    def simplices_about(self, points: Sequence[Vector]) -> Iterator[int]:
        """Iterate over the simplices of all cubes that meet the box around points (x, w)."""
        scaled = list(zip(*map(self._scaled, points), strict=True))
        ranges = (range(max(floor(min(x)), 0), min(ceil(max(x)), self._n)) for x in scaled)
        for base in product(*ranges):
            first = self._cube(base) * n_paths(self.dim)
            yield from range(first, first + n_paths(self.dim))

    def _scaled(self, point: Vector) -> list[Fraction]:
        """A point (x, w) in grid coordinates."""
        *x, w = point
        return [(Fraction(a, w) / self._half + 1) * Fraction(self._n, 2) for a in x]

    def _cube(self, base: Sequence[int]) -> int:
        return reduce(lambda number, k: number * self._n + k, base, 0)

    def _located(self, point: Vector) -> tuple[list[int], list[Fraction], list[int]]:
        """The cube of a point, its fractions there, and the axes in their order."""
        scaled = self._scaled(point)
        base = [min(max(s.numerator // s.denominator, 0), self._n - 1) for s in scaled]
        shares = [s - b for s, b in zip(scaled, base, strict=True)]
        return base, shares, sorted(range(self.dim), key=lambda axis: -shares[axis])

    def simplex_at(self, point: Vector) -> int:
        """Return the number of a simplex that holds a point."""
        base, _, order = self._located(point)
        steps = torch.nn.functional.one_hot(torch.tensor(order), self.dim).cumsum(0)
        paths = kuhn_paths(self.dim, torch.device("cpu"))[:, 1:]
        path = int((paths == steps).flatten(1).all(1).nonzero()[0])
        return self._cube(base) * n_paths(self.dim) + path


def _weights(shares: Sequence[Fraction], order: Sequence[int]) -> list[Fraction]:
    """Barycentric coordinates in the simplex of an order of axes, given the fractions along them."""
    bounds = [Fraction(1), *(shares[axis] for axis in order), Fraction(0)]
    return [a - b for a, b in pairwise(bounds)]
