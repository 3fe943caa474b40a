"""Units of length: their names in files and on command lines, and lengths with a unit such as ``1mm``."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

METERS = {  # by the names that 3MF has for them
    "micron": 1e-6,
    "millimeter": 1e-3,
    "centimeter": 1e-2,
    "inch": 0.0254,
    "foot": 0.3048,
    "meter": 1.0,
}
UNITS = tuple(METERS)
SHORT = {
    "micron": "um",
    "millimeter": "mm",
    "centimeter": "cm",
    "inch": "in",
    "foot": "ft",
    "meter": "m",
}
_OTHERS = {
    "feet": "foot",
    "inches": "inch",
    "micrometer": "micron",
    "µm": "micron",
    '"': "inch",
}
_BY_NAME = {name: name for name in UNITS} | {short: name for name, short in SHORT.items()} | _OTHERS
_LENGTH = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(.*?)\s*", re.IGNORECASE)
_SAME = 1e-6  # relative difference up to which a number of meters is that of a unit


class UnitError(ValueError):
    """A unit or a length that cannot be used; the message says why."""


class Length(NamedTuple):
    """A length, perhaps with its unit."""

    value: float
    unit: str | None  # one of `UNITS`; None: the unit of the user's coordinates

    def within(self, unit: str | None) -> float:
        """Convert to coordinates in ``unit``.

        Raises:
            UnitError: the length has a unit, and that of the coordinates is not known.
        """
        if self.unit is None:
            return self.value
        if unit is None:
            raise UnitError(
                f"{self.value:g} {SHORT[self.unit]}: the unit of the coordinates is not known: "
                "give a number in it, or name it with --unit"
            )
        return self.value * conversion(self.unit, unit)


def conversion(unit: str, other: str) -> float:
    """Return how many of the ``other`` make one ``unit``."""
    return METERS[unit] / METERS[other]


def format_length(length: float, unit: str | None, digits: int = 3) -> str:
    """Format a length of the user's, with its unit where that is known."""
    return f"{length:.{digits}g} {SHORT[unit] if unit else 'in your units'}"


def with_unit(number: str, unit: str | None, power: int = 1) -> str:
    """Append the unit of a length, an area or a volume where it is known, such as ``12 mm^2``."""
    raised = "" if power == 1 else f"^{power}"
    return f"{number} {SHORT[unit]}{raised}" if unit else number


def parse_unit(text: object) -> str:
    """Return the unit of `UNITS` that a name such as mm, inches or metre means.

    Raises:
        UnitError: there is no such unit.
    """
    name = str(text).strip().lower().replace("metre", "meter")
    for candidate in (name, name.removesuffix("s")):
        if candidate in _BY_NAME:
            return _BY_NAME[candidate]
    raise UnitError(f"a unit of length is one of {', '.join(SHORT.values())}, got {text!r}")


def parse_length(text: str) -> Length:
    """Parse a finite number with or without a unit.

    Raises:
        UnitError: it is none.
    """
    found = _LENGTH.fullmatch(text)
    value = float(found[1]) if found else math.nan
    if found is None or not math.isfinite(value):
        raise UnitError(f"a length is a number, perhaps with a unit, such as 1mm, got {text!r}")
    return Length(value, parse_unit(found[2]) if found[2] else None)


def unit_of_meters(meters: float) -> str | None:
    """Return the unit that is so many meters long; None if no unit is."""
    return next((name for name, size in METERS.items() if math.isclose(size, meters, rel_tol=_SAME)), None)
