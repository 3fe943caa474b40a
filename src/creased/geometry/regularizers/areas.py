"""Regularizers of area and volume."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.complexes.polygons import enclosed_volume
from creased.geometry.measures import surface_area
from creased.geometry.regularizers.regularizer import Regularizer
from creased.geometry.sublevel import sublevel_volume


class Area(Regularizer):
    """Area of the level set, in squared units of the domain.

    Its descent is mean curvature flow: noise shrinks first, then thin limbs.

    Formula: sum over polygons of their areas.

    YAML to paste, in `configs/regularizer/`:

        area:
          term:
            _target_: creased.geometry.Area
          weight: 1.0e-3
    """

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """Total the area."""
        return surface_area(vertices, level_set.polygons)


class Volume(Regularizer):
    """Squared relative deviation of the enclosed volume from a target; dimensionless.

    Keeps a shape from shrinking under other regularizers, or inflates it.

    Formula: (V / target - 1)^2, V from the divergence theorem; the walls of a box close what they cut.

    YAML to paste, in `configs/regularizer/`:

        volume:
          term:
            _target_: creased.geometry.Volume
            target: 0.1
          weight: 0.01

    Args:
        target: volume in cubed units of the domain, positive; that of the first level set seen by default.
        n_samples: vertices sampled in each call; None for all.
    """

    def __init__(self, target: float | None = None, n_samples: int | None = 256) -> None:
        super().__init__(n_samples)
        if target is not None and not target > 0:
            raise ValueError(f"Volume: target must be positive, got {target}")
        self.target = target

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """Total the volume."""
        volume = _volume(vertices, level_set)
        if self.target is None and float(volume.detach()) > 0:
            self.target = float(volume.detach())
        return volume

    def combine(self, totals: Tensor) -> Tensor:
        """Square the relative deviation; 0 while there is neither a target nor a volume."""
        return (totals[0] / self.target - 1).square() if self.target else 0 * totals[0]


class Compactness(Regularizer):
    """Excess of the inverse isoperimetric quotient, A^3 / (36 pi V^2) - 1: 0 for a ball; dimensionless.

    Rounds a shape off without shrinking it. The area of walls that cut it does not count.

    YAML to paste, in `configs/regularizer/`:

        compactness:
          term:
            _target_: creased.geometry.Compactness
          weight: 1.0e-3
    """

    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """Total area and volume."""
        volume = _volume(vertices, level_set)
        return torch.stack([surface_area(vertices, level_set.polygons), volume])

    def combine(self, totals: Tensor) -> Tensor:
        """Compute the excess; 0 where no volume is enclosed."""
        area, volume = totals
        enclosed = torch.where(volume > 0, volume, 1)
        return torch.where(volume > 0, area**3 / (36 * math.pi * enclosed.square()) - 1, 0)


def _volume(vertices: Tensor, level_set: LevelSet) -> Tensor:
    if level_set.domain.is_box:
        return sublevel_volume(vertices, level_set)
    return enclosed_volume(vertices, level_set.polygons)
