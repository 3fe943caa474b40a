"""Estimate the memory of a part that is cut, before it is taken: bounds of what the next step needs.

What is held is counted exactly. What a step takes beside that follows from what it gathers, sorts and
compares: two codes of each coface of an edge that is split, 2^D corners of each vertex while regions are
numbered. The factors are those of the tensors that are alive at once, measured in two to ten dimensions.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from creased.core.arrangement.signs import RowLayout
from creased.core.subdivision.subproblem import Subproblem


class Limits(NamedTuple):
    """What cutting may take."""

    n_bytes: float = math.inf
    deadline: float = math.inf  # on the monotonic clock, in seconds

    def is_late(self) -> bool:
        """Tell if the time is over."""
        return self.deadline < math.inf and time.monotonic() > self.deadline


NO_LIMITS = Limits()


class Footprint(NamedTuple):
    """Bytes that a part of one extraction takes while it is cut."""

    number: int  # of a floating-point number
    vertex: int  # of a vertex, without what the block carries
    edge: int  # of an edge, with its place in a bucket
    made: int  # of a new vertex with its edges
    split: int  # of a split edge, beside what it makes
    division: int  # of a vertex while regions are numbered

    @staticmethod
    def of(dim: int, layout: RowLayout, number: int, *, has_corners: bool) -> Footprint:
        """Estimate for D dimensions, the rows of a layout, and numbers of so many bytes."""
        n_words, n_corners = layout.n_words, 2**dim if has_corners else 0
        edge = 8 + 4 * (dim - 1) + 16
        vertex = dim * (number + 4) + 8 * n_words + 4 * n_corners
        coface = 90 + 24 * n_words + 12 * dim
        around = n_corners * (14 + 5 * dim // 2)
        return Footprint(
            number=number,
            vertex=vertex,
            edge=edge,
            made=vertex + dim * edge,
            split=100 + 48 * n_words + 16 * dim + 2 * (dim - 1) * coface + around,
            division=2**dim * (64 + 26 * dim + 24 * n_words),
        )

    def held(self, part: Subproblem) -> int:
        """Count the bytes of a part."""
        skeleton, width = part.skeleton, part.cut.carried.rows.shape[1]
        n_bytes = skeleton.vertices.n * (self.vertex + self.number * width) + skeleton.edges.n * self.edge
        return n_bytes if part.forms is None else n_bytes + sum(forms.nbytes for forms in part.forms)

    def to_cut(self, part: Subproblem) -> int:
        """Estimate the bytes of a part while its next neuron cuts it."""
        cut, skeleton = part.cut, part.skeleton
        if cut.is_done:
            return self.held(part)
        n_split, carried = cut.buckets.n(cut.n_done), self.number * cut.carried.rows.shape[1]
        moved = skeleton.vertices.n * max(carried, self.vertex)  # the largest column is moved where it grows
        return self.held(part) + moved + n_split * (self.made + carried + self.split)

    def to_advance(self, part: Subproblem, width: int) -> int:
        """Estimate the bytes of a part while its block ends and the next, of ``width`` numbers, starts."""
        n_vertices = part.skeleton.vertices.n
        state = 4 * self.number * n_vertices * width
        return self.held(part) + state + (n_vertices * self.division if part.forms is not None else 0)

    def to_divide(self, part: Subproblem) -> int:
        """Estimate the bytes of a part while it is divided."""
        return 2 * self.held(part) + part.skeleton.vertices.n * self.division
