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
from creased.core.grids.faces import Around, Faces, around, faces_in, join
from creased.core.grids.planes import heights_over
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
        self.welder, self._skeleton = Welder(grid, domain, layout), cells
        self._grid, self._walls = grid, self.welder.on_planes
        self._n_users = layout.n_words - 1
        self._vertices = self._vertices_of(cells)
        ends = cells.edges.long()
        faces = join(self._vertices.faces.choose(ends[:, 0]), self._vertices.faces.choose(ends[:, 1]))
        none = cells.words.new_zeros((len(ends), 0))
        self._edges = _Cells(faces, none, self._settled(cells.edge_zero_ids))
        self.codes, is_vertex = self._in_one_simplex(self._vertices, cells.zero_ids, cells.words)
        _, is_edge = self._in_one_simplex(self._edges, cells.edge_zero_ids, None)
        self.n_malformed = int((~is_vertex).sum()) + int((~is_edge).sum())  # cells whose codes are none

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

    def _vertices_of(self, cells: Skeleton) -> _Cells:
        n, dim, words = self._grid.finest, self._grid.dim, cells.words
        simplices = words[:, -1].clamp(0, n**dim * n_paths(dim) - 1)
        corners, zeros = corners_of(simplices, dim, n), self._as_planes(cells.zero_ids)
        is_spanned = (heights_over(zeros, corners, n) == 0).all(2).long()
        spanned = (is_spanned << torch.arange(dim + 1, device=simplices.device)).sum(1)
        faces = faces_in(simplices, spanned, dim, n)
        faces = faces._replace(chain=faces.chain.masked_fill(words[:, -1] != simplices, 0))
        is_plane = self._walls < 0
        bits = pack_rows(is_plane[None], 0, words.shape[1])
        return _Cells(faces, words | bits, self._settled(cells.zero_ids))

    def _as_planes(self, zero_ids: Tensor) -> Tensor:
        """Zero ids (n, z) int64 with walls that are planes of the grid as these."""
        zeros, n_walls = zero_ids.long(), len(self._walls)
        padded = torch.nn.functional.pad(self._walls, (0, 1))
        planes = padded[zeros.clamp(0, n_walls)]
        return torch.where((zeros >= 0) & (planes < 0), planes, zeros)

    def _settled(self, zero_ids: Tensor) -> Tensor:
        return self._as_planes(zero_ids).clamp(min=-1).sort(1).values

    def _in_one_simplex(
        self, cells: _Cells, zero_ids: Tensor, words: Tensor | None
    ) -> tuple[CellCodes, Tensor]:
        """Codes of cells in the first simplex around each; whether (n,) welding gives the cell's own back."""
        found = around(cells.faces, *self.welder.cubes).first()
        chosen = self._codes(cells, found)
        settled = self.welder.in_users_rows(chosen)
        is_right = (settled.zero_ids == zero_ids[found.owner]).all(1)
        if words is not None:
            is_right &= (settled.words[:, :-1] == words[found.owner, :-1]).all(1)
        codes = CellCodes(*(part.new_zeros((len(zero_ids), part.shape[1])) for part in chosen))
        for part, mine in zip(codes, chosen, strict=True):
            part.index_copy_(0, found.owner, mine)
        is_cell = torch.zeros_like(cells.faces.chain, dtype=torch.bool)
        return codes, is_cell.index_copy_(0, found.owner, is_right)

    def _codes(self, cells: _Cells, found: Around) -> CellCodes:
        """Codes (m,) of cells in the simplices found around them."""
        n_own, n_users = self._grid.dim + 1, self._n_users
        zeros = cells.zeros.index_select(0, found.owner)
        own = _missing(n_own, found.spanned.device).index_select(0, found.spanned)[:, : zeros.shape[1]]
        zeros = torch.where(zeros < 0, own, zeros + n_own)
        words = found.spanned.new_zeros((len(found.owner), self.layout.n_words))
        if cells.words.shape[1]:
            users = cells.words[:, :n_users].index_select(0, found.owner)
            words[:, :n_users] = users << n_own
            spilled = (users >> (WORD - n_own)) & ((1 << n_own) - 1)
            words[:, 1:-1] |= spilled[:, : self.layout.n_words - 2]
        words[:, 0] |= found.spanned
        words[:, -1] = found.simplices(self._grid.finest)
        return CellCodes(words, zeros.int())

    def _within(self, cubes: Tensor) -> Soup:
        """The cells in cubes with coordinates between two bounds (2, D)."""
        vertices, edges = (around(cells.faces, *cubes) for cells in (self._vertices, self._edges))
        codes = self._codes(self._vertices, vertices)
        ends = self._skeleton.edges.long().index_select(0, edges.owner)
        found = [vertices.find(self._vertices.faces, end, edges) for end in ends.unbind(1)]
        skeleton = Skeleton(
            vertices=self._skeleton.vertices.index_select(0, vertices.owner),
            zero_ids=codes.zero_ids,
            words=codes.words,
            edges=torch.stack(found, dim=1),
            edge_zero_ids=self._codes(self._edges, edges).zero_ids,
        )
        return Soup(skeleton, vertices.owner)


def _missing(n: int, device: torch.device) -> Tensor:
    """List, for each set of n numbers as bits, those that are not in it (2^n, n), ascending."""
    sets = torch.arange(1 << n, device=device)[:, None] >> torch.arange(n, device=device) & 1
    return sets.argsort(dim=1, stable=True)
