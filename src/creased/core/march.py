"""Marching: walks a level set from cell to cell, at the cost of its faces, not of the volume.

From cells that points of the level set lie in, all their neighbours across the sides of their polygons are
visited, one breadth-first frontier at a time in one batch: the neighbour across a row has the same sign
vector but for that row. Sides and corners are named by their codes, as in subdivision, and become the same
level set.

What is proven is that components that a seed lies on are found whole; a component without a seed is missed.
Where corners coincide within rounding, sides can disagree about who follows whom: those are left out and
counted.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.cofaces import Arrangement
from creased.core.domain import Box
from creased.core.facets import Facets, find_facets
from creased.core.memory import working_bytes
from creased.core.pairing import CellCodes, cell_keys, group_codes
from creased.core.program import Program
from creased.core.signs import pack_rows, unpack_rows
from creased.core.skeleton import Skeleton

SHARE = 16  # cells are cut in batches whose maps take this part of the working memory: they stay in the cache


class Frontier(NamedTuple):
    """Cells to visit."""

    words: Tensor  # (C, W) int64: packed signs, those of the outputs left 0
    points: Tensor  # (C, D): a point of the level set in each


class Walked(NamedTuple):
    """What was found."""

    skeleton: Skeleton  # of the level set
    n_cells: int
    n_doubtful: int  # sides that do not fit to their neighbours


def march(program: Program, domain: Box, rows: Arrangement, seeds: Tensor) -> Walked:
    """The components of {f = 0} that seeds (m, D) lie on, D = 2 or 3."""
    walk = _Walk(program, domain, rows)
    frontier = walk.first(seeds)
    while frontier.words.shape[0]:
        frontier = walk.visit(frontier)
    return walk.finish()


class _Visited:
    """The cells visited so far, found again by key and compared in full."""

    def __init__(self, rows: Arrangement) -> None:
        self._table = rows.keys
        self._keys = rows.bits.new_empty(0)
        self._words = rows.bits[:0]

    @property
    def n(self) -> int:
        return self._keys.shape[0]

    def add_new(self, words: Tensor) -> Tensor:
        """Indices of the cells (m, W) that are new, the first of each; from now on they are not."""
        codes = CellCodes(words, torch.empty((words.shape[0], 0), dtype=torch.int32, device=words.device))
        groups = group_codes(codes, self._table)
        none = torch.full_like(groups.order, words.shape[0])[: int(groups.starts.sum())]
        first = none.scatter_reduce(0, groups.numbers(), groups.order, "amin")
        keys = cell_keys(codes.choose(first), self._table)
        place = torch.searchsorted(self._keys, keys).clamp(max=max(self.n - 1, 0))
        if self.n:
            is_known = (self._words[place] == words[first]).all(1)
            first, keys = first[~is_known], keys[~is_known]
        self._keys, order = torch.sort(torch.cat([self._keys, keys]))
        self._words = torch.cat([self._words, words[first]])[order]
        return first


class _Walk:
    """What was visited, and the sides found."""

    def __init__(self, program: Program, domain: Box, rows: Arrangement) -> None:
        self.program, self.domain, self.rows = program, domain, rows
        self.visited = _Visited(rows)
        self._found: list[tuple[Tensor, Facets]] = []  # words of the cell of each side, and the sides
        self._n_cut = 0
        layout = rows.layout
        n_bytes = 8 * (program.in_dim + 1) * layout.n_rows  # of the rows' maps on a cell
        self._batch = max(working_bytes(program.device) // (SHARE * n_bytes), 64)
        self._diameter = math.dist(domain.lower, domain.upper)
        self._walls = domain.halfspaces(program.dtype, program.device)

    def first(self, seeds: Tensor) -> Frontier:
        """The cells that the seeds lie in."""
        z = self.program.preactivations(seeds)[:, : self.rows.layout.n_neurons]
        inside = torch.ones((z.shape[0], self.rows.layout.n_walls), dtype=torch.bool, device=z.device)
        words = pack_rows(torch.cat([inside, z >= 0], dim=1), 0, self.rows.layout.n_words)
        return self._new(words, seeds)

    def visit(self, frontier: Frontier) -> Frontier:
        """Cut the cells of a frontier; the next one is their neighbours that are new."""
        words, points, lengths = [], [], []
        pieces = zip(frontier.words.split(self._batch), frontier.points.split(self._batch), strict=True)
        for cells, inside in pieces:
            facets = self._cut(cells, inside)
            mine = cells.index_select(0, facets.cell)
            self._found.append((mine, facets._replace(cell=facets.cell + self._n_cut)))
            self._n_cut += cells.shape[0]
            passable = (facets.row >= self.rows.layout.n_walls).nonzero()[:, 0]
            words.append(mine[passable] ^ self.rows.bits[facets.row[passable]])
            points.append((facets.start[passable] + facets.end[passable]) / 2)
            lengths.append((facets.start[passable] - facets.end[passable]).abs().amax(1))
        # A cell is entered across its longest known side, far from its corners.
        order = torch.argsort(torch.cat(lengths), descending=True, stable=True)
        return self._new(torch.cat(words)[order], torch.cat(points)[order])

    def _new(self, words: Tensor, points: Tensor) -> Frontier:
        new = self.visited.add_new(words)
        return Frontier(words[new], points[new])

    def _cut(self, cells: Tensor, points: Tensor) -> Facets:
        layout = self.rows.layout
        signs = unpack_rows(cells, layout.n_walls, layout.n_neurons)
        maps = self.program.maps_on(signs.to(points.dtype))
        value, gradient = maps[:, -1, layout.n_neurons], maps[:, :-1, layout.n_neurons]
        value = value + (points * gradient).sum(1)
        points = points - gradient * (value / gradient.square().sum(1))[:, None]  # or rounding would add up
        walls = self._walls.expand(cells.shape[0], -1, -1)
        rows = torch.cat([walls, maps[..., : layout.n_neurons]], dim=2)
        sides = torch.nn.functional.pad(signs, (layout.n_walls, 0), value=True)
        return find_facets(rows, sides, gradient, points, self._diameter)

    def finish(self) -> Walked:
        """Corners and sides, each once; sides that rounding left without a neighbour are left out."""
        if not self._found:
            return Walked(self._nothing(), 0, 0)
        words = torch.cat([w for w, _ in self._found])
        facets = Facets(*(torch.cat(part) for part in zip(*(f for _, f in self._found), strict=True)))
        following, fits = _follow(facets, self.rows.layout.n_rows)
        corners, edges = self._codes(facets, words)
        vertex, first = _number(corners, self.rows)
        ends = torch.stack([vertex, vertex[following]], dim=1)[fits]
        edges = CellCodes(edges.words[fits], edges.zero_ids[fits])
        number, edge = _number(edges, self.rows)
        sides = (vertex, facets.row) if self.program.in_dim == 2 else (number, facets.row[fits])
        n_doubtful = int((~fits).sum()) + _count_open(*sides, self.rows.layout.n_walls)
        skeleton = Skeleton(
            vertices=facets.start[first],
            zero_ids=corners.zero_ids[first],
            words=corners.words[first],
            edges=ends[edge],
            edge_zero_ids=edges.zero_ids[edge],
        )
        return Walked(skeleton, self.visited.n, n_doubtful)

    def _codes(self, facets: Facets, words: Tensor) -> tuple[CellCodes, CellCodes]:
        """Of the corner where a side starts, and of the edge of the level set that it is or (D = 2) ends."""
        bits, level = self.rows.bits, torch.full_like(facets.row, self.rows.layout.first_output)
        side = words & ~bits[facets.row]
        if self.program.in_dim == 2:
            corner = torch.stack([facets.row, level], dim=1)
            return CellCodes(side, corner.to(torch.int32)), CellCodes(words, level[:, None].to(torch.int32))
        low, high = torch.minimum(facets.row, facets.before), torch.maximum(facets.row, facets.before)
        corner = torch.stack([low, high, level], dim=1).to(torch.int32)
        edge = torch.stack([facets.row, level], dim=1).to(torch.int32)
        return CellCodes(side & ~bits[facets.before], corner), CellCodes(side, edge)

    def _nothing(self) -> Skeleton:
        dim = self.program.in_dim
        vertices = self._walls.new_empty((0, dim))
        ids = torch.empty((0, dim), dtype=torch.int32, device=vertices.device)
        return Skeleton(vertices, ids, self.rows.bits[:0], ids[:, :1].long().expand(-1, 2), ids[:, 1:])


def _follow(facets: Facets, n_rows: int) -> tuple[Tensor, Tensor]:
    """The side (n,) that follows each around its piece, and whether the two agree that it does."""
    keys, order = torch.sort(facets.cell * n_rows + facets.row)
    wanted = facets.cell * n_rows + facets.after
    place = torch.searchsorted(keys, wanted).clamp(max=keys.shape[0] - 1)
    following = order[place]
    return following, (keys[place] == wanted) & (facets.before[following] == facets.row)


def _count_open(side: Tensor, row: Tensor, n_walls: int) -> int:
    """How many sides, given the numbers (n,) and rows of all that were found, are not those of two pieces.

    On a wall they are those of one.
    """
    counts = torch.bincount(side)
    expected = torch.full_like(counts, 2)
    expected[side[row < n_walls]] = 1
    return int((counts != expected).sum())


def _number(codes: CellCodes, rows: Arrangement) -> tuple[Tensor, Tensor]:
    """Numbers (n,) of codes, equal ones alike, and the first entry of each."""
    groups = group_codes(codes, rows.keys)
    numbers = torch.empty_like(groups.order)
    numbers[groups.order] = groups.numbers()
    return numbers, groups.order[groups.starts]
