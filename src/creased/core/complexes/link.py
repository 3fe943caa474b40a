"""Link vertices and edges of a level set into polygons by codes, without positions.

Edges of the level set lie in 2-faces of the complex; the regions on the two sides of a 2-face hold the two
polygons that meet in the edge. So polygons are groups of edges with equal region codes, and their order
around is found by linking, not by angles: rounding cannot change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement, Cofaces
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.orthants import inside_walls
from creased.core.arrangement.signs import RowLayout
from creased.core.arrangement.skeleton import Skeleton
from creased.core.complexes.polygons import Polygons
from creased.core.domains.domain import Domain
from creased.core.numerics.pointer_doubling import match_pairs, order_chains
from creased.core.program.program import Program

BATCH = 1 << 12  # regions whose gradients are found in one go: their masks stay in the cache


class Sides(NamedTuple):
    """Incidences of edges and polygons, one entry a side."""

    edge: Tensor  # (H,) int64
    polygon: Tensor  # (H,) int64
    words: Tensor  # (F, W) int64: the region of each polygon


class Cycles(NamedTuple):
    """Linked polygons or polylines, each in one of its two directions."""

    cells: Polygons
    owner: Tensor  # (F,) int64: which polygon of the sides a cycle belongs to
    corner_edge: Tensor  # (n,) int64: the edge that leaves a corner; -1 at the end of an open chain
    n_open: int  # ends of chains that do not close
    n_nonmanifold: int  # sides that meet two others of their polygon already joined


def polygon_sides(surface: Skeleton, rows: Arrangement) -> Sides:
    """Group the two sides of every level-set edge (one on a wall) by region, D = 3."""
    words = surface.words[surface.edges[:, 0]] | surface.words[surface.edges[:, 1]]
    exists = inside_walls(surface.edge_zero_ids[:, :1], rows.layout.n_walls)
    regions = Cofaces(CellCodes(words, surface.edge_zero_ids), exists, rows)
    groups = regions.group()
    polygon = groups.numbers()
    first_sides = groups.firsts()
    return Sides(regions.cells(groups.order), polygon, regions.codes(first_sides).words)


def link_cycles(edges: Tensor, sides: Sides, n_vertices: int) -> Cycles:
    """Order the sides (H,) of each polygon; open chains stay open (polylines cut by a wall).

    Dart 2 h runs along side h from its first end, dart 2 h + 1 from its second.
    """
    tails = edges[sides.edge].reshape(-1)  # (2 H,): where each dart starts
    mates, n_nonmanifold = match_pairs(sides.polygon.repeat_interleave(2) * n_vertices + tails)
    darts = torch.arange(tails.shape[0], device=tails.device)
    arrival = darts ^ 1  # the dart that starts where this one ends
    chains = order_chains(mates[arrival])
    # The other direction of a chain through dart d is the chain through d ^ 1: keep one of the two.
    name = torch.full_like(darts, darts.shape[0]).scatter_reduce(0, chains.last, darts, "amin")[chains.last]
    kept = (name < name[arrival]).nonzero()[:, 0]
    order = kept[_argsort_pairs(name[kept], -chains.n_behind[kept])]
    is_first = torch.ones_like(order, dtype=torch.bool)
    is_first[1:] = name[order[1:]] != name[order[:-1]]
    cycles = _close_chains(order, is_first.nonzero()[:, 0], tails, mates, sides)
    return cycles._replace(n_nonmanifold=n_nonmanifold)


def _close_chains(order: Tensor, first: Tensor, tails: Tensor, mates: Tensor, sides: Sides) -> Cycles:
    """Turn ordered darts into corners: their tails, and for an open chain its last head."""
    last = torch.cat([first[1:], torch.full_like(first[:1], order.shape[0])]) - 1
    is_open = mates[order[last] ^ 1] < 0
    offsets = torch.nn.functional.pad((last - first + 1 + is_open).cumsum(0), (1, 0))
    n_corners = int(offsets[-1])
    corner = torch.arange(order.shape[0], device=order.device)
    corner += torch.repeat_interleave(offsets[:-1] - first, last - first + 1, output_size=len(order))
    corner_edge = torch.full((n_corners,), -1, dtype=torch.int64, device=order.device)
    corner_edge[corner] = sides.edge[order // 2]
    indices = torch.empty_like(corner_edge)
    indices[corner] = tails[order]
    ends = is_open.nonzero()[:, 0]
    indices[offsets[ends + 1] - 1] = tails[order[last[ends]] ^ 1]
    owner = sides.polygon[order[first] // 2]
    return Cycles(Polygons(offsets, indices), owner, corner_edge, int(is_open.sum()), 0)


def drop_open(cycles: Cycles) -> Cycles:
    """Keep the closed chains."""
    cells = cycles.cells
    is_closed = cycles.corner_edge[cells.offsets[1:] - 1] >= 0
    corner = is_closed[cells.owners()].nonzero()[:, 0]
    kept = Polygons.of_sizes(cells.sizes[is_closed], cells.indices[corner])
    return Cycles(kept, cycles.owner[is_closed], cycles.corner_edge[corner], 0, cycles.n_nonmanifold)


def _argsort_pairs(major: Tensor, minor: Tensor) -> Tensor:
    """Sort pairs by major, then by minor."""
    order = torch.argsort(minor, stable=True)
    return order[torch.argsort(major[order], stable=True)]


class CellMaps(Protocol):
    """Affine maps of rows in regions, given by their packed signs."""

    def gradients(self, words: Tensor) -> Tensor:
        """Gradients (F, D) of the first output in regions (F, W)."""

    def row_gradients(self, words: Tensor) -> Tensor:
        """Gradients (n, D, n_rows) of all rows in regions (n, W)."""


@dataclass(frozen=True)
class ProgramMaps:
    """The maps of a program on a domain."""

    program: Program
    domain: Domain
    layout: RowLayout

    def gradients(self, words: Tensor) -> Tensor:
        """Gradients (F, D) of the first output in regions (F, W)."""
        patterns = (self.layout.masks(batch, self.program.dtype) for batch in words.split(BATCH))
        return torch.cat([self.program.gradients_on(pattern) for pattern in patterns])

    def row_gradients(self, words: Tensor) -> Tensor:
        """Gradients (n, D, n_rows) of all rows in regions (n, W)."""
        walls = self.domain.halfspaces(self.program.dtype, self.program.device)[:-1]
        maps = self.program.maps_on(self.layout.masks(words, self.program.dtype))[:, :-1]
        return torch.cat([walls.expand(len(words), -1, -1), maps], dim=2)
