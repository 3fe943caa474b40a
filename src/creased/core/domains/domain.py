"""What a domain is: a convex set bounded by walls, with a skeleton that subdivision starts from.

A wall is a row like any other, with the inside on its + side. Domains are boxes (`box`), polytopes
(`polytope`), simplices (`simplex`), the whole space (`whole_space`), and whatever has the same members.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from creased.core.arrangement.skeleton import Skeleton

Rows = Sequence[Sequence[float]]  # of floats or integers, which stand for themselves


class Domain(Protocol):
    """A convex set, bounded by walls."""

    @property
    def dim(self) -> int:
        """D."""

    @property
    def n_walls(self) -> int:
        """M."""

    @property
    def lower(self) -> tuple[float, ...]:
        """Least coordinates of a box around it; -infinity where it is unbounded."""

    @property
    def upper(self) -> tuple[float, ...]:
        """Greatest coordinates of a box around it."""

    def halfspaces(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        """The walls as affine functions (D + 1, M), >= 0 inside, the constant last."""

    def exact_walls(self) -> Rows:
        """The same, without rounding, each up to a positive factor: M rows of D + 1 numbers."""

    def skeleton(self, n_words: int, dtype: torch.dtype, device: torch.device) -> Skeleton:
        """Its vertices and edges, each vertex on D walls, in words of that number.

        Raises:
            ValueError: it has none of its own, being unbounded.
        """
