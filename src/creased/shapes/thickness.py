"""Find walls and gaps of a shape that are thinner than the cells of a grid.

From points of the surface rays go inward along the normal, through the wall, and outward, across the gap. A
ray counts if what it meets faces the point: sharp edges and creases, where opposite sides meet, are none.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.io.units import format_length
from creased.shapes.surface import Surface

if TYPE_CHECKING:
    from numpy.typing import NDArray

N = 20_000  # points on the surface
STEP = 1e-5  # from a point to the start of its ray, domain units
FACING = -0.7  # largest cosine between the normals of two sides that face each other
LEAST = 0.005  # of the surface: less than this may be thinner without a word


@dataclass(frozen=True)
class Thinness:
    """How much of a surface has another part of it nearer than a cell, inside (walls) or outside (gaps)."""

    n_cells: int  # of the grid, an axis
    cell: float  # their side, domain units
    walls_share: float  # of the surface, with walls thinner than a cell
    thinnest_walls: float  # in cells: thicker than those of `LEAST` of the surface; inf: there are none
    gaps_share: float
    narrowest_gaps: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain values; None in place of infinities."""
        return {name: value if math.isfinite(value) else None for name, value in asdict(self).items()}

    def sentences(self, unit: float, name: str | None = None) -> list[str]:
        """Say what the grid may lose; nothing where all is well.

        Args:
            unit: the user's length of one unit of the domain.
            name: of the user's unit, one of `creased.io.units.UNITS`; None: not known.
        """
        found = []
        for what, share, width, loss in (
            ("walls", self.walls_share, self.thinnest_walls, "learnt with holes"),
            ("gaps", self.gaps_share, self.narrowest_gaps, "closed"),
        ):
            if width < 1:
                where = f"{100 * share:.2g} % of the surface has {what} narrower than a cell of the grid"
                needed = f"it takes {round(self.n_cells / width):,} cells an axis, not {self.n_cells}"
                cell = format_length(self.cell * unit, name)
                found.append(f"{what} of {width:.2g} cells: {where} ({cell}), that may be {loss}; {needed}")
        return found


def measure_thinness(
    surface: Surface, n_cells: int, cell: float, rng: np.random.Generator, n: int = N
) -> Thinness:
    """Measure the walls and gaps of a closed surface at n points.

    Args:
        surface: of a shape, in the domain.
        n_cells: of the grid, an axis.
        cell: their side.
        rng: random number generator.
        n: points on the surface.
    """
    walls, gaps = (widths / cell for widths in measure_widths(surface, rng, n))
    return Thinness(
        n_cells=n_cells,
        cell=cell,
        walls_share=float((walls < 1).mean()),
        thinnest_walls=thinnest(walls),
        gaps_share=float((gaps < 1).mean()),
        narrowest_gaps=thinnest(gaps),
    )


def thinnest(widths: NDArray[np.float64]) -> float:
    """Return the width that all but `LEAST` of the surface exceed; inf if nothing faces it."""
    return float(np.quantile(widths, LEAST, method="lower"))


def measure_widths(
    surface: Surface, rng: np.random.Generator, n: int = N
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure walls (n,) and gaps (n,) at points drawn uniformly; inf where nothing faces the point."""
    points, triangles = surface.sample(n, rng)
    normals = surface.normals(triangles)
    walls, gaps = (_widths(surface, points, normals, side) for side in (-1, 1))
    return walls, gaps


def _widths(
    surface: Surface, points: NDArray[np.float64], normals: NDArray[np.float64], side: int
) -> NDArray[np.float64]:
    """Compute the distances (n,) to what faces the points, inward (-1) or outward (1); inf: nothing does."""
    directions = side * normals
    hits = surface.index.cast(points + STEP * directions, directions)
    opposite = surface.normals(np.maximum(hits.triangle, 0))
    is_facing = (hits.triangle >= 0) & ((opposite * normals).sum(axis=1) < FACING)
    return np.where(is_facing, hits.distance.astype(np.float64) + STEP, np.inf)
