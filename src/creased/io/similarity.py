"""The similarity that brings a mesh into the domain, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HALF_WIDTH = 0.45  # normalised meshes lie in [-0.45, 0.45]^3, inside the domain [-0.5, 0.5]^3


@dataclass(frozen=True)
class Similarity:
    """The map from the user's coordinates into the domain: x -> (x - centre) * scale."""

    centre: tuple[float, float, float]  # in the user's coordinates
    scale: float  # domain units a user's unit

    @staticmethod
    def of_bounds(lower: NDArray[Any], upper: NDArray[Any]) -> Similarity:
        """The similarity that centres a bounding box and makes its longest side 2 * HALF_WIDTH long."""
        longest = float((upper - lower).max())
        if not longest > 0:
            raise ValueError("Similarity.of_bounds: the mesh has no extent, all its vertices are one point")
        x, y, z = ((float(low) + float(high)) / 2 for low, high in zip(lower, upper, strict=True))
        return Similarity((x, y, z), 2 * HALF_WIDTH / longest)

    def apply(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """From the user's coordinates (n, 3) to the domain's."""
        import numpy as np  # not before it is needed: checkpoints are read where there is torch alone

        return (np.asarray(points, dtype=np.float64) - self.centre) * self.scale

    def invert(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """From the domain's coordinates (n, 3) to the user's."""
        import numpy as np

        return np.asarray(points, dtype=np.float64) / self.scale + self.centre

    @staticmethod
    def identity() -> Similarity:
        """The map that changes nothing."""
        return Similarity((0.0, 0.0, 0.0), 1.0)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> Similarity:
        """The inverse of `as_dict`."""
        x, y, z = (float(c) for c in values["centre"])
        scale = float(values["scale"])
        if not (all(math.isfinite(number) for number in (x, y, z, scale)) and scale > 0):
            raise ValueError(f"Similarity: needs a finite centre and scale > 0, got {values}")
        return Similarity((x, y, z), scale)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint."""
        return {"centre": list(self.centre), "scale": self.scale}
