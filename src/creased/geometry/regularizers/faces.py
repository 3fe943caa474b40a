"""Regularizers of how a surface is divided into faces."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from creased.core.level_set import LevelSet, Polygons
from creased.core.program import Program
from creased.geometry.measures import polygon_areas
from creased.geometry.safe import lengths_of
from creased.geometry.stencils import CREASES, EDGES, POLYGONS, Creases
from creased.geometry.totals import Total


class EdgeLength:
    """Total length of the level set's edges, in units of the domain.

    Where the surface is curved, a shorter net of creases is one of fewer, rounder faces: short edges shrink
    until they vanish, and faces with them. (So the *mean* edge of the next extraction may well be longer.)

    Formula: sum over edges of |e|.

    YAML to paste, in `configs/regularizer/`:

        edge_length:
          term:
            _target_: creased.geometry.EdgeLength
          weight: 1.0e-5

    Args:
        n_samples: edges looked at in each call; None for all.
    """

    def __init__(self, n_samples: int | None = 1024) -> None:
        self._total = Total(EDGES, _unchanged, n_samples)

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """The total."""
        return self._total(level_set, program)


class FaceCount:
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

    Args:
        n_samples: edges, and polygons, looked at in each call; None for all.
    """

    def __init__(self, n_samples: int | None = 512) -> None:
        self._length = Total(EDGES, _unchanged, n_samples)
        self._area = Total(POLYGONS, polygon_areas, n_samples)

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """The estimate; 0 with a zero gradient where there is no area."""
        length, area = self._length(level_set, program), self._area(level_set, program)
        if float(area.detach()) <= 0:
            return 0 * length
        return length.square() / (math.pi * area)


class Planarity:
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
        n_samples: edges looked at in each call; None for all.
    """

    def __init__(self, width: float = 0.1, n_samples: int | None = 256) -> None:
        if not width > 0:
            raise ValueError(f"Planarity: width must be a positive angle, got {width}")
        self.width = width
        self._total = Total(CREASES, self._seen, n_samples)

    def _seen(self, creases: Creases) -> Tensor:
        squares = creases.angles.square()
        return creases.lengths * squares / (squares + self.width**2)

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """The total."""
        return self._total(level_set, program)


class Slivers:
    """Mean thinness of the faces; without a unit: 0 for a disc, 1 for a face without area.

    Formula: mean over polygons of 1 - 4 pi A / P^2, P being the perimeter.

    YAML to paste, in `configs/regularizer/`:

        slivers:
          term:
            _target_: creased.geometry.Slivers
          weight: 1.0e-4

    Args:
        n_samples: polygons looked at in each call; None for all.
    """

    def __init__(self, n_samples: int | None = 512) -> None:
        self._total = Total(POLYGONS, _thinness, n_samples)

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """The mean."""
        return self._total(level_set, program) / max(level_set.polygons.n, 1)


def _thinness(positions: Tensor, polygons: Polygons) -> Tensor:
    corners = positions[polygons.indices]
    steps = lengths_of(corners[polygons.following()] - corners)
    squares = positions.new_zeros(polygons.n).index_add(0, polygons.owners(), steps).square()
    has_none = squares <= torch.finfo(squares.dtype).tiny
    roundness = 4 * math.pi * polygon_areas(positions, polygons) / torch.where(has_none, 1, squares)
    return torch.where(has_none, 1, 1 - roundness)


def _unchanged(lengths: Tensor) -> Tensor:
    return lengths
