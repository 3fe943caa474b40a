"""Exact signs on a grid: the encoder of a simplex is a rational affine map, its corners rational points."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import RowLayout, pack_rows
from creased.core.complexes.unperturbed import Signs
from creased.core.exact.elimination import Vector, null_vector, rank
from creased.core.exact.exact_signs import as_number
from creased.core.exact.integer_program import IntegerAffine, IntegerProgram
from creased.core.grids.exact_grid import ExactGrid
from creased.core.program.program import Program


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
        self._grid = ExactGrid(program.grid)
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
