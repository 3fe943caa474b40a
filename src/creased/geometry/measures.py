"""Measures of level sets from vertex positions; differentiable wherever the positions are.

Lengths are in units of the domain, areas and volumes in their squares and cubes. Polygons of no area and
edges of no length, which perturbed level sets have, contribute nothing and have zero gradients.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.complexes.polygons import Polygons, area_vectors, enclosed_volume, swept_areas
from creased.geometry.safe import directions_of, lengths_of


def edge_lengths(vertices: Tensor, edges: Tensor) -> Tensor:
    """Compute the lengths (E,) of edges (E, 2) between vertices (V, D)."""
    return lengths_of(vertices[edges[:, 0]] - vertices[edges[:, 1]])


def polygon_areas(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Compute the areas (F,) of polygons."""
    return lengths_of(area_vectors(vertices, polygons))


def perimeters(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Compute the perimeters (F,) of polygons."""
    return polygons.sums(lengths_of(vertices[polygons.heads()] - vertices[polygons.indices]))


def polygon_normals(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Compute outward unit normals (F, 3); zero where a polygon has no area."""
    return directions_of(area_vectors(vertices, polygons))


def polygon_centroids(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Compute centroids (F, 3); without area, the mean of the corners."""
    first = vertices[polygons.first_corners()]
    here, there = vertices[polygons.indices], vertices[polygons.heads()]
    normals = polygon_normals(vertices, polygons)
    weights = (swept_areas(vertices, polygons) * normals[polygons.owners()]).sum(1, keepdim=True)
    areas = polygons.sums(weights)
    is_flat = areas <= torch.finfo(areas.dtype).tiny
    weighted = polygons.sums(weights * (first + here + there) / 3) / torch.where(is_flat, 1, areas)
    means = polygons.sums(here) / polygons.sizes[:, None]
    return torch.where(is_flat, means, weighted)


def surface_area(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Compute the total area, a scalar."""
    return polygon_areas(vertices, polygons).sum()


def centroid(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Compute the centre of mass (3,) of the inside of a closed surface."""
    offset = vertices[polygons.indices].detach().mean(0)
    local = vertices - offset
    first = local[polygons.first_corners()]
    here, there = local[polygons.indices], local[polygons.heads()]
    cones = (first * torch.linalg.cross(here, there)).sum(1, keepdim=True) / 6
    return offset + (cones * (first + here + there) / 4).sum(0) / cones.sum()


def compactness(vertices: Tensor, polygons: Polygons) -> Tensor:
    """Compute the isoperimetric quotient 36 pi V^2 / A^3 of a closed surface, in (0, 1]: 1 for a ball."""
    area, volume = surface_area(vertices, polygons), enclosed_volume(vertices, polygons)
    return 36 * torch.pi * volume**2 / area**3
