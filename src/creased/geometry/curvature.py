"""Curvature of polygonal surfaces: it sits on their edges (mean) and vertices (Gaussian).

Both are integrated, as in Steiner's formula: of a convex body with smooth boundary they are the integrals of
H = (k1 + k2) / 2 and K = k1 k2. At a boundary, where the walls cut, there is no edge curvature, and angle
defects are taken from pi, so that their sum is 2 pi chi by the theorem of Gauss and Bonnet.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.level_set import Polygons
from creased.geometry.halfedges import Halfedges, halfedges_of
from creased.geometry.measures import area_vectors
from creased.geometry.safe import angles_between, directions_of, lengths_of


def dihedral_angles(vertices: Tensor, polygons: Polygons, sides: Halfedges | None = None) -> Tensor:
    """Exterior angles (m,) in [-pi, pi] at the inner edges, in the order of `Halfedges.inner_edges`."""
    sides = halfedges_of(polygons) if sides is None else sides
    edge, areas = sides.inner_edges(), area_vectors(vertices, polygons)
    along = vertices[sides.head[edge]] - vertices[sides.tail[edge]]
    return _exterior_angles(areas[sides.polygon[edge]], areas[sides.polygon[sides.twin[edge]]], along)


def mean_curvatures(vertices: Tensor, polygons: Polygons, sides: Halfedges | None = None) -> Tensor:
    """Integrated mean curvature (m,) of each inner edge: half its exterior angle times its length.

    Their sum is 4 pi r for a ball of radius r and 3 pi a for a cube of side a. Source: Cohen-Steiner and
    Morvan, Restricted Delaunay triangulations and normal cycle, 2003.
    """
    sides = halfedges_of(polygons) if sides is None else sides
    return dihedral_angles(vertices, polygons, sides) * inner_lengths(vertices, sides) / 2


def angle_defects(vertices: Tensor, polygons: Polygons, sides: Halfedges | None = None) -> Tensor:
    """Integrated Gaussian curvature (V,) of each vertex: 2 pi less the angles of its polygons.

    At a boundary pi takes the place of 2 pi, and at vertices without a polygon it is 0.
    """
    sides = halfedges_of(polygons) if sides is None else sides
    ahead = vertices[sides.head] - vertices[sides.tail]
    angles = angles_between(ahead, -ahead[sides.previous()])
    total = vertices.new_zeros(vertices.shape[0]).index_add(0, sides.tail, angles)
    full = torch.zeros_like(total.detach()).index_fill(0, sides.tail, 2 * torch.pi)
    return full.masked_fill(sides.at_boundary(vertices.shape[0]), torch.pi) - total


def bending_energies(vertices: Tensor, polygons: Polygons, sides: Halfedges | None = None) -> Tensor:
    """Bending energy (m,), without a unit, of each inner edge: 3 |e|^2 angle^2 / (A1 + A2).

    A1 and A2 are the areas of its polygons. Source: Grinspun et al., Discrete shells, 2003, for a surface
    that is flat at rest. An edge between polygons of no area has none.
    """
    sides = halfedges_of(polygons) if sides is None else sides
    edge, areas = sides.inner_edges(), lengths_of(area_vectors(vertices, polygons))
    area = areas[sides.polygon[edge]] + areas[sides.polygon[sides.twin[edge]]]
    has_none = area <= torch.finfo(area.dtype).tiny
    turned = inner_lengths(vertices, sides) * dihedral_angles(vertices, polygons, sides)
    return torch.where(has_none, 0, 3 * turned.square() / torch.where(has_none, 1, area))


def inner_lengths(vertices: Tensor, sides: Halfedges) -> Tensor:
    """Lengths (m,) of the inner edges."""
    edge = sides.inner_edges()
    return lengths_of(vertices[sides.head[edge]] - vertices[sides.tail[edge]])


def _exterior_angles(first: Tensor, second: Tensor, along: Tensor) -> Tensor:
    """Angles (m,) between the outward normals, given area vectors (m, 3) of the polygons at edges (m, 3).

    The edge runs counter-clockwise around the first. The angle is 0 where the surface is flat, positive where
    it is convex, and 0 next to a polygon of no area, which has no normal.
    """
    first, second, along = directions_of(first), directions_of(second), directions_of(along)
    sine, cosine = (torch.linalg.cross(first, second) * along).sum(1), (first * second).sum(1)
    has_none = (sine == 0) & (cosine == 0)
    return torch.where(has_none, 0, torch.atan2(sine, torch.where(has_none, 1, cosine)))
