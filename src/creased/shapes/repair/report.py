"""Say what was done to a mesh to make it a solid, and name its parts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from creased.shapes.repair.change import Change
from creased.shapes.repair.closing import Opening
from creased.shapes.repair.connectivity import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT = 50  # parts or openings that are recorded
NAMED = 3  # parts that a message names; of more it gives the number


@dataclass(frozen=True)
class PartFacts:
    """A part as messages name it, in the user's unit."""

    index: int  # among the parts that were read, in the order of their first triangles
    n_faces: int
    extent: tuple[float, float, float]  # sides of the bounding box
    centre: tuple[float, float, float]  # of the bounding box

    @staticmethod
    def of_part(part: Part, unit: float, origin: Any) -> PartFacts:
        """Measure a part whose positions are multiples of ``unit`` from an origin (3,)."""
        x, y, z = (float(side) * unit for side in part.bounds[1] - part.bounds[0])
        u, v, w = (float(c) for c in part.bounds.mean(axis=0) * unit + np.asarray(origin))
        return PartFacts(part.index, len(part.triangles), (x, y, z), (u, v, w))

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"extent": list(self.extent), "centre": list(self.centre)}

    def __str__(self) -> str:
        """Name the part."""
        sides = " x ".join(f"{side:.4g}" for side in self.extent)
        centre = ", ".join(f"{c:.6g}" for c in self.centre)
        return f"part {self.index} ({self.n_faces:,} faces, {sides}, about {centre})"


class Frame(NamedTuple):
    """Coordinates in which a mesh is about the origin and its longest side is 1."""

    origin: NDArray[np.float64]  # (3,) in the user's coordinates
    unit: float  # the user's length of 1

    def facts(self, parts: list[Part]) -> tuple[PartFacts, ...]:
        """Measure parts in the user's unit."""
        return tuple(PartFacts.of_part(part, self.unit, self.origin) for part in parts)


def name_parts(parts: list[PartFacts]) -> str:
    """Name the first parts of a list, and count the others."""
    named = ", ".join(map(str, parts[:NAMED]))
    return named if len(parts) <= NAMED else f"{named} and {len(parts) - NAMED:,} more"


@dataclass(frozen=True)
class Report:
    """What a repair did; lengths in the user's unit."""

    n_parts: int  # that were read
    n_merged: int = 0  # vertices merged within the tolerance
    n_split: int = 0  # edges split at T-junctions
    n_repeated: int = 0  # triangles that were there twice
    n_internal: int = 0  # triangles of internal walls
    n_turned: int = 0  # triangles that faced another way than their part
    n_closed: int = 0  # parts whose openings were closed
    openings: tuple[Opening, ...] = ()  # that were closed, the longest first
    left_out: tuple[PartFacts, ...] = ()  # by shape.open=drop
    fragments: tuple[PartFacts, ...] = ()  # small parts that cannot be closed
    fragments_share: float = 0.0  # of the area
    not_bounding: tuple[PartFacts, ...] = ()  # open parts inside or on the solid
    shells: tuple[PartFacts, ...] = ()
    thickness: float | None = None  # of shells
    n_reversed: int = 0
    n_cavities: int = 0
    n_united: int = 0
    n_inside: int = 0
    n_not_united: int = 0
    change: Change | None = field(default=None, compare=False)  # None: the surface is as it was read

    @property
    def is_unchanged(self) -> bool:
        """True if the surface that is learnt is the surface that was read."""
        done = (self.n_merged, self.n_split, self.n_repeated, self.n_internal, self.n_closed, self.n_united)
        return not any((*done, self.left_out, self.fragments, self.not_bounding, self.shells))

    def sentences(self) -> list[str]:
        """Say what was done, a sentence each."""
        longest = "" if not self.openings else f", the longest {self.openings[0].perimeter:.4g} around"
        across = "" if not self.openings else f" and {self.openings[0].extent:.4g} across"
        counts = [
            (self.n_merged, f"{self.n_merged:,} vertices on open edges were merged with others near them"),
            (self.n_split, f"{self.n_split:,} open edges were split at vertices of others"),
            (self.n_repeated, f"{self.n_repeated:,} triangles were there twice"),
            (self.n_internal, f"{self.n_internal:,} triangles of internal walls were removed"),
            (self.n_turned, f"{self.n_turned:,} triangles faced another way than their part and were turned"),
            (
                self.n_closed,
                f"not watertight; {len(self.openings):,} openings of {self.n_closed:,} parts were closed by "
                f"pymeshfix{longest}{across}",
            ),
            (len(self.left_out), f"left out, by shape.open=drop: {name_parts(list(self.left_out))}"),
            (
                len(self.fragments),
                f"{len(self.fragments):,} fragments, {100 * self.fragments_share:.2g} % of the area, cannot "
                f"be closed and were left out: {name_parts(list(self.fragments))}",
            ),
            (
                len(self.not_bounding),
                f"open parts inside or on the solid bound nothing: {name_parts(list(self.not_bounding))}",
            ),
            (
                len(self.shells),
                f"thickened to {self.thickness or 0:.4g}: {name_parts(list(self.shells))}",
            ),
            (self.n_reversed, f"{self.n_reversed} of {self.n_parts} parts were inside out and were reversed"),
            (
                self.n_united,
                f"{self.n_united} parts that overlap or touch were united"
                + (f", {self.n_inside} of them wholly inside others" if self.n_inside else ""),
            ),
            (
                self.n_not_united,
                f"{self.n_not_united} parts overlap or touch and cannot be united: walls inside are learnt",
            ),
        ]
        return [sentence for count, sentence in counts if count]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for `metrics.json`; of lists the first `KEPT`."""
        plain: dict[str, Any] = {}
        for name, value in vars(self).items():
            if isinstance(value, tuple):
                plain[f"n_{name}"] = len(value)
                plain[name] = [item.as_dict() for item in value[:KEPT]]
            elif name != "change":
                plain[name] = value
        plain["change"] = None if self.change is None else self.change.as_dict()
        return plain | {"words": self.sentences()}
