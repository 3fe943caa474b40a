"""Simplices as domains: the convex hull of D + 1 points, with a wall opposite of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from creased.core.arrangement.signs import pack_rows
from creased.core.arrangement.skeleton import Skeleton
from creased.core.domains.domain import BoundedDomain, Rows
from creased.core.exact.elimination import RationalMatrix, primitive
from creased.core.formatting import cut_list, format_point
from creased.core.numerics.linear_algebra import independent_rows

Table = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Simplex(BoundedDomain):
    """The convex hull of D + 1 points; wall ``i`` is opposite of point ``i``.

    Raises:
        ValueError: there are not D + 1 points of D finite coordinates, or they have no volume.
    """

    points: Table

    def __init__(self, points: Sequence[Sequence[float]] | Tensor) -> None:
        object.__setattr__(self, "points", tuple(tuple(float(x) for x in row) for row in points))
        dims = {len(row) for row in self.points}
        if dims != {len(self.points) - 1} or len(self.points) < 2:
            raise ValueError(f"Simplex: needs D + 1 points of D coordinates, got {self.points}")
        if not all(math.isfinite(x) for row in self.points for x in row):
            raise ValueError(f"Simplex: points must be finite, got {self.points}")
        at = torch.tensor(self.points, dtype=torch.float64)
        n_spanned = len(independent_rows(at[1:] - at[:1]))
        if n_spanned < self.dim:
            raise ValueError(f"Simplex: the points span {n_spanned} dimensions of {self.dim}: no volume")

    @property
    def dim(self) -> int:
        """Ambient dimension D."""
        return len(self.points) - 1

    @property
    def n_walls(self) -> int:
        """Number of walls D + 1."""
        return len(self.points)

    @property
    def lower(self) -> tuple[float, ...]:
        """Least coordinates of its points."""
        return tuple(min(column) for column in zip(*self.points, strict=True))

    @property
    def upper(self) -> tuple[float, ...]:
        """Greatest coordinates of its points."""
        return tuple(max(column) for column in zip(*self.points, strict=True))

    def halfspaces(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        """Barycentric coordinates as affine functions (D + 1, D + 1), the constant last."""
        rows = [[float(x) for x in row] for row in self._barycentric().fractions()]
        return torch.tensor(rows, dtype=torch.float64).to(device, dtype)

    def exact_walls(self) -> Rows:
        """Multiples of barycentric coordinates (D + 1, D + 1) in integers."""
        return [primitive(column) for column in zip(*self._barycentric().rows, strict=True)]

    def _barycentric(self) -> RationalMatrix:
        """Barycentric coordinates, without rounding, as the columns of a matrix (D + 1, D + 1)."""
        return RationalMatrix.of([(*point, 1) for point in self.points]).inverse()

    def skeleton(self, n_words: int, dtype: torch.dtype, device: torch.device) -> Skeleton:
        """The points, and an edge for each pair of them."""
        cells = simplex_skeleton(torch.tensor(self.points, dtype=dtype), n_words)
        return Skeleton(*(part.to(device) for part in cells))

    def __repr__(self) -> str:
        return f"the simplex of {cut_list(map(format_point, self.points))}"


def simplex_skeleton(points: Tensor, n_words: int) -> Skeleton:
    """Make the skeleton of a simplex with vertices (D + 1, k); wall k is opposite of vertex k."""
    n = points.shape[0]
    every = torch.arange(n)
    edges = torch.combinations(every)
    without = [[k for k in range(n) if k not in pair] for pair in edges.tolist()]
    return Skeleton(
        vertices=points,
        zero_ids=torch.stack([every[every != k] for k in range(n)]).int(),
        words=pack_rows(torch.eye(n, dtype=torch.bool), 0, n_words),
        edges=edges.int(),
        edge_zero_ids=torch.tensor(without, dtype=torch.int32).reshape(len(edges), n - 2),
    )
