"""Exact signs on a grid: the encoder of a simplex is a rational affine map, its corners rational points."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import WORD, RowLayout
from creased.core.exact.elimination import Vector, dot, identity
from creased.core.exact.exact_signs import ExactRows, SignsAt, one_by_one
from creased.core.grids.exact_grid import ExactGrid
from creased.core.grids.planes import walls_on_planes
from creased.core.program.program import Program


class GridRows(ExactRows):
    """Rows of a program on a grid, simplex by simplex, in exact arithmetic.

    Args:
        program: with a grid and finite weights.
        walls: of the domain, as affine functions (M, D + 1), the constant last.
        layout: how rows are numbered while simplices are cut, see `creased.core.grids.cut`: D + 1 walls of a
            simplex come first, and its number is the last word of a code, so the highest bits of a pattern.
    """

    def __init__(self, program: Program, walls: Sequence[Sequence[float]], layout: RowLayout) -> None:
        super().__init__(program, walls, layout)
        assert program.grid is not None
        self._grid, self._n_own = ExactGrid(program.grid), program.grid.dim + 1
        self._on_planes = (walls_on_planes(program.grid, walls).ids < 0).nonzero()[:, 0].tolist()
        self._wall_forms = self._walls(identity(self.dim + 1)).rows

    def signs(self, point: Vector, words: Sequence[int] = ()) -> tuple[int, ...]:
        """Evaluate the signs (n_rows,) of all rows at a point of the simplex that the last word names.

        Walls that are planes of the grid bound simplices; they are no rows in them, and count as +.
        """
        own = [dot(form, point) for form in self._grid.barycentric(words[-1])]
        if point not in self._signs:
            encoder = self._grid.encoder(words[-1])
            values = [dot(form, point) for form in self._wall_forms]
            for part in self._program.rows([(dot(row, point),) for row in encoder]):
                values += [value for (value,) in part.rows]
            signs = [(value > 0) - (value < 0) for value in values]
            for wall in self._on_planes:
                signs[wall] = 1
            self._signs[point] = tuple(signs)
        found = (*((value > 0) - (value < 0) for value in own), *self._signs[point])
        return found[: self.layout.n_rows]

    def signs_at(self, codes: CellCodes, points: Tensor, vertex: Tensor, row: Tensor) -> SignsAt:
        """Find the signs of rows (k,) at vertices (k,), ascending, of those with these codes and points."""
        return one_by_one(self, codes, points, vertex, row)

    def zeros(self, codes: CellCodes, points: Tensor) -> Tensor:
        """True (n, n_rows) where rows vanish at vertices with right signs, near points (n, D)."""
        shape = (len(points), self.layout.n_rows)
        vertex, row = torch.ones(shape, dtype=torch.bool, device=points.device).nonzero().unbind(1)
        return self.signs_at(codes, points, vertex, row).signs.view(shape) == 0

    def _before(self, row: int, pattern: int) -> int:
        simplex = pattern >> self._first_bit
        return super()._before(row, pattern) | simplex << self._first_bit

    @property
    def _first_bit(self) -> int:
        """Of the number of the simplex in a pattern."""
        return WORD * (self.layout.n_words - 1)

    def _forms(self, rows: Sequence[int], pattern: int) -> list[Vector]:
        """Rows as linear forms of (x, w) on a simplex, in the cell of a pattern."""
        simplex, n_walls = pattern >> self._first_bit, self.layout.n_walls
        forms = [*self._grid.barycentric(simplex), *self._wall_forms]
        if max(rows, default=0) >= n_walls:
            for part in self._program.rows(self._grid.encoder(simplex), pattern >> n_walls):
                forms += part.rows
        return [forms[row] for row in rows]

    def _pull_back(self, row: int, pattern: int) -> Vector:
        """A positive multiple of the derivatives of a row by x (D,), then by shifts of all rows (n_rows,)."""
        simplex, n_walls, dim = pattern >> self._first_bit, self.layout.n_walls, self.dim
        moves = [0] * self.layout.n_rows
        if row < n_walls:
            form = (*self._grid.barycentric(simplex), *self._wall_forms)[row]
            moves[row] = 1
            return (*form[:dim], *moves)
        covector, of_neurons = self._program.pull_back(row - n_walls, pattern >> n_walls)
        encoder = self._grid.encoder(simplex)
        scale = encoder[-1][-1]
        moves[n_walls:] = [scale * move for move in of_neurons[: len(moves) - n_walls]]
        slopes = (sum(c * encoder[k][axis] for k, c in covector.items()) for axis in range(dim))
        return (*slopes, *moves)
