"""The 1-skeleton of a complex, vertices and edges with their codes, and its state while a block cuts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from creased.core.arrangement.buckets import Buckets
from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.orthants import EARLIER, any_corner, edge_corners, own_vertices
from creased.core.arrangement.signs import WORD
from creased.core.arrangement.turns import Turns
from creased.core.numerics.tensors import Growable


class Skeleton(NamedTuple):
    """Vertices and edges of a complex with their codes; an edge's words are the OR of those of its ends."""

    vertices: Tensor  # (V, D) floating
    zero_ids: Tensor  # (V, D) int32, ascending: the rows that vanish at the vertex
    words: Tensor  # (V, W) int64, packed signs, bit 0 at the zero ids
    edges: Tensor  # (E, 2) int32
    edge_zero_ids: Tensor  # (E, D - 1) int32, ascending

    def along_edges(self) -> CellCodes:
        """Codes (E, ...) of the edges."""
        first, second = self.edges.unbind(1)
        return CellCodes(self.words[first] | self.words[second], self.edge_zero_ids)


def joined(skeletons: Sequence[Skeleton]) -> Skeleton:
    """Put skeletons that share nothing one behind the other; edges are int64."""
    parts, first = [], 0
    for cells in skeletons:
        parts.append(cells._replace(edges=cells.edges.long() + first))
        first += len(cells.vertices)
    return Skeleton(*(torch.cat(column) for column in zip(*parts, strict=True)))


@dataclass
class GrowingSkeleton:
    """A skeleton that subdivision cuts in place: the fields of `Skeleton`, and corners."""

    vertices: Growable
    zero_ids: Growable
    words: Growable
    edges: Growable
    edge_zero_ids: Growable
    corners: Growable | None  # (V, 2^D) int32, see `orthants`; None: nothing is pruned or split
    n_inconsistent: int = 0  # faces cut in other than two edges, by rounding

    @staticmethod
    def of(start: Skeleton, corners: Tensor | None = None) -> GrowingSkeleton:
        """Start from the skeleton of a domain, with corners (V, 2^D) or without."""
        vertices, zero_ids, words, edges, edge_zero_ids = map(Growable, start)
        around = None if corners is None else Growable(corners)
        return GrowingSkeleton(vertices, zero_ids, words, edges, edge_zero_ids, around)

    def columns(self) -> tuple[Growable, ...]:
        """The fields of `Skeleton`, in order."""
        return self.vertices, self.zero_ids, self.words, self.edges, self.edge_zero_ids

    def freeze(self) -> Skeleton:
        """Return the present skeleton."""
        return Skeleton(*(column.rows for column in self.columns()))


class SignDecisions(Protocol):
    """Decides doubtful signs while a block cuts; see `creased.core.exact.decisions`."""

    band: float  # values below this, relative to the largest, are in doubt

    @property
    def snaps(self) -> bool:
        """True if values within rounding are to be zero first."""

    def settle(
        self, values: Tensor, codes: CellCodes, points: Tensor, first_row: int, largest: float
    ) -> None:
        """Set small values (n, N) at vertices to their exact signs, in place; 0 where they are zero."""

    def place(
        self, shares: Tensor, gaps: Tensor, first: Tensor, codes: CellCodes, ends: Tensor, largest: float
    ) -> None:
        """Set shares (n, 1) of edges with small values at both ends exactly, in place."""


@dataclass
class BlockCut:
    """The state of one block of neurons while it cuts."""

    rows: Arrangement
    first_row: int
    n_neurons: int
    carried: Growable  # (V, N + P): preactivations, then passthrough
    buckets: Buckets  # the edges that each neuron, or turn, cuts next
    largest: float = 0.0  # absolute value carried when the block starts, or a scale that exceeds it
    n_done: int = 0  # number of neurons that have cut, or of turns
    decisions: SignDecisions | None = None  # decides doubtful signs; None: values within rounding are zero
    turns: Turns | None = None  # of neurons in simplices; None: one neuron cuts all that it does at once

    @property
    def words(self) -> slice:
        """Words that hold the block's rows."""
        return slice(self.first_row // WORD, (self.first_row + self.n_neurons - 1) // WORD + 1)

    @property
    def is_done(self) -> bool:
        """True if all neurons have cut."""
        return self.n_done == self.n_neurons

    def words_so_far(self, skeleton: GrowingSkeleton) -> Tensor:
        """Return packed signs (V, W) of the vertices for the rows that have cut."""
        return skeleton.words.rows & self.rows.before[self.first_row + self.n_done]


def corners_of_edges(cells: Skeleton, corners: Tensor, edges: Tensor, rows: Arrangement) -> Tensor:
    """Return the corners (n, 2^(D - 1)) of edges (n,), given those (V, 2^D) of the vertices."""
    first, second = cells.edges.index_select(0, edges).unbind(1)
    return edge_corners(
        corners.index_select(0, first),
        cells.zero_ids.index_select(0, first),
        cells.edge_zero_ids.index_select(0, edges),
        cells.words.index_select(0, second),
        rows.bits,
    )


def restrict(cells: Skeleton, is_kept: Tensor, edge: Tensor) -> Skeleton:
    """Take the vertices (V,) marked True, renumbered, and edges (n,) int64 between them."""
    vertex, number = is_kept.nonzero()[:, 0], (is_kept.cumsum(0) - 1).to(cells.edges.dtype)
    vertices, zero_ids, words = (part[vertex] for part in cells[:3])
    return Skeleton(vertices, zero_ids, words, number[cells.edges[edge].long()], cells.edge_zero_ids[edge])


def subcomplex(
    skeleton: GrowingSkeleton, cut: BlockCut, is_kept: Tensor, edge_is_kept: Tensor | None = None
) -> tuple[GrowingSkeleton, BlockCut]:
    """Restrict a skeleton and its block to the vertices (V,) and edges (E,) marked True.

    Without ``edge_is_kept``, all edges between kept vertices are kept.
    """
    vertex = is_kept.nonzero()[:, 0]
    number = torch.where(is_kept, is_kept.cumsum(0) - 1, -1).to(skeleton.edges.rows.dtype)
    if edge_is_kept is None:
        first, second = skeleton.edges.rows.unbind(1)
        edge_is_kept = is_kept.index_select(0, first) & is_kept.index_select(0, second)
    edge = edge_is_kept.nonzero()[:, 0]
    ends = skeleton.edges.rows.index_select(0, edge).reshape(-1)
    kept = GrowingSkeleton(
        vertices=skeleton.vertices.select(vertex),
        zero_ids=skeleton.zero_ids.select(vertex),
        words=skeleton.words.select(vertex),
        edges=Growable(number.index_select(0, ends).reshape(-1, 2)),
        edge_zero_ids=skeleton.edge_zero_ids.select(edge),
        corners=None if skeleton.corners is None else skeleton.corners.select(vertex),
        n_inconsistent=skeleton.n_inconsistent,
    )
    edge_number = torch.where(edge_is_kept, edge_is_kept.cumsum(0) - 1, -1)
    return kept, replace(cut, carried=cut.carried.select(vertex), buckets=cut.buckets.renumbered(edge_number))


def own_edges(cells: Skeleton, corners: Tensor | None, rows: Arrangement) -> Tensor:
    """True (E,) for the edges that belong to a piece: no region around them is in an earlier piece."""
    is_own = torch.ones(cells.edges.shape[0], dtype=torch.bool, device=cells.edges.device)
    if corners is None:
        return is_own
    is_shared = ~own_vertices(cells.vertices, corners)
    first, second = (is_shared.index_select(0, end) for end in cells.edges.unbind(1))
    doubt = (first & second).nonzero()[:, 0]  # all edges at an own vertex are own
    is_own[doubt] = ~any_corner(corners_of_edges(cells, corners, doubt, rows) == EARLIER)
    return is_own
