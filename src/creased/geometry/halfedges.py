"""Half-edge connectivity of a polygon mesh; without gradients.

A half-edge is a side of a polygon, directed counter-clockwise; half-edge h leaves corner h of
`Polygons.indices`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.complexes.polygons import Polygons, twins


class Halfedges(NamedTuple):
    """The n half-edges of F polygons."""

    tail: Tensor  # (n,) int64: the vertex that it leaves
    head: Tensor  # (n,) int64: the vertex that it ends at
    following: Tensor  # (n,) int64: the next one around the polygon
    polygon: Tensor  # (n,) int64
    twin: Tensor  # (n,) int64: the other half-edge of the same edge; -1 at a boundary
    n_polygons: int

    def inner_edges(self) -> Tensor:
        """Select one half-edge (m,) int64 of each edge that two polygons share."""
        every = torch.arange(self.tail.shape[0], device=self.tail.device)
        return (self.twin > every).nonzero()[:, 0]

    def previous(self) -> Tensor:
        """Find the half-edge (n,) int64 before each one around its polygon."""
        previous = torch.empty_like(self.following)
        previous[self.following] = torch.arange(previous.shape[0], device=previous.device)
        return previous

    def at_boundary(self, n_vertices: int) -> Tensor:
        """Mark vertices (n_vertices,) at the ends of half-edges without a twin."""
        is_open = torch.zeros(n_vertices, dtype=torch.bool, device=self.tail.device)
        boundary = self.twin < 0
        is_open[self.tail[boundary]] = is_open[self.head[boundary]] = True
        return is_open

    def __repr__(self) -> str:
        return f"{len(self.tail):,} half-edges of {self.n_polygons:,} polygons"


def halfedges_of(polygons: Polygons) -> Halfedges:
    """Build the half-edges of polygons; their twins are those of `creased.core.complexes.polygons.twins`."""
    cycles = polygons.indices, polygons.heads(), polygons.following(), polygons.owners()
    return Halfedges(*cycles, twins(polygons), polygons.n)
