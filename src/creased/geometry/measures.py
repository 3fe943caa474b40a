"""Measures of level sets from vertex positions; differentiable wherever the positions are.

Lengths are in units of the domain, areas and volumes in their squares and cubes. Polygons of no area and
edges of no length, which perturbed level sets have, contribute nothing and have zero gradients.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.complexes.polygons import Polygons
from creased.geometry.safe import directions_of, lengths_of


def edge_lengths(vertices: Tensor, edges: Tensor) -> Tensor:
    """Lengths (E,) of edges (E, 2) between vertices (V, D)."""
    return lengths_of(vertices[edges[:, 0]] - vertices[edges[:, 1]])


def area_vectors(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Vectors (F, 3) normal to the polygons, outward, as long as their areas (Newell's formula)."""
    return _sums(_swept(vertices, polygons), polygons)


def polygon_areas(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Areas (F,)."""
    return lengths_of(area_vectors(vertices, polygons))


def perimeters(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Perimeters (F,)."""
    corners = vertices[polygons.indices]
    return _sums(lengths_of(corners[polygons.following()] - corners), polygons)


def polygon_normals(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Outward unit normals (F, 3); zero where a polygon has no area."""
    return directions_of(area_vectors(vertices, polygons))


def polygon_centroids(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Centres of area (F, 3); where a polygon has none, the mean of its corners."""
    owners, first = polygons.owners(), _first_corners(vertices, polygons)
    here, there = vertices[polygons.indices], vertices[polygons.indices[polygons.following()]]
    normals = polygon_normals(vertices, polygons)
    weights = (_swept(vertices, polygons) * normals[owners]).sum(1, keepdim=True)
    areas = _sums(weights, polygons)
    is_flat = areas <= torch.finfo(areas.dtype).tiny
    weighted = _sums(weights * (first + here + there) / 3, polygons) / torch.where(is_flat, 1, areas)
    means = _sums(here, polygons) / polygons.sizes[:, None]
    return torch.where(is_flat, means, weighted)


def surface_area(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Total area, a scalar."""
    return polygon_areas(vertices, polygons).sum()


def enclosed_volume(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Volume inside a closed surface, a scalar: the divergence theorem, summed over fans.

    Of a surface with a boundary it is the volume of the cone over it from the mean of its vertices, and
    depends on where that lies; `sublevel_volume` closes it along the walls.
    """
    if polygons.n == 0:
        return vertices.sum() * 0
    local = vertices - vertices[polygons.indices].detach().mean(0)
    first = local[polygons.indices[polygons.offsets[:-1]]]
    return (first * area_vectors(local, polygons)).sum() / 3


def centroid(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Centre of mass (3,) of the inside of a closed surface."""
    offset = vertices[polygons.indices].detach().mean(0)
    local = vertices - offset
    first = _first_corners(local, polygons)
    here, there = local[polygons.indices], local[polygons.indices[polygons.following()]]
    cones = (first * torch.linalg.cross(here, there)).sum(1, keepdim=True) / 6
    return offset + (cones * (first + here + there) / 4).sum(0) / cones.sum()


def compactness(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Isoperimetric quotient 36 pi V^2 / A^3 of a closed surface, a scalar in (0, 1]: 1 for a ball."""
    area, volume = surface_area(vertices, polygons), enclosed_volume(vertices, polygons)
    return 36 * torch.pi * volume**2 / area**3


def _swept(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Area vectors (n, 3) of the triangles from the first corner of each polygon to its sides."""
    arms = vertices[polygons.indices] - _first_corners(vertices, polygons)
    return torch.linalg.cross(arms, arms[polygons.following()]) / 2


def _first_corners(vertices: Tensor, polygons: Polygons) -> Tensor:
    """The first corner (n, 3) of its polygon, for each corner."""
    return vertices[polygons.indices[polygons.offsets[polygons.owners()]]]


def _sums(values: Tensor, polygons: Polygons) -> Tensor:
    """Sums (F, ...) over the corners (n, ...) of each polygon."""
    zeros = values.new_zeros((polygons.n, *values.shape[1:]))
    return zeros.index_add(0, polygons.owners(), values)
