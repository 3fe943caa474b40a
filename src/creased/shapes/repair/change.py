"""Measure what a repair changed: distances both ways, lost and invented surface, extent, area, volume.

What lies inside the solid after a union was an internal wall; it is counted apart, and is not lost.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from creased.io.units import with_unit
from creased.shapes.comparison import Comparison, compare
from creased.shapes.repair.options import Limits
from creased.shapes.surface import Surface

N = 10_000  # points on either surface


@dataclass(frozen=True)
class Change:
    """What is learnt beside what was read; lengths in the user's unit."""

    comparison: Comparison  # of what is learnt with what was read
    extent: float  # by how much a side of the bounding box moves
    area_read: float  # without internal walls
    area_learnt: float
    volume_read: float | None  # of the parts as read, what overlaps counted once; None if one is open
    volume_learnt: float
    internal: float  # share of the surface that was read, which lies inside the solid

    @property
    def shares(self) -> dict[str, float]:
        """Shares that `Limits` of the same names bound."""
        volume = 0.0 if self.volume_read is None else abs(self.volume_learnt / self.volume_read - 1)
        return {
            "lost": self.comparison.lost.share,
            "invented": self.comparison.invented.share,
            "extent": self.extent / self.comparison.longest_side,
            "volume": volume,
        }

    def beyond(self, limits: Limits) -> list[str]:
        """Say which limits are exceeded."""
        what = {
            "lost": "of the surface is lost",
            "invented": "of the surface is invented",
            "extent": "of its size is what the bounding box changes by",
            "volume": "is what the volume changes by",
        }
        allowed = asdict(limits)
        return [
            f"{100 * share:.3g} % {what[name]} (shape.limits.{name}={allowed[name]:g})"
            for name, share in self.shares.items()
            if share > allowed[name]
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for `metrics.json`."""
        found = self.comparison
        return {
            "read_to_learnt": asdict(found.from_reference),
            "learnt_to_read": asdict(found.to_reference),
            "tolerance": found.tolerance,
            "lost": found.lost._asdict(),
            "invented": found.invented._asdict(),
            "extent_change": self.extent,
            "area_read": self.area_read,
            "area_learnt": self.area_learnt,
            "volume_read": self.volume_read,
            "volume_learnt": self.volume_learnt,
            "n_parts_read": found.reference.n_components,
            "n_parts_learnt": found.mesh.n_components,
            "internal_share": self.internal,
        }

    def __str__(self) -> str:
        """Describe the change in a sentence."""
        found, unit = self.comparison, self.comparison.unit_name
        ways = (("of what was read from what is learnt", found.from_reference), ("back", found.to_reference))
        distances = "; ".join(
            with_unit(f"{name} mean {way.mean:.3g}, p99 {way.p99:.3g}, max {way.max:.3g}", unit)
            for name, way in ways
        )
        volume = "" if self.volume_read is None else f"{self.volume_read:.5g} -> "
        return (
            f"distances {distances}; farther than {with_unit(f'{found.tolerance:.3g}', unit)}: "
            f"{100 * found.lost.share:.2g} % of what was read (lost), {100 * found.invented.share:.2g} % of "
            f"what is learnt (invented); area {self.area_read:.5g} -> "
            f"{with_unit(f'{self.area_learnt:.5g}', unit, 2)}, volume {volume}"
            f"{with_unit(f'{self.volume_learnt:.5g}', unit, 3)}, the bounding box moves by "
            f"{with_unit(f'{self.extent:.3g}', unit)}, parts {found.reference.n_components} -> "
            f"{found.mesh.n_components}"
            + (f"; {100 * self.internal:.2g} % of what was read lay inside" if self.internal else "")
        )


def measure_change(
    learnt: Surface, read: Surface, name: str, unit: float, *, hides: bool, volume_read: float | None
) -> Change:
    """Measure the change between surfaces in the domain.

    Args:
        learnt: the solid.
        read: what was read, in the same coordinates.
        name: of the shape.
        unit: the user's length of one unit of these coordinates.
        hides: ``read`` is an `OuterSurface`: say how much of it lies inside.
        volume_read: in the user's unit.
    """
    rng = np.random.default_rng(0)
    internal = 0.0
    if hides:
        internal = 1 - len(read.sample(N, rng)[0]) / N
        internal = 0.0 if internal == 1 else internal
    found = compare(learnt, read, name, unit, rng, N)
    corners = [np.stack([each.vertices.min(axis=0), each.vertices.max(axis=0)]) for each in (learnt, read)]
    return Change(
        comparison=found,
        extent=float(np.abs(corners[0] - corners[1]).max()) * unit,
        area_read=found.reference.area * (1 - internal),
        area_learnt=found.mesh.area,
        volume_read=volume_read,
        volume_learnt=found.mesh.volume or 0.0,
        internal=internal,
    )
