"""Sections of a grid: which simplices an affine subspace meets, and the skeleton of what it cuts out of them.

The subspace is where some affine functions vanish, the heights. Their signs at vertices of the grid are
exact, so that simplices agree about them. A height of zero counts as +, as everywhere: the subspace is moved
by nothing off the faces of the grid that lie in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from operator import mul

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.skeleton import GrowingSkeleton, subcomplex
from creased.core.arrangement.subdivide import cut_by_next, start_block
from creased.core.exact.elimination import RationalMatrix, Vector, dot, rref
from creased.core.numerics.tensors import Growable
from creased.core.numerics.tolerance import rounding_error
from creased.core.program.kuhn_grid import KuhnGrid
from creased.core.program.program import Affine


class Heights:
    """Affine functions of grid coordinates that vanish on the section of a grid; their signs are exact.

    Args:
        grid: with a section.
    """

    def __init__(self, grid: KuhnGrid) -> None:
        assert grid.section is not None
        self._grid, dim = grid, grid.dim
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
        n, half = self._grid.finest, Fraction(self._grid.half_width)
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


def cut_out(
    skeleton: GrowingSkeleton, heights: Tensor, state: Tensor, first_row: int, rows: Arrangement
) -> tuple[GrowingSkeleton, Tensor]:
    """Restrict the skeleton of simplices to where all heights (V, D - k) vanish, with states (V, S).

    Args:
        skeleton: of D dimensions.
        heights: at its vertices.
        state: at its vertices.
        first_row: of the rows that the heights have for the time being.
        rows: tables of the arrangement.
    """
    n = heights.shape[1]
    cut = start_block(skeleton, Growable(torch.cat([heights, state], dim=1)), n, first_row, rows)
    while not cut.is_done:
        row = first_row + cut.n_done
        cut_by_next(skeleton, cut)
        is_on, edge_is_on = (ids.rows[:, -1] == row for ids in (skeleton.zero_ids, skeleton.edge_zero_ids))
        skeleton, cut = subcomplex(skeleton, cut, is_on, edge_is_on)
        for ids in ("zero_ids", "edge_zero_ids"):
            setattr(skeleton, ids, Growable(getattr(skeleton, ids).rows[:, :-1].contiguous()))
    return skeleton, cut.carried.rows[:, n:]
