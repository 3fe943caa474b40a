"""Weld cells that several simplices share: they are known by grid faces and signs, not by position.

A cell of a simplex lies on some of its walls, and so in the face that the other corners span. Its name is the
number of this face with its zeros and signs of the user's rows. The same cell has one name in all simplices.
Afterwards walls of simplices are replaced by planes, read off the face alone: coordinates that its corners
share, then differences of coordinates that step together. Planes that are walls of the domain get their rows,
others ids below zero.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes, group_words
from creased.core.arrangement.signs import WORD, RowLayout, pack_rows
from creased.core.arrangement.skeleton import Skeleton
from creased.core.complexes.unperturbed import Signs
from creased.core.domains.domain import Domain
from creased.core.grids.faces import Faces, faces_in
from creased.core.grids.planes import cubes_within, least_plane, normals, walls_on_planes
from creased.core.program.kuhn_grid import KuhnGrid
from creased.core.program.simplices import corners_of, least_simplices
from creased.core.subdivision.problem import SubdivisionProblem

ID_BITS = 21  # of a row number, of which a cell has three at most


class Welded(NamedTuple):
    """A skeleton on which each cell is once, in the user's rows."""

    skeleton: Skeleton  # its edges int64
    vertex: Tensor  # (V,) int64: which one each vertex of a simplex was
    along: CellCodes  # of its edges, in the rows of a simplex
    edge: Tensor  # (E,) int64: which one each edge of a simplex was


class Welder:
    """Names cells of simplices, and renames their rows.

    Args:
        grid: whose simplices were cut.
        domain: where.
        layout: how the user's rows are numbered; in codes of simplices D + 1 walls of their own come first.
    """

    def __init__(self, grid: KuhnGrid, domain: Domain, layout: RowLayout) -> None:
        self.grid, self.domain, self.layout = grid, domain, layout
        self.n_own = grid.dim + 1
        self._all_corners = (1 << self.n_own) - 1
        walls, device = domain.exact_walls(), grid.tables[0].device
        self._planes_of_walls = walls_on_planes(grid, walls).ids
        self.on_planes = self._planes_of_walls.to(device)
        self.cubes = cubes_within(grid, walls).to(device)

    @staticmethod
    def of(problem: SubdivisionProblem) -> Welder:
        """Make the welder of a problem on a grid."""
        assert problem.program.grid is not None
        return Welder(problem.program.grid, problem.domain, problem.rows.layout)

    def weld_skeleton(self, cells: Skeleton) -> Welded:
        """Weld vertices and edges of simplices that share nothing; edges are int64."""
        codes, along = CellCodes(cells.words, cells.zero_ids), cells.along_edges()
        vertex, number = self.weld(codes)
        edge, edge_number = self.weld(along)
        settled, along = self.in_users_rows(codes.choose(vertex)), along.choose(edge)
        skeleton = Skeleton(
            vertices=cells.vertices[vertex],
            zero_ids=settled.zero_ids,
            words=settled.words,
            edges=number[cells.edges[edge]],
            edge_zero_ids=self.in_users_rows(along).zero_ids,
        )
        return Welded(skeleton, number, along, edge_number)

    def weld(self, codes: CellCodes) -> tuple[Tensor, Tensor]:
        """The first of cells (n,) with each name, in order, and the number (n,) of each cell's name."""
        spanned = self._spanned(codes.zero_ids)
        lead = torch.arange(len(spanned), device=spanned.device)
        shared = (spanned != self._all_corners).nonzero()[:, 0]  # others are inside of a simplex
        groups = group_words(self._names(codes.choose(shared), spanned[shared]))
        lead[shared[groups.order]] = shared[groups.firsts()][groups.numbers()]
        is_first = torch.zeros_like(spanned, dtype=torch.bool).index_fill_(0, lead, value=True)
        return is_first.nonzero()[:, 0], (is_first.cumsum(0) - 1)[lead]

    def is_own(self, codes: CellCodes) -> Tensor:
        """True (n,) for cells in the first of the simplices that share them."""
        corners = corners_of(codes.words[:, -1], self.grid.dim, self.grid.finest)
        every = torch.arange(self.n_own, device=corners.device)
        is_spanned = (self._spanned(codes.zero_ids)[:, None] >> every) & 1 == 1
        return least_simplices(corners, is_spanned, self.cubes[0], self.grid.finest) == codes.words[:, -1]

    def _spanned(self, zero_ids: Tensor) -> Tensor:
        """Corners of the simplex that span the face of each cell, (n,) int64, as bits."""
        bits = 1 << zero_ids.long().clamp(max=self.n_own)
        return self._all_corners - (bits & self._all_corners).sum(1)

    def _faces(self, simplices: Tensor, spanned: Tensor) -> Faces:
        return faces_in(simplices, spanned, self.grid.dim, self.grid.finest)

    def _names(self, codes: CellCodes, spanned: Tensor) -> Tensor:
        """Names (n, k) int64, equal where cells are."""
        faces = self._faces(codes.words[:, -1], spanned).numbers(self.grid.finest)
        zeros = torch.zeros_like(faces)
        for ids in codes.zero_ids.long().unbind(1):
            zeros = zeros << ID_BITS | ids.masked_fill(ids < self.n_own, 0)
        return torch.cat([faces[:, None], self.users_words(codes.words)[:, :-1], zeros[:, None]], dim=1)

    def names_of_signs(self, signs: Signs) -> Tensor:
        """Names (n, k) int64 of cells given by true signs, the simplex in the last word of plus."""
        spanned = signs.plus[:, 0] & self._all_corners  # off the walls of the simplex, whose signs are 0 or +
        faces = self._faces(signs.plus[:, -1], spanned).numbers(self.grid.finest)
        return torch.cat([faces[:, None], *(self.users_words(words)[:, :-1] for words in signs)], dim=1)

    def users_words(self, words: Tensor) -> Tensor:
        """Words (n, W') in the user's numbers: without the walls of simplices, which are the lowest bits."""
        n, kept = self.n_own, (1 << (WORD - self.n_own)) - 1
        low = (words[:, :-1] >> n) & kept
        low[:, :-1] |= words[:, 1:-1] << (WORD - n)
        return torch.cat([low[:, : self.layout.n_words - 1], words[:, -1:]], dim=1)

    def in_users_rows(self, codes: CellCodes) -> CellCodes:
        """Codes in the user's numbers, with planes of the grid in place of walls of simplices; ascending."""
        faces = self._faces(codes.words[:, -1], self._spanned(codes.zero_ids))
        planes = self.planes_through(faces, codes.zero_ids.shape[1])
        is_own = codes.zero_ids < self.n_own  # walls of a simplex come first
        zeros = torch.where(is_own, planes, codes.zero_ids.long() - self.n_own)
        words = self.with_walls(self.users_words(codes.words), zeros)
        return CellCodes(words, zeros.sort(1).values.int())

    def planes_through(self, faces: Faces, n: int) -> Tensor:
        """Ids (m, n) of planes through faces, or rows of walls there; first those that determine it."""
        axes = faces.planes()[:, :n]
        offsets = (normals(self.grid.dim, axes.device)[axes] * faces.base[:, None]).sum(2)
        return self._plane_ids[axes, offsets + self.grid.finest]

    def with_walls(self, words: Tensor, zeros: Tensor) -> Tensor:
        """Words with the bits of the domain's walls: inside of all but those among zeros (n, z)."""
        n_walls = self.layout.n_walls
        is_off = torch.ones((len(words), n_walls + 1), dtype=torch.bool, device=words.device)
        is_off.scatter_(1, torch.where((zeros >= 0) & (zeros < n_walls), zeros, n_walls), False)
        every = pack_rows(torch.ones_like(is_off[:1, :-1]), 0, words.shape[1])
        return (words & ~every) | pack_rows(is_off[:, :-1], 0, words.shape[1])

    def polygon_words(self, words: Tensor) -> Tensor:
        """Words of regions in the user's numbers."""
        return self.with_walls(self.users_words(words), words.new_empty((len(words), 0)))

    @cached_property
    def _plane_ids(self) -> Tensor:
        """Ids (D + D^2, 2 n + 1) of planes by axes and offset; rows of walls that lie on them."""
        ids = torch.arange(-1, least_plane(self.grid.dim, self.grid.finest) - 1, -1)
        for wall, plane in reversed(list(enumerate(self._planes_of_walls.tolist()))):
            if plane < 0:
                ids[-1 - plane] = wall
        return ids.reshape(-1, 2 * self.grid.finest + 1).to(self.on_planes.device)
