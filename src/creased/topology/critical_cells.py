"""The critical cells of a filtered complex that is given slab by slab, and their boundaries.

The cells of a slab are paired within their lower stars (`creased.topology.discrete_morse`), those in the
plane between two slabs among themselves, alike in both. So pairs are those of one acyclic matching of the
whole: paths of pairs lead to lower stars, and within a star from the inside of a slab to its planes. A path
stays in one slab until it ends or comes to a plane, which it does not leave. So each slab tells the
boundaries of its own critical cells, and only those in its last plane are remembered (after Mischaikow and
Nanda 2013).

Vertices are ranked by sign, then by value, then in the order in which slabs come; those in a plane have the
rounded values of the slab that comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from creased.topology.discrete_morse import Matching, MorseBoundary, match_lower_stars, morse_boundary
from creased.topology.plane_cells import PlaneCells
from creased.topology.sublevel_filtration import FilteredComplex


class CriticalCells(NamedTuple):
    """Critical cells, in the order of the filtration."""

    dims: Tensor  # (c,) int64
    values: Tensor  # (c,) float64: at the highest vertex of each
    signs: Tensor  # (c,) int8: of the values, exact
    points: Tensor  # (c, D): the vertex
    boundary: MorseBoundary  # their numbers are places in this order
    largest: float  # finite absolute value at any vertex


class _Ranked(NamedTuple):
    """Vertices (V,) of a slab, by which its cells are filtered."""

    values: Tensor
    signs: Tensor
    number: Tensor  # among the vertices of all slabs

    def ascending(self) -> Tensor:
        """Order (V,) of the filtration."""
        order = self.number.argsort()
        for key in (self.values, self.signs):
            order = order[key[order].argsort(stable=True)]
        return order


@dataclass(frozen=True)
class _Front:
    """What is remembered of a plane."""

    plane: PlaneCells
    vertices: _Ranked  # in the plane
    matching: Matching  # of the cells in the plane
    number: Tensor  # (n',) int64: of these, among all critical cells


class CriticalCellsBySlab:
    """Finds the critical cells of the sublevel sets of a function, or of its negative, slab by slab.

    Args:
        direction: 1 for f, -1 for -f.
        modulo: a prime p for incidence numbers in Z / p; 0 for integers.
    """

    def __init__(self, direction: int, modulo: int) -> None:
        self._direction, self._modulo = direction, modulo
        self._front: _Front | None = None
        self._n_vertices, self._n_critical, self._largest = 0, 0, 0.0
        self._tables: list[tuple[Tensor, ...]] = []  # dims, values, signs, points, numbers of vertices
        self._boundaries: list[MorseBoundary] = []

    def add(self, slab: FilteredComplex) -> None:
        """Reduce the next slab.

        Raises:
            ArithmeticError: it does not fit the one before, as rounding left cells wrong.
        """
        vertices, cells = self._ranked(slab), slab.cells
        order = vertices.ascending()
        ranks = torch.empty_like(order).index_copy_(0, order, torch.arange(len(order)))
        star = cells.highest(ranks)
        matching, upper = self._matched(slab, star)
        boundary = morse_boundary(cells, matching, self._modulo)
        number, is_new = star.new_full((cells.n,), -1), torch.ones_like(star, dtype=torch.bool)
        if self._front is not None and slab.lower is not None:
            number[slab.lower.number] = self._front.number
            is_new[slab.lower.number] = False
        critical = matching.critical()
        critical = critical[is_new[critical]]
        number[critical] = self._n_critical + torch.arange(len(critical))
        at = order[star[critical]]
        found = vertices.values[at], vertices.signs[at], slab.points[at], vertices.number[at]
        self._tables.append((cells.dims()[critical], *found))
        kept = is_new[boundary.cell].nonzero()[:, 0]
        cell, face, value = (column[kept] for column in boundary)
        self._boundaries.append(MorseBoundary(number[cell], number[face], value))
        self._n_critical += len(critical)
        self._n_vertices = int(vertices.number.max()) + 1
        sizes = vertices.values.abs()
        self._largest = max(self._largest, float(sizes.masked_fill(sizes.isinf(), 0).max()))
        if slab.upper is not None and upper is not None:
            on = slab.upper.number
            in_plane = _Ranked(*(column[on[: slab.upper.cells.counts[0]]] for column in vertices))
            self._front = _Front(slab.upper, in_plane, upper, number[on])

    def found(self) -> CriticalCells:
        """Sort what was found: by vertex, faces before cells."""
        dims, values, signs, points, vertex = (
            torch.cat(column) for column in zip(*self._tables, strict=True)
        )
        order = dims.argsort(stable=True)
        for key in (vertex, values, signs):
            order = order[key[order].argsort(stable=True)]
        place = torch.empty_like(order).index_copy_(0, order, torch.arange(len(order)))
        cell, face, value = (torch.cat(column) for column in zip(*self._boundaries, strict=True))
        boundary = MorseBoundary(place[cell], place[face], value)
        return CriticalCells(dims[order], values[order], signs[order], points[order], boundary, self._largest)

    def _ranked(self, slab: FilteredComplex) -> _Ranked:
        """Number the vertices of a slab; those in the plane before it have numbers and values."""
        values, signs = (self._direction * column for column in slab.at_vertices)
        if self._front is None or slab.lower is None:
            return _Ranked(values, signs, self._n_vertices + torch.arange(len(values)))
        if not self._front.plane.is_same(slab.lower):
            raise ArithmeticError("topology: rounding left cells between slabs wrong")
        known = slab.lower.number[: slab.lower.cells.counts[0]]
        is_new = torch.ones_like(signs, dtype=torch.bool).index_fill_(0, known, value=False)
        number = self._n_vertices + is_new.cumsum(0) - 1
        for column, before in zip((values, signs, number), self._front.vertices, strict=True):
            column[known] = before
        return _Ranked(values, signs, number)

    def _matched(self, slab: FilteredComplex, star: Tensor) -> tuple[Matching, Matching | None]:
        """Pair the cells of a slab, those in its planes by themselves; return those of the last, too."""
        is_inside, parts, matched = torch.ones_like(star, dtype=torch.bool), [], None
        if self._front is not None and slab.lower is not None:
            parts.append((slab.lower.number, self._front.matching))
        if slab.upper is not None:
            matched = match_lower_stars(slab.upper.cells, star[slab.upper.number])
            parts.append((slab.upper.number, matched))
        for number, _ in parts:
            is_inside[number] = False
        whole = match_lower_stars(slab.cells, star, is_inside)
        for number, part in parts:
            for mine, theirs in zip((whole.upper, whole.lower), (part.upper, part.lower), strict=True):
                mine[number] = torch.where(theirs < 0, -1, number[theirs])
        return whole, matched
