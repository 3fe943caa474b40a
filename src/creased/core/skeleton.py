"""The 1-skeleton of a complex: vertices and edges with their codes, at rest and while it is being cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.cofaces import Arrangement
from creased.core.corners import corners_of_domain
from creased.core.growable import Growable
from creased.core.signs import WORD


class Skeleton(NamedTuple):
    """Vertices and edges of a complex, each cell with its code; an edge's words are those of its ends."""

    vertices: Tensor  # (V, D) floating
    zero_ids: Tensor  # (V, D) int32, ascending: the rows that vanish at the vertex
    words: Tensor  # (V, W) int64, packed signs, bit 0 at the zero ids
    edges: Tensor  # (E, 2) int32
    edge_zero_ids: Tensor  # (E, D - 1) int32, ascending


class GrowingSkeleton:
    """A skeleton that subdivision cuts in place; its fields are those of `Skeleton`, and corners.

    Args:
        start: the skeleton of a domain.
        numbered: whether vertices are to carry the numbers of the regions around them, for pruning.
    """

    def __init__(self, start: Skeleton, *, numbered: bool = False) -> None:
        self.vertices = Growable(start.vertices)
        self.zero_ids = Growable(start.zero_ids)
        self.words = Growable(start.words)
        self.edges = Growable(start.edges)
        self.edge_zero_ids = Growable(start.edge_zero_ids)
        self.corners = Growable(corners_of_domain(start.zero_ids)) if numbered else None  # (V, 2^D)
        self.n_torn = 0  # faces that rounding left with other than two cuts

    def keep(self, is_kept: Tensor, cut: BlockCut) -> None:
        """Keep the vertices (V,) marked True, what is carried for them, and the edges between them."""
        assert self.corners is not None
        vertex = is_kept.nonzero()[:, 0]
        number = torch.where(is_kept, is_kept.cumsum(0) - 1, -1).to(self.edges.rows.dtype)
        for growable in (self.vertices, self.zero_ids, self.words, self.corners, cut.carried):
            growable.select(vertex)
        edges = number.index_select(0, self.edges.rows.reshape(-1)).reshape(-1, 2)
        edge_is_kept = (edges >= 0).all(1)
        edge = edge_is_kept.nonzero()[:, 0]
        self.edges = Growable(edges.index_select(0, edge))
        self.edge_zero_ids.select(edge)
        edge_number = torch.where(edge_is_kept, edge_is_kept.cumsum(0) - 1, -1)
        for bucket in cut.buckets:
            moved = [edge_number.index_select(0, piece) for piece in bucket]
            left = (piece[piece >= 0] for piece in moved)
            bucket[:] = [piece for piece in left if piece.numel()]

    def freeze(self) -> Skeleton:
        """The skeleton as it is now."""
        return Skeleton(
            vertices=self.vertices.rows,
            zero_ids=self.zero_ids.rows,
            words=self.words.rows,
            edges=self.edges.rows,
            edge_zero_ids=self.edge_zero_ids.rows,
        )


@dataclass
class BlockCut:
    """What one block of neurons adds to the working state while it cuts."""

    rows: Arrangement
    first_row: int
    n_neurons: int
    carried: Growable  # (V, N + P): preactivations, then passengers
    buckets: list[list[Tensor]]  # for each neuron, pieces (n,) int64 of the edges that it cuts next
    coarse_noise: float = 0.0  # values larger than this are no rounding noise

    @property
    def words(self) -> slice:
        """The words that hold the block's rows."""
        return slice(self.first_row // WORD, (self.first_row + self.n_neurons - 1) // WORD + 1)
