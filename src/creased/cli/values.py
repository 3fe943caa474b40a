"""Parse the values of options, with errors that say what they should be."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from creased.io.checkpoint import Record
from creased.io.units import Length, UnitError, parse_length, parse_unit
from creased.meshes.decimation import FEWEST


def parse_shape(text: str) -> tuple[int, ...]:
    """Parse --input-shape: positive integers."""
    sizes = text.split(",")
    if not all(size.strip().isdecimal() and int(size) for size in sizes):
        raise argparse.ArgumentTypeError(f"a shape is of positive integers, as 1,28,28, got {text}")
    return tuple(int(size) for size in sizes)


def parse_fixed(text: str) -> tuple[str, list[float]]:
    """Parse --fix: a name and numbers."""
    name, _, numbers = text.partition("=")
    try:
        return name, [float(number) for number in numbers.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"an input is fixed as NAME=0.5 or NAME=1,2,3, got {text}") from None


def parse_offset(text: str) -> Length:
    """Parse a length, perhaps with a unit."""
    try:
        return parse_length(text)
    except UnitError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parse_unit_name(text: str) -> str:
    """Parse --unit: the name of a unit."""
    try:
        return parse_unit(text)
    except UnitError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parse_within(text: str) -> Length:
    """Parse --within: a positive length, perhaps with a unit."""
    length = parse_offset(text)
    if not length.value > 0:
        raise argparse.ArgumentTypeError(f"a distance is a positive number, got {text}")
    return length


def parse_picture(text: str) -> Path:
    """Parse --out of pictures that are written as PNG alone."""
    if Path(text).suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"the picture is a .png, got {text}")
    return Path(text)


def parse_half_width(text: str) -> float:
    """Parse --half-width: a positive number."""
    return _positive(text, "half a box")


def parse_density(text: str) -> float:
    """Parse --density: a positive number."""
    return _positive(text, "a density")


def _positive(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{what} is a positive number, got {text}")
    return number


def parse_triangle_count(text: str) -> int:
    """Parse --decimate: a number of triangles."""
    if not text.isdecimal() or int(text) < FEWEST:
        raise argparse.ArgumentTypeError(f"a closed mesh has at least {FEWEST} triangles, got {text}")
    return int(text)


def parse_port(text: str) -> int:
    """Parse --port."""
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, got {text}")
    return int(text)


def in_bytes(gigabytes: float | None) -> int | None:
    """Convert --memory to bytes."""
    return None if gigabytes is None else int(gigabytes * 2**30)


def level_of(record: Record, chosen: argparse.Namespace) -> float:
    """Return --level, or the level of --offset, before the last activation of the network.

    Raises:
        ValueError: the network does not take it.
    """
    level = float(chosen.level) if chosen.offset is None else record.level_of(chosen.offset)
    return record.before(level, chosen.output)
