"""Options of a repair, and the limits of what it may change without being asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypedDict

from creased.shapes.sources import ShapeError

MODES = ("strict", "lenient", "off")
FOR_OPEN = ("refuse", "drop", "shell")


@dataclass(frozen=True)
class Limits:
    """The largest changes that `shape.repair=strict` accepts, as shares."""

    lost: float = 0.05  # of the surface that was read
    invented: float = 0.05  # of the surface that is learnt
    extent: float = 0.02  # of the longest side
    volume: float = 0.05  # of the volume, where what was read is closed
    lid: float = 0.25  # of a part's area: one that needs a larger lid is a sheet, and is not closed
    fragment: float = 0.01  # of the area: as much of unclosable parts is left out with a word

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not _is_number(value) or not value >= 0:
                raise ShapeError(f"shape.limits.{name} takes a number, at least 0; got {value!r}")


class RepairKeywords(TypedDict, total=False):
    """The arguments of `RepairOptions`, by name."""

    repair: str | bool
    open: str
    thickness: float | None
    weld: float
    limits: Mapping[str, Any]


@dataclass(frozen=True)
class RepairOptions:
    """How a mesh is made a solid; the options `shape.*` of the same names.

    Args:
        repair: "strict" refuses changes beyond the limits, "lenient" reports them, "off" takes closed meshes
            alone, and as they are. True and False stand for "strict" and "off".
        open: parts that cannot be closed: "refuse" the shape, "drop" them, or thicken them to a "shell".
        thickness: of shells, a length of the user's; None: 5 % of the longest side.
        weld: vertices on open edges are merged within this share of the longest side.
        limits: of a strict repair, by the names in `Limits`.
    """

    repair: str | bool = "strict"
    open: str = "refuse"
    thickness: float | None = None
    weld: float = 1e-4
    limits: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require("repair", self.mode, MODES)
        _require("open", self.open, FOR_OPEN)
        if self.thickness is not None and not (_is_number(self.thickness) and 0 < self.thickness < math.inf):
            raise ShapeError(
                f"shape.thickness takes a length above 0 as a number, or null; got {self.thickness!r}"
            )
        if not _is_number(self.weld) or not 0 <= self.weld < 0.1:
            raise ShapeError(f"shape.weld takes a share of the size, from 0 to 0.1; got {self.weld!r}")

    @property
    def mode(self) -> str:
        """One of `MODES`; YAML reads an unquoted ``off`` as False."""
        return {True: "strict", False: "off"}[self.repair] if isinstance(self.repair, bool) else self.repair


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ShapeError(f"shape.{name} takes one of {', '.join(choices)}; got {value!r}")
