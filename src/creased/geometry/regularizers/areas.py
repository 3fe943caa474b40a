"""Regularizers of area and volume."""

from __future__ import annotations

import math

from torch import Tensor

from creased.core.level_set import LevelSet
from creased.core.program import Program
from creased.geometry.measures import fluxes, polygon_areas
from creased.geometry.stencils import POLYGONS
from creased.geometry.totals import Total


class Area:
    """Area of the level set, in squared units of the domain.

    Smooths and shrinks, as a soap film does: noise goes first, then thin limbs.

    Formula: sum over polygons of their areas.

    YAML to paste, in `configs/regularizer/`:

        area:
          term:
            _target_: creased.geometry.Area
          weight: 1.0e-3

    Args:
        n_samples: polygons looked at in each call; None for all.
    """

    def __init__(self, n_samples: int | None = 512) -> None:
        self._area = Total(POLYGONS, polygon_areas, n_samples)

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """The area."""
        return self._area(level_set, program)


class Volume:
    """Squared relative deviation of the enclosed volume from a target; without a unit.

    Keeps a shape from shrinking under other regularizers, or inflates it.

    Formula: (V / target - 1)^2, V from the divergence theorem. Only for closed level sets: where walls cut,
    V is that of the cone over the surface from the origin.

    YAML to paste, in `configs/regularizer/`:

        volume:
          term:
            _target_: creased.geometry.Volume
            target: 0.1
          weight: 1.0

    Args:
        target: volume in cubed units of the domain, positive.
        n_samples: polygons looked at in each call; None for all.
    """

    def __init__(self, target: float, n_samples: int | None = 512) -> None:
        if not target > 0:
            raise ValueError(f"Volume: target must be positive, got {target}")
        self.target = target
        self._flux = Total(POLYGONS, fluxes, n_samples)

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """The squared deviation."""
        volume = self._flux(level_set, program) / 3
        if level_set.polygons.n == 0:
            return volume
        return (volume / self.target - 1).square()


class Compactness:
    """Excess of the inverse isoperimetric quotient, A^3 / (36 pi V^2) - 1: 0 for a ball; without a unit.

    Rounds a shape off at any size: it does not shrink under it. For closed level sets.

    YAML to paste, in `configs/regularizer/`:

        compactness:
          term:
            _target_: creased.geometry.Compactness
          weight: 1.0e-3

    Args:
        n_samples: polygons looked at in each call; None for all.
    """

    def __init__(self, n_samples: int | None = 512) -> None:
        self._area = Total(POLYGONS, polygon_areas, n_samples)
        self._flux = Total(POLYGONS, fluxes, n_samples)

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """The excess; 0 with a zero gradient where no volume is enclosed."""
        area, volume = self._area(level_set, program), self._flux(level_set, program) / 3
        if level_set.polygons.n == 0 or float(volume.detach()) <= 0:
            return 0 * area
        return area**3 / (36 * math.pi * volume.square()) - 1
