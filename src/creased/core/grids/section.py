"""Sections of a grid: which simplices an affine subspace meets, and the skeleton of what it cuts out of them.

The subspace is where some affine functions vanish, the heights. Their signs at vertices of the grid are
exact, so that simplices agree about them. A height of zero counts as +, as everywhere: the subspace is moved
by nothing off the faces of the grid that lie in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import product
from operator import mul

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.skeleton import GrowingSkeleton, subcomplex
from creased.core.arrangement.subdivide import cut_by_next, start_block
from creased.core.exact.decisions import Decisions
from creased.core.exact.elimination import RationalMatrix, Vector, dot, null_vector, rref
from creased.core.exact.exact_signs import SignsAt, one_by_one
from creased.core.numerics.tensors import Growable
from creased.core.numerics.tolerance import doubtful_band, rounding_error
from creased.core.program.kuhn_grid import KuhnGrid
from creased.core.program.layers import Affine
from creased.core.program.simplices import corners_of


class Heights:
    """Affine functions of grid coordinates that vanish on the section of a grid; their signs are exact.

    Args:
        grid: with a section.
    """

    def __init__(self, grid: KuhnGrid) -> None:
        assert grid.section is not None
        self.grid, dim = grid, grid.dim
        origin, basis = (x.double().cpu() for x in grid.section)
        self.forms = [self._of_coordinates(normal, origin) for normal in _normals(basis)]  # constants last
        sizes = [max(map(abs, form)) for form in self.forms]
        exact = [[Fraction(x, size) for x in form] for form, size in zip(self.forms, sizes, strict=True)]
        self._table = torch.tensor([[float(x) for x in form] for form in exact], dtype=torch.float64)
        self._table = self._table.reshape(-1, dim + 1).to(grid.tables[0].device)
        reach = self._table.abs() @ self._table.new_tensor([*[grid.finest] * dim, 1.0])
        self._error = rounding_error(torch.float64, dim + 2) * reach

    def _of_coordinates(self, normal: Vector, origin: Tensor) -> Vector:
        """A normal's affine function of grid coordinates; below zero somewhere in the cube, if it is zero."""
        n, half = self.grid.finest, Fraction(self.grid.half_width)
        slopes = [2 * half * a / n for a in normal]
        constant = -sum(a * (half + Fraction(x)) for a, x in zip(normal, origin.tolist(), strict=True))
        (form,) = RationalMatrix.of([[*slopes, constant]]).rows
        corners = ((*corner, 1) for corner in product((0, n), repeat=len(slopes)))
        return tuple(-x for x in form) if min(dot(form, corner) for corner in corners) >= 0 else form

    @property
    def n(self) -> int:
        """Number of heights, D - k."""
        return len(self.forms)

    def __call__(self, corners: Tensor) -> Tensor:
        """Heights (m, D - k) float64 of vertices (m, D) int64 of the grid."""
        heights = self._table[:, -1].expand(len(corners), -1)
        for axis, at in enumerate(corners.double().unbind(1)):  # a product might round otherwise with others
            heights = heights + at[:, None] * self._table[:, axis]
        vertex, form = (heights.abs() <= self._error).nonzero().unbind(1)
        pairs = zip(corners[vertex].tolist(), form.tolist(), strict=True)
        exact = [dot(self.forms[c], (*at, 1)) for at, c in pairs]
        signs = heights.new_tensor([(value > 0) - (value < 0) for value in exact])
        heights[vertex, form] = signs * heights[vertex, form].abs().clamp(min=torch.finfo(torch.float32).tiny)
        return heights


def _normals(basis: Tensor) -> Iterator[Vector]:
    """Independent vectors (D,) in integers that are orthogonal to the columns of a basis (D, k)."""
    (rows, scale), pivots = rref(RationalMatrix.of(basis.T.tolist()).rows)
    for free in range(len(basis)):
        if free not in pivots:
            normal = [scale * (axis == free) for axis in range(len(basis))]
            for pivot, row in zip(pivots, rows, strict=True):
                normal[pivot] = -row[free]
            yield tuple(normal)


def coordinates(grid: KuhnGrid) -> Affine:
    """The coordinates (k,) in a section of points (D,) on it, without rounding where axes span it."""
    assert grid.section is not None
    origin, basis = grid.section
    exact = [[Fraction(x) for x in row] for row in basis.double().tolist()]
    columns = list(zip(*exact, strict=True))
    gram = RationalMatrix.of([[sum(map(mul, a, b)) for b in columns] for a in columns])
    inverse = gram.inverse().fractions()
    weight = basis.new_tensor([[float(sum(map(mul, g, x))) for x in exact] for g in inverse])
    return Affine(weight, -(weight @ origin))


class _HeightRows:
    """Heights as rows after the D + 1 walls of a simplex, in exact arithmetic; points by their weights."""

    def __init__(self, heights: Heights) -> None:
        self._heights, self._dim = heights, heights.grid.dim

    def _values(self, words: Sequence[int]) -> list[list[int]]:
        """Heights (D - k, D + 1) at the corners of the simplex that the last word names."""
        simplex = torch.tensor([words[-1]])
        corners = corners_of(simplex, self._dim, self._heights.grid.finest)[0].tolist()
        return [[dot(form, (*corner, 1)) for corner in corners] for form in self._heights.forms]

    def vertex(self, zero_ids: Sequence[int], words: Sequence[int], _near: Sequence[float]) -> Vector:
        """Weigh the corners of a simplex such that a point is on walls and at heights of zero."""
        n, values = self._dim + 1, self._values(words)
        spanned = [corner for corner in range(n) if corner not in zero_ids]
        rows = [[values[row - n][corner] for corner in spanned] for row in zero_ids if row >= n]
        solved = null_vector(rows) if rows else (1,)
        weights = dict(zip(spanned, solved if sum(solved) > 0 else [-w for w in solved], strict=True))
        return tuple(weights.get(corner, 0) for corner in range(n))

    def signs(self, point: Vector, words: Sequence[int]) -> tuple[int, ...]:
        """Signs of all rows at a point, of walls as 0."""
        found = [dot(of_height, point) for of_height in self._values(words)]
        return (*(0,) * len(point), *((value > 0) - (value < 0) for value in found))

    def signs_at(self, codes: CellCodes, points: Tensor, vertex: Tensor, row: Tensor) -> SignsAt:
        """Find the signs of rows (k,) at vertices (k,), ascending, of those with these codes and points."""
        return one_by_one(self, codes, points, vertex, row)


def cut_out(
    skeleton: GrowingSkeleton, heights: Heights, state: Tensor, rows: Arrangement
) -> tuple[GrowingSkeleton, Tensor]:
    """Restrict the skeleton of simplices to where all heights vanish, with states (V, S).

    Args:
        skeleton: of simplices alone; its vertices are their corners, in order.
        heights: over the section.
        state: at its vertices.
        rows: tables of the arrangement; rows after the walls of a simplex serve the heights for the time.
    """
    grid, simplices = heights.grid, skeleton.words.rows[:: heights.grid.dim + 1, -1]
    over = heights(corners_of(simplices, grid.dim, grid.finest).flatten(0, 1)).to(state)
    n, first_row = over.shape[1], grid.dim + 1
    # Where a second height is zero on an edge of the grid rounding does not tell.
    band = doubtful_band(torch.float64)
    decisions = Decisions(partial(_HeightRows, heights), band, tells_places=False) if n > 1 else None
    carried = Growable(torch.cat([over, state], dim=1))
    cut = start_block(skeleton, carried, n, first_row, rows, decisions=decisions)
    while not cut.is_done:
        row = first_row + cut.n_done
        cut_by_next(skeleton, cut)
        is_on, edge_is_on = (ids.rows[:, -1] == row for ids in (skeleton.zero_ids, skeleton.edge_zero_ids))
        skeleton, cut = subcomplex(skeleton, cut, is_on, edge_is_on)
        for ids in ("zero_ids", "edge_zero_ids"):
            setattr(skeleton, ids, Growable(getattr(skeleton, ids).rows[:, :-1].contiguous()))
    return skeleton, cut.carried.rows[:, n:]
