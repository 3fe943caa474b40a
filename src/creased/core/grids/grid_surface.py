"""The level set of a network on a grid: simplices that bounds do not rule out are cut, linked and welded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.skeleton import Skeleton, joined
from creased.core.complexes.polygons import Polygons
from creased.core.complexes.surface import Surface, link_curve, link_surface
from creased.core.grids.cell_maps import CornerStates
from creased.core.grids.cut import SimplexCutter, why_stopped
from creased.core.grids.search import Share
from creased.core.grids.weld import Welder
from creased.core.numerics.memory import Resources
from creased.core.numerics.tensors import Growable
from creased.core.provenance import Provenance
from creased.core.subdivision.pieces import Piece, on_row
from creased.core.subdivision.problem import SubdivisionProblem
from creased.core.subdivision.sub_boxes import Parts, together


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


class _Cut(NamedTuple):
    """The linked surface of a share of the simplices, not welded."""

    skeleton: Skeleton  # its edges int64
    corners: Tensor  # of the polygons
    sizes: Tensor
    polygon_words: Tensor
    n_inconsistent: int
    provenance: Provenance


def surface_on_grid(
    problem: SubdivisionProblem, resources: Resources, parts: Parts
) -> tuple[Surface, Provenance]:
    """Extract the zero set of the first output, complete, or as much of it as memory allows.

    Args:
        problem: of a program with a grid.
        resources: of each part.
        parts: shares of the simplices, and the map that cuts them.
    """
    shares = [Share(index, parts.n) for index in range(parts.n)]
    cuts = list(parts.map(partial(_cut_share, problem, resources), shares))
    provenance = together([cut.provenance for cut in cuts], problem.provenance)
    surface = _welded(cuts, problem, is_whole=provenance.is_whole)
    n_inconsistent = sum(cut.n_inconsistent for cut in cuts)
    return surface._replace(n_inconsistent=surface.n_inconsistent + n_inconsistent), provenance


def _cut_share(problem: SubdivisionProblem, resources: Resources, share: Share) -> _Cut:
    memory, provenance = resources.memory_on(problem.program.device), problem.provenance
    cutter = SimplexCutter(problem)
    parts = _no_parts(cutter)
    n_simplices = n_inconsistent = 0
    for corners, piece in cutter.pieces(share):
        n_inconsistent += _add(parts, cutter, piece, corners)
        n_simplices += len(corners.simplices)
        resources.report(f"{n_simplices:,} simplices cut: {parts.vertices.n:,} vertices")
        if why := why_stopped(parts.vertices.n, parts.n_bytes, memory):
            provenance = provenance.stopped(why)
            break
    rows = [part.rows if share.n == 1 else part.rows.clone() for part in parts]  # to be sent without its room
    of_polygons, sizes, words = rows[5:]
    return _Cut(Skeleton(*rows[:5]), of_polygons, sizes, words, n_inconsistent, provenance)


def _no_parts(cutter: SimplexCutter) -> _Parts:
    cells = cutter.no_cells()
    flat = cells.words.new_empty(0)
    return _Parts(*map(Growable, (*cells, flat, flat.clone(), cells.words.clone())))


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


def _welded(cuts: Sequence[_Cut], problem: SubdivisionProblem, *, is_whole: bool) -> Surface:
    """Weld the surfaces of all shares to one."""
    welder = Welder.of(problem)
    offsets = list(accumulate((len(cut.skeleton.vertices) for cut in cuts), initial=0))[:-1]
    welded = welder.weld_skeleton(joined([cut.skeleton for cut in cuts]))
    zeros, along = welded.skeleton.edge_zero_ids, welded.along
    n_open = _count_open(along.zero_ids, zeros, welded.edge, welder.n_own) if is_whole else 0
    skeleton, _ = problem.settle(welded.skeleton)
    if problem.domain.dim == 2 and len(skeleton.edges):
        gradients = SimplexCutter(problem).maps.gradients(along.words)
        curve = link_curve(skeleton, gradients, problem.rows.layout)
        return curve._replace(n_inconsistent=curve.n_inconsistent + n_open)
    corners = torch.cat([cut.corners + first for cut, first in zip(cuts, offsets, strict=True)])
    sizes, words = (torch.cat(column) for column in zip(*(cut[2:4] for cut in cuts), strict=True))
    polygons = Polygons.of_sizes(sizes, welded.vertex[corners])
    none = Polygons(welded.vertex.new_zeros(1), welded.vertex.new_zeros(0))
    return Surface(skeleton, polygons, welder.polygon_words(words), none, n_open)


def _count_open(own_zeros: Tensor, zeros: Tensor, number: Tensor, n_own: int) -> int:
    """Count edges in a facet inside of the grid that are not found in both of its simplices.

    Args:
        own_zeros: zero ids (E, D - 1) of the edges in a simplex.
        zeros: those in the user's rows; a facet inside of the grid is a plane with an id below 0.
        number: the edge (n,) of each of those that were found.
        n_own: walls of a simplex.
    """
    in_facet = ((own_zeros < n_own).sum(1) == 1) & ((zeros < 0).sum(1) == 1)
    counts = torch.bincount(number, minlength=len(zeros))
    return int((in_facet & (counts != 2)).sum())
