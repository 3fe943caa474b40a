"""Weld cells that several simplices share: they are known by grid faces and signs, not by position.

A cell of a simplex lies on some of its walls, and so in the face that the other corners span. Its name is the
numbers of these corners with its zeros and signs of the user's rows. The same cell has one name in all
simplices. Afterwards walls of simplices are replaced by planes, read off the face alone: coordinates that its
corners share, then differences of coordinates that step together. Planes that are walls of the domain get
their rows, others ids below zero.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes, group_words
from creased.core.arrangement.signs import WORD, RowLayout, pack_rows, unpack_rows
from creased.core.arrangement.skeleton import Skeleton
from creased.core.complexes.unperturbed import Signs
from creased.core.domains.domain import Domain
from creased.core.grids.planes import cubes_within, plane_id, walls_on_planes
from creased.core.program.kuhn_grid import KuhnGrid, vertex_numbers
from creased.core.program.simplices import corners_of, least_simplices
from creased.core.subdivision.problem import SubdivisionProblem


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
        walls, device = domain.exact_walls(), grid.tables[0].device
        self.on_planes = walls_on_planes(grid, walls).to(device)
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
        groups = group_words(self._names(codes))
        numbers = torch.empty_like(groups.order).index_copy_(0, groups.order, groups.numbers())
        n, every = int(groups.starts.sum()), torch.arange(len(numbers), device=numbers.device)
        first = torch.full((n,), len(numbers), device=numbers.device)
        ordered, rank = first.scatter_reduce_(0, numbers, every, "amin").sort()
        place = torch.empty_like(rank).index_copy_(0, rank, torch.arange(n, device=numbers.device))
        return ordered, place[numbers]

    def is_own(self, codes: CellCodes) -> Tensor:
        """True (n,) for cells in the first of the simplices that share them."""
        return least_simplices(*self._face(codes), self.cubes[0], self.grid.finest) == codes.words[:, -1]

    def _names(self, codes: CellCodes) -> Tensor:
        """Names (n, k) int64, equal where cells are."""
        is_own = codes.zero_ids < self.n_own
        corners, is_spanned = self._face(codes)
        numbers = vertex_numbers(corners, self.grid.finest).masked_fill(~is_spanned, -1)
        zeros = codes.zero_ids.long().masked_fill(is_own, -1)
        return torch.cat([numbers.sort(1).values, self.users_words(codes.words)[:, :-1], zeros], dim=1)

    def names_of_signs(self, signs: Signs) -> Tensor:
        """Names (n, k) int64 of cells given by true signs, the simplex in the last word of plus."""
        corners = corners_of(signs.plus[:, -1], self.grid.dim, self.grid.finest)
        numbers = vertex_numbers(corners, self.grid.finest)
        is_off = unpack_rows(signs.plus, 0, self.n_own)  # of walls of the simplex, whose signs are 0 or +
        spanned = numbers.masked_fill(~is_off, -1).sort(1).values
        return torch.cat([spanned, *(self.users_words(words)[:, :-1] for words in signs)], dim=1)

    def _face(self, codes: CellCodes) -> tuple[Tensor, Tensor]:
        """Corners (n, D + 1, D) of the simplex of each cell, and which (n, D + 1) span its face."""
        ids = codes.zero_ids.long()
        corners = corners_of(codes.words[:, -1], self.grid.dim, self.grid.finest)
        is_spanned = torch.ones((len(ids), self.n_own + 1), dtype=torch.bool, device=ids.device)
        is_spanned.scatter_(1, ids.clamp(max=self.n_own), False)
        return corners, is_spanned[:, :-1]

    def users_words(self, words: Tensor) -> Tensor:
        """Words (n, W') in the user's numbers: without the walls of simplices, which are the lowest bits."""
        n, kept = self.n_own, (1 << (WORD - self.n_own)) - 1
        low = (words[:, :-1] >> n) & kept
        low[:, :-1] |= words[:, 1:-1] << (WORD - n)
        return torch.cat([low[:, : self.layout.n_words - 1], words[:, -1:]], dim=1)

    def in_users_rows(self, codes: CellCodes) -> CellCodes:
        """Codes in the user's numbers, with planes of the grid in place of walls of simplices; ascending."""
        corners, is_spanned = self._face(codes)
        planes, is_used = self._planes_through(corners, is_spanned)
        order = torch.argsort((~is_used).to(torch.int8), dim=1, stable=True)[:, : codes.zero_ids.shape[1]]
        is_own = codes.zero_ids < self.n_own  # walls of a simplex come first
        zeros = torch.where(is_own, planes.gather(1, order), codes.zero_ids.long() - self.n_own)
        words = self.with_walls(self.users_words(codes.words), zeros)
        return CellCodes(words, zeros.sort(1).values.int())

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

    def _planes_through(self, corners: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Ids (n, P) of planes that may hold the kept corners of simplices, and which (n, P) to use."""
        dim = corners.shape[2]
        first = kept.to(torch.int8).argmax(1)
        base = corners.gather(1, first[:, None, None].expand(-1, 1, dim))
        moves = (corners - base) * kept[:, :, None]
        base, is_fixed = base[:, 0], (moves == 0).all(1)  # (n, D)
        n = self.grid.finest
        ids = [plane_id(axis, base[:, axis], n) for axis in range(dim)]
        is_used = [is_fixed[:, axis] for axis in range(dim)]
        for j in range(1, dim):
            is_taken = is_fixed[:, j]
            for i in reversed(range(j)):
                together = (moves[:, :, i] == moves[:, :, j]).all(1) & ~is_taken
                ids.append(plane_id(dim + i * dim + j, base[:, i] - base[:, j], n))
                is_used.append(together)
                is_taken = is_taken | together
        planes = torch.stack(ids, dim=1)
        for wall in (self.on_planes < 0).nonzero()[:, 0].tolist():
            planes = torch.where(planes == self.on_planes[wall], wall, planes)
        return planes, torch.stack(is_used, dim=1)
