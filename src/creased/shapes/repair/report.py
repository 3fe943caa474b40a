"""Say what was done to a mesh to make it a solid, and name its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from creased.io.units import with_unit
from creased.shapes.repair.change import Change
from creased.shapes.repair.closing import Opening
from creased.shapes.repair.parts import Part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEPT = 50  # parts or openings that are recorded
PAIRS = "pairs of triangles intersect"
NAMED = 3  # parts that a message names; of more it gives the number


@dataclass(frozen=True)
class PartFacts:
    """A part as messages name it, in the user's unit."""

    index: int  # among the parts that were read, in the order of their first triangles
    n_faces: int
    extent: tuple[float, float, float]  # sides of the bounding box
    centre: tuple[float, float, float]  # of the bounding box
    unit: str | None = None  # of these lengths, one of `creased.io.units.UNITS`; None: not known

    @staticmethod
    def of_part(part: Part, frame: Frame) -> PartFacts:
        """Measure a part whose positions are in a frame."""
        x, y, z = (float(side) * frame.unit for side in part.bounds[1] - part.bounds[0])
        u, v, w = (float(c) for c in part.bounds.mean(axis=0) * frame.unit + frame.origin)
        return PartFacts(part.index, len(part.triangles), (x, y, z), (u, v, w), frame.unit_name)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"extent": list(self.extent), "centre": list(self.centre)}

    def __str__(self) -> str:
        """Name the part."""
        sides = with_unit(" x ".join(f"{side:.4g}" for side in self.extent), self.unit)
        centre = ", ".join(f"{c:.6g}" for c in self.centre)
        return f"part {self.index} ({count(self.n_faces, 'face', 'faces')}, {sides}, about {centre})"


class Frame(NamedTuple):
    """Coordinates in which a mesh is about the origin and its longest side is 1."""

    origin: NDArray[np.float64]  # (3,) in the user's coordinates
    unit: float  # the user's length of 1
    unit_name: str | None = None  # of the user's lengths; None: not known

    def facts(self, parts: list[Part]) -> tuple[PartFacts, ...]:
        """Measure parts in the user's unit."""
        return tuple(PartFacts.of_part(part, self) for part in parts)


def count(n: int, one: str, more: str) -> str:
    """Format a number of things."""
    return f"{n:,} {one if n == 1 else more}"


def _parts(what: str, more: str | None = None) -> tuple[str, str]:
    return f"open part {what}", f"open parts {more or what}"


def name_parts(parts: Sequence[PartFacts]) -> str:
    """Name the first parts of a list, and count the others."""
    named = ", ".join(map(str, parts[:NAMED]))
    return named if len(parts) <= NAMED else f"{named} and {len(parts) - NAMED:,} more"


@dataclass(frozen=True)
class Report:
    """What a repair did; lengths in the user's unit."""

    n_parts: int  # that were read
    unit: str | None = None  # one of `creased.io.units.UNITS`; None: not known
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
    shells_overlap: float = 0.0  # share of them that overlaps itself, as they bend more than that allows
    n_reversed: int = 0
    n_cavities: int = 0
    n_united: int = 0
    n_inside: int = 0
    n_not_united: int = 0
    crossing: float = 0.0  # share of the surface that is learnt and has the solid on both sides
    n_crossings: int | None = None  # pairs of triangles that intersect, where it has; None: not counted
    change: Change | None = field(default=None, compare=False)  # None: the surface is as it was read

    @property
    def is_unchanged(self) -> bool:
        """True if the surface that is learnt is the surface that was read."""
        done = (self.n_merged, self.n_split, self.n_repeated, self.n_internal, self.n_closed, self.n_united)
        return not any((*done, self.left_out, self.fragments, self.not_bounding, self.shells))

    def sentences(self) -> list[str]:
        """Say what was done, a sentence each; parts are named."""
        return [words + details for words, details in self._done()]

    def summary(self) -> str:
        """Say what was done, in a few words each."""
        return "; ".join(words for words, _ in self._done())

    def _done(self) -> list[tuple[str, str]]:
        """List what was done: in a few words, and what may be said further."""
        lids = f" in {count(self.n_closed, 'part', 'parts')}, by pymeshfix"
        if self.openings:
            longest = self.openings[0]
            around, across = (
                with_unit(f"{length:.4g}", self.unit) for length in (longest.perimeter, longest.extent)
            )
            lids += f", the longest {around} around and {across} across"
        share = 100 * self.fragments_share
        inside = f", {self.n_inside:,} of them wholly inside others" if self.n_inside else ""
        every = [
            (self.n_merged, "vertex on an open edge merged", "vertices on open edges merged", ""),
            (self.n_split, "open edge split at vertices on it", "open edges split at vertices on them", ""),
            (self.n_repeated, "repeated triangle removed", "repeated triangles removed", ""),
            (self.n_internal, "triangle of a wall inside removed", "triangles of walls inside removed", ""),
            (
                self.n_turned,
                "triangle turned",
                "triangles turned",
                ": facing another way than their part",
            ),
            (len(self.openings), "opening closed", "openings closed", lids),
            (len(self.left_out), *_parts("left out"), f" by shape.open=drop: {name_parts(self.left_out)}"),
            (
                len(self.fragments),
                *_parts("a fragment, left out", "fragments, left out"),
                f": {share:.2g} % of the area, {name_parts(self.fragments)}",
            ),
            (len(self.not_bounding), *_parts("inside or on the solid ignored"), ""),
            (
                len(self.shells),
                *_parts("thickened"),
                f" to {with_unit(f'{self.thickness or 0:.4g}', self.unit)}: {name_parts(self.shells)}",
            ),
            (self.n_reversed, "part reversed", "parts reversed", f" of {self.n_parts:,}: inside out"),
            (self.n_united, "", "parts that overlap or touch united", inside),
            (self.n_not_united, "", "parts that overlap cannot be united", ": walls inside are learnt"),
        ]
        done = [(count(n, one, more), details) for n, one, more, details in every if n]
        if self.shells_overlap:
            words = f"{100 * self.shells_overlap:.2g} % of the thickened parts overlaps itself"
            done.append(
                (words, ", as they bend more than the thickness allows: give a smaller shape.thickness")
            )
        if self.crossing:
            words = f"{100 * self.crossing:.2g} % of the surface lies inside the solid"
            if self.n_crossings is not None:
                words += f", {count(self.n_crossings, 'pair of triangles intersects', PAIRS)}"
            done.append((words, ", as the mesh crosses itself: it is learnt all the same"))
        return done

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
        return plain | {"words": self.sentences(), "summary": self.summary()}
