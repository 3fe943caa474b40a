"""The Protocol of domains: convex sets bounded by walls, with a skeleton that subdivision starts from.

A wall is a row like any other, with the inside on its + side. Domains are boxes (`box`), polytopes
(`polytope`), simplices (`simplex`), the whole space (`whole_space`), and whatever has the same members. A
bounded one derives from `BoundedDomain`, and has to say where its walls and its vertices are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from creased.core.arrangement.orthants import corners_of_domain
from creased.core.arrangement.signs import RowLayout
from creased.core.arrangement.skeleton import Skeleton
from creased.core.program.program import Program

Rows = Sequence[Sequence[float]]  # of floats or integers, which stand for themselves


class Start(NamedTuple):
    """A skeleton to cut, and the program that cuts it."""

    program: Program  # that cuts: of homogeneous coordinates (x, w) where the domain is unbounded
    affine: Program  # the same of x, its rows in the same order
    skeleton: Skeleton  # of the domain, or of what the first neurons make of it
    corners: Tensor  # (V, 2^D) int32, see `creased.core.arrangement.orthants`
    n_started: int = 0  # neurons of the first block that have cut it already
    order: Tensor | None = None  # (n_rows,) int64: the user's number of each row; None: its own

    def copied(self) -> tuple[Skeleton, Tensor]:
        """Copy skeleton and corners, to be cut in place."""
        return Skeleton(*(part.clone() for part in self.skeleton)), self.corners.clone()


class Domain(Protocol):
    """A convex set, bounded by walls."""

    @property
    def dim(self) -> int:
        """Ambient dimension D."""

    @property
    def n_walls(self) -> int:
        """Number of walls M."""

    @property
    def is_bounded(self) -> bool:
        """Whether it lies in a box; else row 0 is the wall at infinity."""

    @property
    def is_box(self) -> bool:
        """Whether it is the box from lower to upper, with the walls in the order of `Box`."""

    @property
    def lower(self) -> tuple[float, ...]:
        """Least coordinates of a box around it; -infinity where it is unbounded."""

    @property
    def upper(self) -> tuple[float, ...]:
        """Greatest coordinates of a box around it."""

    def halfspaces(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        """The walls as affine functions (D + 1, M), >= 0 inside, the constant last."""

    def exact_walls(self) -> Rows:
        """The walls without rounding, each up to a positive factor: M rows of D + 1 numbers."""

    def skeleton(self, n_words: int, dtype: torch.dtype, device: torch.device) -> Skeleton:
        """Vertices and edges, each vertex on D walls, with packed signs in ``n_words`` words.

        Raises:
            ValueError: it has none of its own, being unbounded.
        """

    def start(self, program: Program, layout: RowLayout) -> Start:
        """Make the start of subdivision by a program.

        Raises:
            ValueError: the program has no start in this domain.
        """


class BoundedDomain(ABC):
    """Default members of bounded domains, derived from their walls and skeleton."""

    is_bounded = True
    is_box = False

    @abstractmethod
    def halfspaces(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        """The walls as affine functions (D + 1, M), >= 0 inside, the constant last."""

    @abstractmethod
    def skeleton(self, n_words: int, dtype: torch.dtype, device: torch.device) -> Skeleton:
        """Vertices and edges, each vertex on D walls, with packed signs in ``n_words`` words."""

    def exact_walls(self) -> Rows:
        """The walls (M, D + 1), as they are given in double precision."""
        rows: list[list[float]] = self.halfspaces(torch.float64, torch.device("cpu")).T.tolist()
        return rows

    def start(self, program: Program, layout: RowLayout) -> Start:
        """Start from the domain's own skeleton, all of it one region."""
        skeleton = self.skeleton(layout.n_words, program.dtype, program.device)
        return Start(program, program, skeleton, corners_of_domain(skeleton.zero_ids))


def require_domain(caller: str, domain: object) -> None:
    """Refuse what is no domain; None, which stands for a default, is none to refuse.

    Raises:
        TypeError: naming its class.
    """
    if domain is not None and not hasattr(domain, "n_walls"):
        kind = type(domain).__name__
        raise TypeError(f"{caller}: a domain is a Box, a Polytope, a Simplex or the WholeSpace, got a {kind}")
