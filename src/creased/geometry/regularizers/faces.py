"""Regularizers of how a surface is divided into faces."""

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

    Where the surface is curved, a shorter net of creases is one of fewer, rounder faces: short edges shrink
    until they vanish, and faces with them. (So the *mean* edge of the next extraction may well be longer.)

    Formula: sum over edges of |e|.

    YAML to paste, in `configs/regularizer/`:

        edge_length:
          term:
            _target_: creased.geometry.EdgeLength
          weight: 1.0e-5
    """

    needs_polygons: ClassVar[bool] = False

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """The total."""
        return edge_lengths(vertices, level_set.edges).sum()


class FaceCount(Regularizer):
    """How many faces a net of creases of this length makes on a surface of this area; without a unit.

    Lines thrown at random on a plane, of length L for an area A, divide it into L^2 / (pi A) faces (Miles
    1964), and the creases of trained networks come near to that. So this is a smooth stand-in for the number
    of faces, and its descent lowers the exact one.

    Formula: L^2 / (pi A).

    YAML to paste, in `configs/regularizer/`:

        face_count:
          term:
            _target_: creased.geometry.FaceCount
          weight: 1.0e-8
    """

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """Length of the edges, and area."""
        length = edge_lengths(vertices, level_set.edges).sum()
        return torch.stack([length, surface_area(vertices, level_set.polygons)])

    def combine(self, totals: Tensor) -> Tensor:
        """The estimate; 0 where there is no area."""
        length, area = totals
        return length.square() / (math.pi * area) if float(area.detach()) > 0 else 0 * length


class Planarity(Regularizer):
    """Length of the edges that are seen, those bent by more than a few degrees; in units of the domain.

    Draws faces together that are almost in one plane, and lets sharp edges be: its pull is strongest about
    the angle of ``width`` and fades beyond.

    Formula: sum over edges of |e| angle^2 / (angle^2 + width^2).

    YAML to paste, in `configs/regularizer/`:

        planarity:
          term:
            _target_: creased.geometry.Planarity
            width: 0.1
          weight: 1.0e-5

    Args:
        width: exterior angle, in radians, at which an edge counts half.
        n_samples: vertices looked at in each call; None for all.
    """

    def __init__(self, width: float = 0.1, n_samples: int | None = 256) -> None:
        super().__init__(n_samples)
        if not width > 0:
            raise ValueError(f"Planarity: width must be a positive angle, got {width}")
        self.width = width

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """The total."""
        sides = halfedges_of(level_set.polygons)
        squares = dihedral_angles(vertices, level_set.polygons, sides, normals).square()
        return (inner_lengths(vertices, sides) * squares / (squares + self.width**2)).sum()


class Slivers(Regularizer):
    """Mean thinness of the faces; without a unit: 0 for a disc, 1 for a face without area.

    Formula: mean over polygons of 1 - 4 pi A / P^2, P being the perimeter.

    YAML to paste, in `configs/regularizer/`:

        slivers:
          term:
            _target_: creased.geometry.Slivers
          weight: 1.0e-4
    """

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """The mean."""
        squares = perimeters(vertices, level_set.polygons).square()
        has_none = squares <= torch.finfo(squares.dtype).tiny
        areas = polygon_areas(vertices, level_set.polygons)
        return torch.where(has_none, 1, 1 - 4 * math.pi * areas / torch.where(has_none, 1, squares)).mean()
