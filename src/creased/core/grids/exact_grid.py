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
from torch import Tensor

from creased.core.domains.domain import Domain
from creased.core.exact.elimination import RationalMatrix, Vector, dot, integer_row
from creased.core.exact.integer_program import State
from creased.core.grids.planes import plane_of, walls_on_planes
from creased.core.program.kuhn_grid import KuhnGrid, kuhn_paths
from creased.core.program.simplices import corners_of, n_paths

Point = tuple[Fraction, ...]


class ExactGrid:
    """A grid in rational arithmetic; points and linear forms of points are those of its section, if any."""

    def __init__(self, grid: KuhnGrid) -> None:
        self._grid, self._n, self.dim = grid, grid.finest, grid.dim
        self._half = Fraction(grid.half_width)
        self._lift = _lift(grid)
        self.encoder = cache(lambda simplex: self._restricted(self._encoder(simplex)))
        self.barycentric = cache(lambda simplex: self._restricted(self._barycentric(simplex)))

    def _restricted(self, forms: Sequence[Vector]) -> list[Vector]:
        """Linear forms of (x, w) as forms of points of the section, all by one positive factor."""
        if self._lift is None:
            return list(forms)
        columns = list(zip(*self._lift, strict=True))
        return [tuple(dot(form, column) for column in columns) for form in forms]

    def _corners(self, simplex: int) -> list[list[int]]:
        corners: list[list[int]] = corners_of(torch.tensor([simplex]), self.dim, self._n)[0].tolist()
        return corners

    def _encoder(self, simplex: int) -> State:
        """The encoder as linear forms (S + 1, D + 1) of (x, w).

        Along an axis x is in its cube at f = n (x / half + 1) / 2 - k; features grow by their steps times f.
        """
        corners, n = self._corners(simplex), self._n
        half, denominator = self._half.as_integer_ratio()
        features, scale = self._features(corners)
        total = 2 * half * scale
        forms = [[total * (i == axis) for i in range(self.dim + 1)] for axis in range(self.dim)]
        for column in zip(*features, strict=True):
            slopes, constant = [0] * self.dim, 2 * half * column[0]
            for axis, (a, b) in zip(_axes(corners), pairwise(column), strict=True):
                slopes[axis] = (b - a) * n * denominator
                constant += (b - a) * half * (n - 2 * corners[0][axis])
            forms.append([*slopes, constant])
        reduced = RationalMatrix(tuple(map(tuple, forms)), total).reduced()
        return [*reduced.rows, (0,) * self.dim + (reduced.scale,)]

    def _features(self, corners: Sequence[Sequence[int]]) -> tuple[list[list[int]], int]:
        """Features at vertices of the finest grid, divided by a common scale."""
        n, coarsest, levels = self._n, self._n // min(self._grid.levels), []
        at = torch.tensor(corners, device=self._grid.tables[0].device)
        places = self._grid.locate_vertices(at, torch.float64)
        for level, table, located in zip(self._grid.levels, self._grid.tables, places, strict=True):
            weights = (located.weights * (n // level)).round().long() * (coarsest * level // n)
            rows = table[located.rows].transpose(1, 2).tolist()  # (D + 1, features, D + 1)
            ratios = [[[x.as_integer_ratio() for x in row] for row in mine] for mine in rows]
            levels.append((weights.tolist(), ratios))
        shift = max(d.bit_length() for _, level in levels for mine in level for row in mine for _, d in row)
        features: list[list[int]] = [[] for _ in corners]
        for of_level, ratios in levels:
            for found, weights, rows in zip(features, of_level, ratios, strict=True):
                for row in rows:
                    parts = zip(weights, row, strict=True)
                    found.append(sum(w * a << (shift - d.bit_length()) for w, (a, d) in parts if w))
        return features, coarsest << (shift - 1)

    def _barycentric(self, simplex: int) -> list[Vector]:
        """Positive multiples of the barycentric coordinates as linear forms of (x, w)."""
        corners = self._corners(simplex)
        rises = [self._fraction_form(axis, corners[0][axis]) for axis in _axes(corners)]  # f1 >= f2 >= ...
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

    def walls_of(self, domain: Domain) -> list[Vector]:
        """Walls of a domain as linear forms; those that are planes of the grid without rounding."""
        rows = domain.exact_walls()
        forms, on_planes = [], map(Tensor.tolist, walls_on_planes(self._grid, rows))
        for wall, plane, side in zip(rows, *on_planes, strict=True):
            if side:
                normal, at = plane_of(torch.tensor(plane), self.dim, self._n)
                (exact,) = RationalMatrix.of([self._fraction_form(int(normal.argmax()), int(at))]).rows
                forms += self._restricted([tuple(side * x for x in exact)])
            else:
                forms.append(integer_row(wall))
        return forms

    def simplices_about(self, points: Sequence[Vector]) -> Iterator[int]:
        """Iterate over the simplices of all cubes that meet the box around points."""
        scaled = list(zip(*map(self._scaled, points), strict=True))
        ranges = (range(max(ceil(min(x)) - 1, 0), min(floor(max(x)) + 1, self._n)) for x in scaled)
        for base in product(*ranges):
            first = self._cube(base) * n_paths(self.dim)
            yield from range(first, first + n_paths(self.dim))

    def _scaled(self, point: Vector) -> list[Fraction]:
        """A point in grid coordinates."""
        *x, w = point if self._lift is None else [dot(row, point) for row in self._lift]
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


def _lift(grid: KuhnGrid) -> list[Vector] | None:
    """The map from points (t, w) of a section to points (x, w), in integers: (D + 1, k + 1)."""
    if grid.section is None:
        return None
    origin, basis = (x.tolist() for x in grid.section)
    rows, scale = RationalMatrix.of([[*slopes, at] for slopes, at in zip(basis, origin, strict=True)])
    return [*rows, (*(0,) * grid.in_dim, scale)]


def _axes(corners: Sequence[Sequence[int]]) -> list[int]:
    """The axes of the steps from corner to corner of a simplex."""
    pairs = (list(zip(c, d, strict=True)) for c, d in pairwise(corners))
    return [next(axis for axis, (a, b) in enumerate(pair) if a != b) for pair in pairs]
