"""Exact signs on a grid: the encoder of a simplex is a rational affine map, its corners rational points.

Vertices of the grid are taken at exactly (2 k / N - 1) times the half width, barycentric coordinates in
coarser levels are fractions, and features the numbers in the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import RowLayout, pack_rows
from creased.core.complexes.unperturbed import Signs
from creased.core.exact.elimination import RationalMatrix, Vector, null_vector, rank
from creased.core.exact.exact_signs import as_number
from creased.core.exact.integer_program import IntegerAffine, IntegerProgram, State
from creased.core.grids.simplices import corners_of, n_paths
from creased.core.grids.weld import plane_of
from creased.core.program.kuhn_grid import KuhnGrid, kuhn_paths, table_rows
from creased.core.program.program import Program

Point = tuple[Fraction, ...]


class GridRows:
    """Rows of a program on a grid, in exact arithmetic.

    Args:
        program: with a grid and finite weights.
        walls: of the domain, as affine functions (M, D + 1), the constant last.
        layout: how rows are numbered; the simplex is the last word of a code.
        n_own: walls of a simplex that come before those of the domain. Rows below 0 are planes of the grid.
    """

    def __init__(
        self, program: Program, walls: Sequence[Sequence[float]], layout: RowLayout, n_own: int = 0
    ) -> None:
        assert program.grid is not None
        self.layout, self.dim, self._n_own = layout, program.in_dim, n_own
        self._walls = IntegerAffine.of_rows(walls, self.dim)
        self._program = IntegerProgram.of(program.inner)
        self._grid = _ExactGrid(program.grid)
        self._unit = [tuple(int(i == j) for j in range(self.dim + 1)) for i in range(self.dim + 1)]
        self._points: dict[tuple[int, ...], Vector] = {}
        self._signs: dict[Vector, tuple[int, ...]] = {}

    def vertex(self, zero_ids: Sequence[int], words: Sequence[int], towards: Sequence[float]) -> Vector:
        """Solve for the point (x, w) on D rows in a cell of the simplex that the last word names.

        Raises:
            ArithmeticError: the rows are dependent, or parallel.
        """
        *signs, simplex = words
        pattern = as_number(signs) & ((1 << max(0, *zero_ids)) - 1)
        key = (*zero_ids, pattern, simplex)
        if key not in self._points:
            self._points[key] = null_vector(self._forms(zero_ids, pattern, simplex))
        if self._points[key][-1] == 0:
            raise ArithmeticError(f"the rows {list(zero_ids)} of a vertex are parallel")
        return self._points[key]

    def signs(self, point: Vector) -> tuple[int, ...]:
        """Evaluate the signs (n_rows,) of all rows at a point; 0 for the walls of a simplex."""
        if point not in self._signs:
            encoder = self._grid.encoder(self._grid.simplex_at(point))
            state = [(sum(a * x for a, x in zip(row, point, strict=True)),) for row in encoder]
            values = list(self._walls([(x,) for x in point]).rows)
            for part in self._program.rows(state):
                values += part.rows
            found = tuple((value > 0) - (value < 0) for (value,) in values)
            self._signs[point] = ((0,) * self._n_own + found)[: self.layout.n_rows]
        return self._signs[point]

    def signs_in_simplices(self, codes: CellCodes, points: Tensor) -> Signs:
        """True signs of all rows at vertices of simplices, those of the simplex's walls included."""
        plus, minus = [], []
        for zero_ids, words, near in zip(
            codes.zero_ids.tolist(), codes.words.tolist(), points.tolist(), strict=True
        ):
            point = self.vertex(zero_ids, words, near)
            own = [
                sum(a * x for a, x in zip(form, point, strict=True))
                for form in self._grid.barycentric(words[-1])
            ]
            signs = (*((x > 0) - (x < 0) for x in own), *self.signs(point)[self._n_own :])
            plus.append([sign > 0 for sign in signs])
            minus.append([sign < 0 for sign in signs])
        device, n_words = codes.words.device, self.layout.n_words
        packed = [
            pack_rows(torch.tensor(bits, device=device).reshape(-1, self.layout.n_rows), 0, n_words)
            for bits in (plus, minus)
        ]
        packed[0][:, -1] = codes.words[:, -1]
        return Signs(*packed)

    def n_zeros(self, point: Vector) -> int:
        """Count the rows that vanish at a point, and the planes of the grid that its face lies on."""
        signs, first = self.signs(point), self.layout.n_walls
        walls = zip(signs[:first], self._walls(self._unit).rows, strict=True)
        n_planes = self.dim + 1 - self._grid.n_spanning(point)
        n_walls = sum(sign == 0 and not self._grid.has_wall(wall) for sign, wall in walls)
        return n_planes + n_walls + sum(sign == 0 for sign in signs[first:])

    def rank(self, rows: Sequence[int], words: Sequence[int]) -> int:
        """Return the rank of the gradients of rows in the cell of a simplex that packed signs name."""
        *signs, simplex = words
        return rank([form[:-1] for form in self._forms(rows, as_number(signs), simplex)])

    def _forms(self, rows: Sequence[int], pattern: int, simplex: int) -> list[Vector]:
        """Rows as linear forms of (x, w) on a simplex, in the cell of a pattern."""
        neurons = self._neurons(pattern, simplex) if max(rows) >= self.layout.n_walls else []
        forms = []
        for row in rows:
            if row < 0:
                forms.append(self._grid.plane(row))
            elif row < self._n_own:
                forms.append(self._grid.barycentric(simplex)[row])
            elif row < self.layout.n_walls:
                forms.append(self._walls(self._unit).rows[row - self._n_own])
            else:
                forms.append(neurons[row - self.layout.n_walls])
        return forms

    def _neurons(self, pattern: int, simplex: int) -> list[Vector]:
        rows: list[Vector] = []
        for part in self._program.rows(self._grid.encoder(simplex), pattern >> self.layout.n_walls):
            rows += part.rows
        return rows


class _ExactGrid:
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

    def plane(self, row: int) -> Vector:
        """The plane of an id below 0 as a linear form of (x, w)."""
        normals, offsets = plane_of(torch.tensor([row]), self.dim, self._n)
        normal, offset = normals[0].tolist(), int(offsets[0])
        forms = [self._fraction_form(axis, 0) for axis in range(self.dim)]
        total = [sum(a * form[j] for a, form in zip(normal, forms, strict=True)) for j in range(self.dim + 1)]
        total[-1] -= offset
        (form,) = RationalMatrix.of([total]).rows
        return form

    def has_wall(self, form: Vector) -> bool:
        """Tell whether a wall is a plane across an axis through vertices of the grid."""
        *normal, constant = form
        axes = [axis for axis, a in enumerate(normal) if a]
        if len(axes) != 1:
            return False
        at = (Fraction(-constant, normal[axes[0]]) / self._half + 1) * Fraction(self._n, 2)
        return at.denominator == 1

    def _located(self, point: Vector) -> tuple[list[int], list[Fraction], list[int]]:
        """The cube of a point, its fractions there, and the axes in their order."""
        *x, w = point
        scaled = [(Fraction(a, w) / self._half + 1) * Fraction(self._n, 2) for a in x]
        base = [min(max(s.numerator // s.denominator, 0), self._n - 1) for s in scaled]
        shares = [s - b for s, b in zip(scaled, base, strict=True)]
        return base, shares, sorted(range(self.dim), key=lambda axis: -shares[axis])

    def simplex_at(self, point: Vector) -> int:
        """Return the number of a simplex that holds a point."""
        base, _, order = self._located(point)
        cube = 0
        for k in base:
            cube = cube * self._n + k
        steps = torch.nn.functional.one_hot(torch.tensor(order), self.dim).cumsum(0)
        paths = kuhn_paths(self.dim, torch.device("cpu"))[:, 1:]
        path = int((paths == steps).flatten(1).all(1).nonzero()[0])
        return cube * n_paths(self.dim) + path

    def n_spanning(self, point: Vector) -> int:
        """Count the grid vertices that span the open face of a point."""
        _, shares, order = self._located(point)
        return sum(weight > 0 for weight in _weights(shares, order))


def _weights(shares: Sequence[Fraction], order: Sequence[int]) -> list[Fraction]:
    """Barycentric coordinates in the simplex of an order of axes, given the fractions along them."""
    bounds = [Fraction(1), *(shares[axis] for axis in order), Fraction(0)]
    return [a - b for a, b in pairwise(bounds)]
