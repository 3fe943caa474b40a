"""Integrated curvature of polygonal surfaces: mean curvature on edges, Gaussian curvature on vertices.

Both are integrals as in Steiner's formula: for a convex body with smooth boundary, of H = (k1 + k2) / 2 and K
= k1 k2. Boundary edges have no curvature; at boundary vertices angle defects are taken from pi, so that their
sum is 2 pi chi by the theorem of Gauss and Bonnet.

Exterior angles follow from the normals of polygons. Normals may be given: on a thin polygon the gradient of
the function is more accurate than the corners.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.complexes.polygons import Polygons, area_vectors
from creased.geometry.halfedges import Halfedges, halfedges_of
from creased.geometry.safe import angles_between, directions_of, lengths_of


def dihedral_angles(
    vertices: Tensor, polygons: Polygons, sides: Halfedges | None = None, normals: Tensor | None = None
) -> Tensor:
    """Compute exterior angles (m,) in [-pi, pi] at inner edges, in the order of `Halfedges.inner_edges`.

    Args:
        vertices: positions (V, 3).
        polygons: of the surface.
        sides: their half-edges, if known.
        normals: outward (F, 3), of any length; from the positions by default.
    """
    sides = halfedges_of(polygons) if sides is None else sides
    edge, normals = sides.inner_edges(), area_vectors(vertices, polygons) if normals is None else normals
    along = vertices[sides.head[edge]] - vertices[sides.tail[edge]]
    return _exterior_angles(normals[sides.polygon[edge]], normals[sides.polygon[sides.twin[edge]]], along)


def mean_curvatures(
    vertices: Tensor, polygons: Polygons, sides: Halfedges | None = None, normals: Tensor | None = None
) -> Tensor:
    """Integrate mean curvature (m,) over each inner edge: half its exterior angle times its length.

    Their sum is 4 pi r for a ball of radius r and 3 pi a for a cube of side a. Source: Cohen-Steiner and
    Morvan, Restricted Delaunay triangulations and normal cycle, 2003.
    """
    sides = halfedges_of(polygons) if sides is None else sides
    return dihedral_angles(vertices, polygons, sides, normals) * inner_lengths(vertices, sides) / 2


def angle_defects(vertices: Tensor, polygons: Polygons, sides: Halfedges | None = None) -> Tensor:
    """Integrate Gaussian curvature (V,) at each vertex: 2 pi less the angles of its polygons.

    At a boundary pi takes the place of 2 pi, and at vertices without a polygon it is 0.
    """
    sides = halfedges_of(polygons) if sides is None else sides
    ahead = vertices[sides.head] - vertices[sides.tail]
    angles = angles_between(ahead, -ahead[sides.previous()])
    total = vertices.new_zeros(vertices.shape[0]).index_add(0, sides.tail, angles)
    full = torch.zeros_like(total.detach()).index_fill(0, sides.tail, 2 * torch.pi)
    return full.masked_fill(sides.at_boundary(vertices.shape[0]), torch.pi) - total


def gauss_areas(polygons: Polygons, normals: Tensor, n_vertices: int) -> Tensor:
    """Compute areas (V,) on the unit sphere enclosed by the normals around each vertex.

    By Gauss's theorem they are the angle defects, but well-conditioned where edges are short; 0 at a
    boundary.

    Args:
        polygons: of the surface.
        normals: outward unit vectors (F, 3).
        n_vertices: V.
    """
    sides = halfedges_of(polygons)
    inner = (sides.twin >= 0) & ~sides.at_boundary(n_vertices)[sides.tail]
    tail, left, right = sides.tail[inner], sides.polygon[inner], sides.polygon[sides.twin[inner]]
    anchor = torch.zeros(n_vertices, dtype=torch.int64, device=tail.device).index_copy(0, tail, left)
    areas = _spherical_areas(normals[anchor[tail]], normals[right], normals[left])
    return normals.new_zeros(n_vertices).index_add(0, tail, areas)


def _spherical_areas(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Compute signed areas (m,) of spherical triangles (m, 3) (van Oosterom and Strackee 1983)."""
    volume = (a * torch.linalg.cross(b, c)).sum(1)
    return 2 * torch.atan2(volume, 1 + (a * b).sum(1) + (b * c).sum(1) + (c * a).sum(1))


def bending_energies(
    vertices: Tensor, polygons: Polygons, sides: Halfedges | None = None, normals: Tensor | None = None
) -> Tensor:
    """Compute the bending energy (m,) of each inner edge, dimensionless: 3 |e|^2 angle^2 / (A1 + A2).

    A1 and A2 are the areas of its polygons; without area the energy is 0. Source: Grinspun et al., Discrete
    shells, 2003, for a surface that is flat at rest.
    """
    sides = halfedges_of(polygons) if sides is None else sides
    edge, areas = sides.inner_edges(), lengths_of(area_vectors(vertices, polygons))
    area = areas[sides.polygon[edge]] + areas[sides.polygon[sides.twin[edge]]]
    has_none = area <= torch.finfo(area.dtype).tiny
    turned = inner_lengths(vertices, sides) * dihedral_angles(vertices, polygons, sides, normals)
    return torch.where(has_none, 0, 3 * turned.square() / torch.where(has_none, 1, area))


def inner_lengths(vertices: Tensor, sides: Halfedges) -> Tensor:
    """Compute the lengths (m,) of inner edges."""
    edge = sides.inner_edges()
    return lengths_of(vertices[sides.head[edge]] - vertices[sides.tail[edge]])


def _exterior_angles(first: Tensor, second: Tensor, along: Tensor) -> Tensor:
    """Compute exterior angles (m,) at edges (m, 3) from normals (m, 3), of any length, on both sides.

    Edges run counter-clockwise around the first polygon. The angle is positive where the surface is convex,
    and 0 next to a polygon without a normal.
    """
    first, second, along = directions_of(first), directions_of(second), directions_of(along)
    sine, cosine = (torch.linalg.cross(first, second) * along).sum(1), (first * second).sum(1)
    has_none = (sine == 0) & (cosine == 0)
    return torch.where(has_none, 0, torch.atan2(sine, torch.where(has_none, 1, cosine)))
