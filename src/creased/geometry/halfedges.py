"""Who meets whom on a surface of polygons: the combinatorics that measures of vertex positions need.

A halfedge is a side of a polygon, run along counter-clockwise; halfedge h starts at corner h of
`Polygons.indices`. Nothing here carries a gradient.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.complexes.polygons import Polygons, twins


class Halfedges(NamedTuple):
    """The sides of F polygons, n in all."""

    tail: Tensor  # (n,) int64: the vertex that it starts from
    head: Tensor  # (n,) int64: the vertex that it ends at
    following: Tensor  # (n,) int64: the next one around the polygon
    polygon: Tensor  # (n,) int64
    twin: Tensor  # (n,) int64: that of the neighbour, which runs the other way; -1 at a boundary
    n_polygons: int

    def inner_edges(self) -> Tensor:
        """One halfedge (m,) of each edge that two polygons share."""
        every = torch.arange(self.tail.shape[0], device=self.tail.device)
        return (self.twin > every).nonzero()[:, 0]

    def previous(self) -> Tensor:
        """The halfedge (n,) int64 that each follows around its polygon."""
        previous = torch.empty_like(self.following)
        previous[self.following] = torch.arange(previous.shape[0], device=previous.device)
        return previous

    def at_boundary(self, n_vertices: int) -> Tensor:
        """True (n_vertices,) for the ends of halfedges without a twin."""
        is_open = torch.zeros(n_vertices, dtype=torch.bool, device=self.tail.device)
        boundary = self.twin < 0
        is_open[self.tail[boundary]] = is_open[self.head[boundary]] = True
        return is_open


def halfedges_of(polygons: Polygons) -> Halfedges:
    """The sides of polygons; of an edge that more than two share, two are twins and the others have none."""
    cycles = polygons.indices, polygons.heads(), polygons.following(), polygons.owners()
    return Halfedges(*cycles, twins(polygons), polygons.n)
