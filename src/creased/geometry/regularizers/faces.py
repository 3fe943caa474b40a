"""Regularizers of edges and faces: their number, length, planarity and shape."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.geometry.curvature import dihedral_angles, inner_lengths
from creased.geometry.halfedges import halfedges_of
from creased.geometry.measures import edge_lengths, perimeters, polygon_areas, surface_area
from creased.geometry.regularizers.regularizer import Regularizer


class EdgeLength(Regularizer):
    """Total length of the level set's edges, in units of the domain.

    On a curved surface shorter creases in all mean fewer, rounder faces: short edges shrink until they
    vanish, and faces with them. (So the *mean* edge of the next extraction may be longer.)

    Formula: sum over edges of |e|.

    YAML to paste, in `configs/regularizer/`:

        edge_length:
          term:
            _target_: creased.geometry.EdgeLength
          weight: 1.0e-5
    """

    needs_polygons: ClassVar[bool] = False

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """Total over the surface."""
        return edge_lengths(vertices, level_set.edges).sum()


class FaceCount(Regularizer):
    """Expected number of faces for the creases' total length and the surface's area; dimensionless.

    Random lines of length L on an area A divide it into L^2 / (pi A) faces in expectation (Miles 1964), and
    the creases of trained networks come near to that: a differentiable surrogate of the number of faces,
    whose descent lowers the exact one.

    Formula: L^2 / (pi A).

    YAML to paste, in `configs/regularizer/`:

        face_count:
          term:
            _target_: creased.geometry.FaceCount
          weight: 1.0e-8
    """

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """Total edge length and area."""
        length = edge_lengths(vertices, level_set.edges).sum()
        return torch.stack([length, surface_area(vertices, level_set.polygons)])

    def combine(self, totals: Tensor) -> Tensor:
        """Estimate the number of faces; 0 where there is no area."""
        length, area = totals
        return torch.where(area > 0, length.square() / (math.pi * torch.where(area > 0, area, 1)), 0)


class Planarity(Regularizer):
    """Total length of the edges that are bent by more than a few degrees, in units of the domain.

    Flattens edges between nearly coplanar faces and leaves sharp edges: the gradient is largest at angles of
    about ``width`` and vanishes beyond.

    Formula: sum over edges of |e| angle^2 / (angle^2 + width^2).

    YAML to paste, in `configs/regularizer/`:

        planarity:
          term:
            _target_: creased.geometry.Planarity
            width: 0.1
          weight: 1.0e-5

    Args:
        width: exterior angle, in radians, at which an edge counts half.
        n_samples: vertices sampled in each call; None for all.
    """

    def __init__(self, width: float = 0.1, n_samples: int | None = 256) -> None:
        super().__init__(n_samples)
        if not width > 0:
            raise ValueError(f"Planarity: width must be a positive angle, got {width}")
        self.width = width

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """Total over the surface."""
        sides = halfedges_of(level_set.polygons)
        squares = dihedral_angles(vertices, level_set.polygons, sides, normals).square()
        return (inner_lengths(vertices, sides) * squares / (squares + self.width**2)).sum()


class Slivers(Regularizer):
    """Mean thinness of the faces, dimensionless: 0 for a disc, 1 for a face without area.

    Formula: mean over polygons of 1 - 4 pi A / P^2, P being the perimeter.

    YAML to paste, in `configs/regularizer/`:

        slivers:
          term:
            _target_: creased.geometry.Slivers
          weight: 1.0e-4
    """

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """Average over the polygons."""
        squares = perimeters(vertices, level_set.polygons).square()
        has_none = squares <= torch.finfo(squares.dtype).tiny
        areas = polygon_areas(vertices, level_set.polygons)
        return torch.where(has_none, 1, 1 - 4 * math.pi * areas / torch.where(has_none, 1, squares)).mean()
