"""Keep edges by the neuron of a block, or the turn, that cuts them next, so that it visits no others."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class Buckets(Protocol):
    """The edges that each neuron, or turn, cuts next."""

    def n(self, turn: int) -> int:
        """Return how many edges a neuron cuts."""

    def renumbered(self, numbers: Tensor) -> Buckets:
        """Keep the edges that have new numbers (E,) int64, not -1."""


class Batches(NamedTuple):
    """Buckets of batches, in the order in which they were found."""

    batches: list[list[Tensor]]  # of edges (n,) int64, for each neuron

    @staticmethod
    def of(n_neurons: int) -> Batches:
        """Make empty buckets."""
        return Batches([[] for _ in range(n_neurons)])

    def n(self, turn: int) -> int:
        """Return how many edges a neuron cuts."""
        return sum(map(len, self.batches[turn]))

    def renumbered(self, numbers: Tensor) -> Batches:
        """Keep the edges that have new numbers (E,) int64, not -1."""
        moved = [[numbers.index_select(0, piece) for piece in bucket] for bucket in self.batches]
        return Batches(
            [[left for piece in bucket if (left := piece[piece >= 0]).numel()] for bucket in moved]
        )

    def take(self, turn: int) -> Tensor:
        """Empty the bucket of a neuron; return its edges (n,)."""
        split = joined(self.batches[turn])
        self.batches[turn].clear()
        return split


def joined(parts: list[Tensor]) -> Tensor:
    """Join tensors (n, ...), one behind the other."""
    return parts[0] if len(parts) == 1 else torch.cat(parts)
