"""The level set of a network on a grid: simplices that bounds do not rule out are cut, linked and welded."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.skeleton import Skeleton
from creased.core.complexes.polygons import Polygons
from creased.core.complexes.surface import Surface, link_curve, link_surface
from creased.core.grids.cell_maps import CornerStates
from creased.core.grids.cut import SimplexCutter, simplex_layout, why_stopped
from creased.core.grids.weld import Welder
from creased.core.numerics.memory import Resources
from creased.core.numerics.tensors import Growable
from creased.core.provenance import Provenance
from creased.core.subdivision.pieces import Piece, on_row
from creased.core.subdivision.problem import SubdivisionProblem


class _Parts(NamedTuple):
    """Linked surfaces of batches of simplices, one behind the other."""

    vertices: Growable  # and so on, in the order of `Skeleton`
    zero_ids: Growable
    words: Growable
    edges: Growable  # (E, 2) int64
    edge_zero_ids: Growable
    corners: Growable  # of the polygons
    sizes: Growable
    polygon_words: Growable

    @property
    def n_bytes(self) -> int:
        return sum(part.rows.nbytes for part in self)

    def skeleton(self) -> Skeleton:
        """Vertices and edges of all parts."""
        return Skeleton(*(part.rows for part in self[:5]))


def surface_on_grid(problem: SubdivisionProblem, resources: Resources) -> tuple[Surface, Provenance]:
    """Extract the zero set of the first output, complete, or as much of it as memory allows."""
    memory, provenance = resources.memory_on(problem.program.device), problem.provenance
    cutter, parts = SimplexCutter(problem), _no_parts(problem)
    n_simplices = n_inconsistent = 0
    for corners, piece in cutter.pieces():
        n_inconsistent += _add(parts, cutter, piece, corners)
        n_simplices += len(corners.simplices)
        resources.report(f"{n_simplices:,} simplices cut: {parts.vertices.n:,} vertices")
        if why := why_stopped(parts.vertices.n, parts.n_bytes, memory):
            provenance = provenance.stopped(why)
            break
    surface = _welded(parts, cutter, problem, is_whole=provenance.is_whole)
    return surface._replace(n_inconsistent=surface.n_inconsistent + n_inconsistent), provenance


def _no_parts(problem: SubdivisionProblem) -> _Parts:
    dim = problem.program.in_dim
    n_words = simplex_layout(problem.rows.layout, dim).n_words
    point, word = problem.program.head.weight.new_empty((0, dim)), problem.rows.bits.new_empty((0, n_words))
    ends, ids = word.new_empty((0, 2)), word.new_empty((0, dim), dtype=torch.int32)
    flat = word.new_empty(0)
    tables = (point, ids, word, ends, ids[:, 1:], flat, flat, word)
    return _Parts(*(Growable(table.clone()) for table in tables))


def _add(parts: _Parts, cutter: SimplexCutter, piece: Piece, corners: CornerStates) -> int:
    """Link the polygons of a piece, and append them; the number of faces left open."""
    first = parts.vertices.n
    cells = on_row(piece, cutter.rows.layout.first_output).skeleton
    cells = cells._replace(edges=cells.edges.long())
    n_inconsistent = piece.n_inconsistent
    if cutter.dim == 3:
        surface = link_surface(replace(cutter.maps, known=corners), cells, cutter.rows)
        n_inconsistent += surface.n_inconsistent
        parts.corners.append(first + surface.polygons.indices)
        parts.sizes.append(surface.polygons.sizes)
        parts.polygon_words.append(surface.polygon_words)
    parts.vertices.append(cells.vertices)
    parts.zero_ids.append(cells.zero_ids)
    parts.words.append(cells.words)
    parts.edges.append(first + cells.edges)
    parts.edge_zero_ids.append(cells.edge_zero_ids)
    return n_inconsistent


def _welded(parts: _Parts, cutter: SimplexCutter, problem: SubdivisionProblem, *, is_whole: bool) -> Surface:
    """Weld all parts to one surface."""
    welder = Welder.of(problem)
    welded = welder.weld_skeleton(parts.skeleton())
    zeros, along = welded.skeleton.edge_zero_ids, welded.along
    n_open = _count_open(along.zero_ids, zeros, welded.edge, cutter.dim) if is_whole else 0
    skeleton, _ = problem.settle(welded.skeleton)
    if cutter.dim == 2 and len(skeleton.edges):
        curve = link_curve(skeleton, cutter.maps.gradients(along.words), problem.rows.layout)
        return curve._replace(n_inconsistent=curve.n_inconsistent + n_open)
    polygons = Polygons.of_sizes(parts.sizes.rows, welded.vertex[parts.corners.rows])
    none = Polygons(welded.vertex.new_zeros(1), welded.vertex.new_zeros(0))
    return Surface(skeleton, polygons, welder.polygon_words(parts.polygon_words.rows), none, n_open)


def _count_open(own_zeros: Tensor, zeros: Tensor, number: Tensor, dim: int) -> int:
    """Count edges in a facet inside of the grid that are not found in both of its simplices.

    Args:
        own_zeros: zero ids (E, D - 1) of the edges in a simplex.
        zeros: those in the user's rows; a facet inside of the grid is a plane with an id below 0.
        number: the edge (n,) of each of those that were found.
        dim: D.
    """
    in_facet = ((own_zeros <= dim).sum(1) == 1) & ((zeros < 0).sum(1) == 1)
    counts = torch.bincount(number, minlength=len(zeros))
    return int((in_facet & (counts != 2)).sum())
