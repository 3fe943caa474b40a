"""The similarity between the user's coordinates and those of the domain, and the user's unit of length."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from creased.io.units import conversion, parse_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

Points = TypeVar("Points", Tensor, "NDArray[Any]")  # (n, 3) float64

HALF_WIDTH = 0.45  # normalised meshes lie in [-0.45, 0.45]^3, inside the domain [-0.5, 0.5]^3


@dataclass(frozen=True)
class Similarity:
    """The map from the user's coordinates into the domain: x -> (x - centre) * scale."""

    centre: tuple[float, float, float]  # in the user's coordinates
    scale: float  # units of the domain per unit of the user
    unit: str | None = None  # of the user's coordinates, one of `creased.io.units.UNITS`; None: not known

    @staticmethod
    def of_bounds(lower: NDArray[Any], upper: NDArray[Any], unit: str | None = None) -> Similarity:
        """Centre a bounding box at the origin, and scale its longest side to 2 * HALF_WIDTH."""
        longest = float((upper - lower).max())
        if not longest > 0:
            raise ValueError("Similarity.of_bounds: the mesh has no extent, all its vertices are one point")
        x, y, z = ((float(low) + float(high)) / 2 for low, high in zip(lower, upper, strict=True))
        return Similarity((x, y, z), 2 * HALF_WIDTH / longest, unit)

    def apply(self, points: Points) -> Points:
        """Map points (n, 3) from the user's coordinates to the domain's."""
        return (points - self._centre_like(points)) * self.scale

    def invert(self, points: Points) -> Points:
        """Map points (n, 3) from the domain's coordinates to the user's."""
        return points / self.scale + self._centre_like(points)

    def in_unit(self, unit: str | None) -> Similarity:
        """Return the map from coordinates in another unit; where this one's is not known, from the same."""
        if unit is None or self.unit is None:
            return replace(self, unit=unit or self.unit)
        size = conversion(self.unit, unit)
        x, y, z = (c * size for c in self.centre)
        return Similarity((x, y, z), self.scale / size, unit)

    def _centre_like(self, points: Points) -> Any:
        if isinstance(points, Tensor):
            return torch.tensor(self.centre, dtype=torch.float64, device=points.device)
        return self.centre

    @staticmethod
    def identity() -> Similarity:
        """Return the identity map."""
        return Similarity((0.0, 0.0, 0.0), 1.0)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Similarity:
        """Read what `as_dict` gives.

        Raises:
            ValueError: the centre or the scale is not finite, the scale not positive, or the unit not known.
        """
        x, y, z = (float(c) for c in values["centre"])
        scale = float(values["scale"])
        if not (all(math.isfinite(number) for number in (x, y, z, scale)) and scale > 0):
            raise ValueError(f"Similarity: needs a finite centre and scale > 0, got {values}")
        unit = values.get("unit")
        return Similarity((x, y, z), scale, None if unit is None else parse_unit(str(unit)))

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for checkpoints and metadata."""
        known = {"centre": list(self.centre), "scale": self.scale}
        return known if self.unit is None else known | {"unit": self.unit}
