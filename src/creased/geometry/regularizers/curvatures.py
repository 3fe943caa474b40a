"""Regularizers of curvature. What walls cut has none at its boundary."""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.level_set import LevelSet
from creased.core.program import Program
from creased.geometry.curvature import bending_of_edges
from creased.geometry.stencils import CORNERS, CREASES, Creases
from creased.geometry.totals import Total


class MeanCurvature:
    """Total absolute mean curvature, in units of the domain.

    Flattens wrinkles and keeps sharp edges: an edge costs its angle, however it is spread over several.

    Formula: sum over edges of |angle| |e| / 2, angle being exterior, in radians.

    YAML to paste, in `configs/regularizer/`:

        mean_curvature:
          term:
            _target_: creased.geometry.MeanCurvature
          weight: 1.0e-4

    Args:
        n_samples: edges looked at in each call; None for all.
    """

    def __init__(self, n_samples: int | None = 256) -> None:
        self._total = Total(CREASES, _absolute_mean_curvature, n_samples)

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """The total."""
        return self._total(level_set, program)


class Convexity:
    """Total mean curvature of the concave edges alone, in units of the domain: 0 for a convex shape.

    Formula: sum over edges of max(0, -angle) |e| / 2.

    YAML to paste, in `configs/regularizer/`:

        convexity:
          term:
            _target_: creased.geometry.Convexity
          weight: 1.0e-4

    Args:
        n_samples: edges looked at in each call; None for all.
    """

    def __init__(self, n_samples: int | None = 256) -> None:
        self._total = Total(CREASES, _concave_mean_curvature, n_samples)

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """The total."""
        return self._total(level_set, program)


class Bending:
    """Bending energy of discrete shells that are flat at rest; without a unit, the same at any scale.

    Smooths against noise: sharp edges cost the square of their angle, and are rounded off.

    Formula: sum over edges of 3 |e|^2 angle^2 / (A1 + A2) (Grinspun et al. 2003).

    YAML to paste, in `configs/regularizer/`:

        bending:
          term:
            _target_: creased.geometry.Bending
          weight: 1.0e-6

    Args:
        n_samples: edges looked at in each call; None for all.
    """

    def __init__(self, n_samples: int | None = 256) -> None:
        self._total = Total(CREASES, _bending, n_samples)

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """The energy."""
        return self._total(level_set, program)


class GaussianCurvature:
    """Total absolute Gaussian curvature, in radians; 4 pi for a convex shape, and never less when closed.

    Makes a surface developable, piece by piece: what is bent in one direction only costs nothing.

    Formula: sum over vertices of |2 pi - angles around it| (pi at a boundary).

    YAML to paste, in `configs/regularizer/`:

        gaussian_curvature:
          term:
            _target_: creased.geometry.GaussianCurvature
          weight: 1.0e-4

    Args:
        n_samples: vertices looked at in each call; None for all.
    """

    def __init__(self, n_samples: int | None = 256) -> None:
        self._total = Total(CORNERS, torch.abs, n_samples)

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """The total."""
        return self._total(level_set, program)


def _absolute_mean_curvature(creases: Creases) -> Tensor:
    return creases.angles.abs() * creases.lengths / 2


def _concave_mean_curvature(creases: Creases) -> Tensor:
    return torch.relu(-creases.angles) * creases.lengths / 2


def _bending(creases: Creases) -> Tensor:
    return bending_of_edges(creases.lengths, creases.angles, creases.areas)
