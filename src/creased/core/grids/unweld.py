"""Take a welded skeleton apart again: its cells in each simplex, in the rows with which simplices are cut.

The rows on which a cell lies tell the face of the grid that it is in, and the face the simplices around it.
In each of them the cell is known by walls of the simplex, the other zeros, and signs. So every simplex is a
domain, and what holds of an arrangement in a domain can be checked in each.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import WORD, RowLayout, pack_rows, unpack_rows
from creased.core.arrangement.skeleton import Skeleton
from creased.core.complexes.unperturbed import Signs
from creased.core.domains.domain import Domain
from creased.core.grids.cut import simplex_layout
from creased.core.grids.faces import Faces, around, faces_in, join
from creased.core.grids.planes import heights_over, least_plane
from creased.core.grids.weld import Welder
from creased.core.program.kuhn_grid import KuhnGrid
from creased.core.program.simplices import corners_of, n_paths

AT_ONCE = 1 << 18  # vertices of a slab of simplices, about


class _Cells(NamedTuple):
    """Welded cells."""

    faces: Faces
    words: Tensor  # (n, W) int64: with the bits of walls that are planes of the grid set
    zeros: Tensor  # (n, z) int64, ascending: planes as -1, then the others


class Soup(NamedTuple):
    """Skeletons of simplices that share nothing."""

    skeleton: Skeleton  # its edges int64
    vertex: Tensor  # (n,) int64: the welded vertex of each


class Unwelded:
    """A welded skeleton, simplex by simplex.

    Args:
        cells: with codes in the user's rows.
        grid: on which it lies.
        domain: in which.
        layout: how the user's rows are numbered.
    """

    def __init__(self, cells: Skeleton, grid: KuhnGrid, domain: Domain, layout: RowLayout) -> None:
        self.layout = simplex_layout(layout, grid.dim)
        self.welder, self._skeleton, self._grid = Welder(grid, domain, layout), cells, grid
        self._walls, self._n_users = self.welder.on_planes, layout.n_words - 1
        every = torch.arange(len(cells.words), device=cells.words.device)
        simplices, spanned = self._places(cells)
        self._vertices = self._vertices_of(cells, simplices, spanned)
        self.codes = self._codes(self._vertices, every, simplices, spanned)  # (V, ...) in one simplex each
        self._edges = self._edges_of(cells)
        words = self.welder.with_walls(cells.words, cells.zero_ids.long())
        is_vertex = self._is_welded(self._vertices, cells.zero_ids) & (words == cells.words).all(1)
        is_edge = self._is_welded(self._edges, cells.edge_zero_ids)
        self.n_malformed = int((~is_vertex).sum()) + int((~is_edge).sum())  # cells whose codes are none

    @property
    def names(self) -> Tensor:
        """Names (V, k) int64 of the vertices, equal where these are."""
        faces, words, zeros = self._vertices
        return torch.cat([faces.numbers(self._grid.finest)[:, None], words[:, :-1], zeros], dim=1)

    @cached_property
    def soup(self) -> Soup:
        """The skeletons of all simplices."""
        return self._within(self.welder.cubes)

    def slabs(self) -> Iterator[Soup]:
        """Those of some layers of cubes at a time."""
        n = self._grid.finest
        counts = torch.bincount(self._vertices.faces.base[:, 0].clamp(0, n), minlength=n + 1).tolist()
        lower, held = 0, 0
        for layer, count in enumerate(counts[:n]):
            held += 4 * count
            if held > AT_ONCE or layer == n - 1:
                layers = self.welder.cubes[:, 0].clamp(lower, layer + 1)
                yield self._within(torch.cat([layers[:, None], self.welder.cubes[:, 1:]], dim=1))
                lower, held = layer + 1, 0

    def users_signs(self, signs: Signs) -> Signs:
        """Signs of cells in the user's rows; 0 of a wall that their face of the grid lies on."""
        plus, minus = (self.welder.users_words(words) for words in signs)
        corners = corners_of(plus[:, -1], self._grid.dim, self._grid.finest)
        is_off = unpack_rows(signs.plus, 0, corners.shape[1])[:, :, None]  # of walls of the simplex
        is_on = ~(is_off & (heights_over(self._walls, corners, self._grid.finest) != 0)).any(1)
        return Signs(plus & ~pack_rows(is_on & (self._walls < 0), 0, plus.shape[1]), minus)

    def _places(self, cells: Skeleton) -> tuple[Tensor, Tensor]:
        """A simplex (V,) that holds each vertex, and bits (V,) of its corners that span the vertex's face."""
        n, dim = self._grid.finest, self._grid.dim
        simplices = cells.words[:, -1].clamp(0, n**dim * n_paths(dim) - 1)
        corners = corners_of(simplices, dim, n)
        is_spanned = (heights_over(self._as_planes(cells.zero_ids), corners, n) == 0).all(2)
        return simplices, (is_spanned.long() << torch.arange(dim + 1, device=simplices.device)).sum(1)

    def _vertices_of(self, cells: Skeleton, simplices: Tensor, spanned: Tensor) -> _Cells:
        faces = faces_in(simplices, spanned, self._grid.dim, self._grid.finest)
        faces = faces._replace(chain=faces.chain.masked_fill(cells.words[:, -1] != simplices, 0))
        bits = pack_rows(self._walls[None] < 0, 0, cells.words.shape[1])
        return _Cells(faces, cells.words | bits, self._settled(cells.zero_ids))

    def _edges_of(self, cells: Skeleton) -> _Cells:
        first, second = (self._vertices.faces.choose(end) for end in cells.edges.long().unbind(1))
        none = cells.words.new_zeros((len(cells.edges), 0))
        return _Cells(join(first, second), none, self._settled(cells.edge_zero_ids))

    def _is_welded(self, cells: _Cells, zero_ids: Tensor) -> Tensor:
        """True (n,) where zero ids (n, z) are those that welding gives: planes through the face, and rows."""
        n_corners, is_plane = cells.faces.n_corners(), cells.zeros < 0
        planes = self.welder.planes_through(cells.faces, zero_ids.shape[1])
        expected = torch.where(is_plane, planes, cells.zeros).sort(1).values
        is_right = (expected == zero_ids).all(1)
        return is_right & (n_corners > 0) & (is_plane.sum(1) == self._grid.dim + 1 - n_corners)

    def _as_planes(self, zero_ids: Tensor) -> Tensor:
        """Zero ids (n, z) int64 with walls that are planes of the grid as these; none out of range."""
        least, n_walls = least_plane(self._grid.dim, self._grid.finest), len(self._walls)
        zeros = zero_ids.long().clamp(least, self.welder.layout.n_rows - 1)
        padded = torch.nn.functional.pad(self._walls, (0, 1))
        planes = padded[zeros.clamp(0, n_walls)]
        return torch.where((zeros >= 0) & (planes < 0), planes, zeros)

    def _settled(self, zero_ids: Tensor) -> Tensor:
        return self._as_planes(zero_ids).clamp(min=-1).sort(1).values

    def _codes(self, cells: _Cells, which: Tensor, simplices: Tensor, spanned: Tensor) -> CellCodes:
        """Codes (m,) of cells (m,) in simplices (m,), of which these corners, as bits, span their faces."""
        n_own, n_users = self._grid.dim + 1, self._n_users
        zeros = cells.zeros.index_select(0, which)
        own = _missing(n_own, which.device).index_select(0, spanned)[:, : zeros.shape[1]]
        zeros = torch.where(zeros < 0, own, zeros + n_own)
        words = which.new_zeros((len(which), self.layout.n_words))
        if cells.words.shape[1]:
            users = cells.words[:, :n_users].index_select(0, which)
            words[:, :n_users] = users << n_own
            spilled = (users >> (WORD - n_own)) & ((1 << n_own) - 1)
            words[:, 1:-1] |= spilled[:, : self.layout.n_words - 2]
        words[:, 0] |= spanned
        words[:, -1] = simplices
        return CellCodes(words, zeros.int())

    def _within(self, cubes: Tensor) -> Soup:
        """The cells in cubes with coordinates between two bounds (2, D)."""
        n = self._grid.finest
        vertices, edges = (around(cells.faces, *cubes) for cells in (self._vertices, self._edges))
        codes, along = (
            self._codes(cells, each.owner, each.simplices(n), each.spanned)
            for cells, each in ((self._vertices, vertices), (self._edges, edges))
        )
        ends = self._skeleton.edges.long().index_select(0, edges.owner)
        found = [vertices.find(self._vertices.faces, end, edges) for end in ends.unbind(1)]
        skeleton = Skeleton(
            vertices=self._skeleton.vertices.index_select(0, vertices.owner),
            zero_ids=codes.zero_ids,
            words=codes.words,
            edges=torch.stack(found, dim=1),
            edge_zero_ids=along.zero_ids,
        )
        return Soup(skeleton, vertices.owner)


def _missing(n: int, device: torch.device) -> Tensor:
    """List, for each set of n numbers as bits, those that are not in it (2^n, n), ascending."""
    sets = torch.arange(1 << n, device=device)[:, None] >> torch.arange(n, device=device) & 1
    return sets.argsort(dim=1, stable=True)
