"""Polygons of any number of corners as cycles of vertices: their half-edges, area vectors and volume.

Half-edge h is the side that leaves corner h of ``Polygons.indices``. Areas and volumes are sums over the fan
of triangles between a polygon's first corner and its sides, and differentiable in the positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from creased.core.formatting import format_number_of
from creased.core.numerics.pointer_doubling import match_pairs


@dataclass(frozen=True)
class Polygons:
    """Polygons as cycles of vertices, one behind the other."""

    offsets: Tensor  # (F + 1,) int64: polygon i is indices[offsets[i] : offsets[i + 1]]
    indices: Tensor  # (n,) int64: vertices, in order around each polygon

    @staticmethod
    def of_sizes(sizes: Tensor, indices: Tensor) -> Polygons:
        """Make polygons of given sizes (F,) int64 from cycles (n,); those of size 0 are left out."""
        return Polygons(torch.nn.functional.pad(sizes[sizes > 0].cumsum(0), (1, 0)), indices)

    @property
    def n(self) -> int:
        """Number of polygons F."""
        return self.offsets.shape[0] - 1

    @property
    def sizes(self) -> Tensor:
        """Corners (F,) int64 of each polygon."""
        return self.offsets.diff()

    def owners(self) -> Tensor:
        """The polygon (n,) int64 of each corner."""
        every, n = torch.arange(self.n, device=self.offsets.device), self.indices.shape[0]
        return torch.repeat_interleave(every, self.sizes, output_size=n)

    def following(self) -> Tensor:
        """The position (n,) int64 in ``indices`` of the next corner around the same polygon."""
        following = torch.arange(1, self.indices.shape[0] + 1, device=self.indices.device)
        following[self.offsets[1:] - 1] = self.offsets[:-1]
        return following

    def heads(self) -> Tensor:
        """Return the vertex (n,) int64 that each half-edge ends at."""
        return self.indices[self.following()]

    def first_corners(self) -> Tensor:
        """Return the first vertex (n,) int64 of each corner's polygon."""
        return self.indices[self.offsets[self.owners()]]

    def edge_keys(self) -> Tensor:
        """Number the edges of half-edges (n,) int64, the same in both directions."""
        heads = self.heads()
        return torch.minimum(self.indices, heads) * self._n_vertices() + torch.maximum(self.indices, heads)

    def edges(self) -> Tensor:
        """Return the edges (E, 2) int64, each once, its smaller vertex first."""
        keys, n_vertices = torch.unique(self.edge_keys()), self._n_vertices()
        return torch.stack([keys // n_vertices, keys % n_vertices], dim=1)

    def _n_vertices(self) -> int:
        return int(self.indices.max()) + 1 if self.indices.shape[0] else 1

    def sums(self, values: Tensor) -> Tensor:
        """Sum values (n, ...) over the corners of each polygon: (F, ...)."""
        zeros = values.new_zeros((self.n, *values.shape[1:]))
        return zeros.index_add(0, self.owners(), values)

    def triangles(self) -> tuple[Tensor, Tensor]:
        """Fans (T, 3) int64 from the first corner of each polygon, and the polygon (T,) of each triangle."""
        owners = self.owners()
        position = torch.arange(self.indices.shape[0], device=self.indices.device)
        is_middle = (position > self.offsets[owners]) & (position < self.offsets[owners + 1] - 1)
        middle = is_middle.nonzero()[:, 0]
        apex = self.indices[self.offsets[owners[middle]]]
        return torch.stack([apex, self.indices[middle], self.indices[middle + 1]], dim=1), owners[middle]

    def __repr__(self) -> str:
        sizes = f" of {int(self.sizes.min())} to {int(self.sizes.max())} corners" if self.n else ""
        return format_number_of(self.n, "polygon") + sizes


def twins(polygons: Polygons) -> Tensor:
    """Find the other half-edge (n,) int64 of each half-edge's edge; -1 at a boundary.

    Of the half-edges of an edge that more than two polygons share, two are paired and the others have none.
    """
    return match_pairs(polygons.edge_keys())[0]


def fan_arms(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Compute vectors (n, D) to the corners from the first corner of their polygon."""
    return vertices[polygons.indices] - vertices[polygons.first_corners()]


def swept_areas(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Compute area vectors (n, 3) of the triangles from the first corner of each polygon to its sides."""
    spokes = fan_arms(vertices, polygons)
    return torch.linalg.cross(spokes, spokes[polygons.following()]) / 2


def area_vectors(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Compute vectors (F, 3) normal to the polygons, as long as their areas (Newell's formula)."""
    return polygons.sums(swept_areas(vertices, polygons))


def enclosed_volume(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Compute the volume inside a closed surface, a scalar; negative if the surface is inside out.

    By the divergence theorem. Of a surface with a boundary it is the volume of the cone over it from the mean
    of its corners; `creased.geometry.sublevel_volume` closes it along the walls.
    """
    if polygons.n == 0:
        return vertices.sum() * 0
    local = vertices - vertices[polygons.indices].detach().mean(0)
    first = local[polygons.indices[polygons.offsets[:-1]]]
    return (first * area_vectors(local, polygons)).sum() / 3
