"""Slabs of a box between planes of the finest grid: cut one after the other, they take little memory.

A slab is a domain of its own. The walls between slabs are planes of the grid, which cut no simplex. So the
cells of the slabs are those of the box, and cells in such a wall are cells of both slabs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, prod

from creased.core.domains.box import Box
from creased.core.domains.domain import Domain, Rows
from creased.core.program.kuhn_grid import KuhnGrid

AXIS = 0  # that slabs are across; their walls there are rows 0 and 1
CUBES = 1 << 14  # of a slab, which with some tens of cells each take a gigabyte

Plane = tuple[int, ...]  # a wall as D + 1 integers, the constant last


@dataclass(frozen=True, init=False)
class Slab(Box):
    """A part of a box between walls across an axis, which may be planes of a grid."""

    planes: tuple[Plane | None, Plane | None]  # these walls without rounding; None: wall of the box

    def __init__(
        self, lower: Sequence[float], upper: Sequence[float], planes: tuple[Plane | None, Plane | None]
    ) -> None:
        super().__init__(lower, upper)
        object.__setattr__(self, "planes", planes)

    def exact_walls(self) -> Rows:
        """The walls (2 D, D + 1), those on planes without rounding."""
        walls: list[Sequence[float]] = [*super().exact_walls()]
        for wall, plane in enumerate(self.planes, start=2 * AXIS):
            walls[wall] = plane or walls[wall]
        return walls


def slabs_of(grid: KuhnGrid, domain: Domain, n_cubes: int = CUBES) -> list[Domain]:
    """Divide a box into slabs, in order; a box of few cubes, and any other domain, stays whole.

    Args:
        grid: between whose planes slabs are.
        domain: what is divided.
        n_cubes: that a slab of more than one layer may have.
    """
    if not isinstance(domain, Box) or grid.section is not None:
        return [domain]
    spans = [
        (floor(_in_cubes(grid, a)), ceil(_in_cubes(grid, b)))
        for a, b in zip(domain.lower, domain.upper, strict=True)
    ]
    first, last = spans.pop(AXIS)
    thickness = max(n_cubes // prod(b - a for a, b in spans), 1)
    planes = range(first + thickness, last, thickness)
    if not planes:
        return [domain]
    return [_slab(grid, domain, *ends) for ends in pairwise([None, *planes, None])]


def _slab(grid: KuhnGrid, box: Box, first: int | None, last: int | None) -> Slab:
    """Cut a slab out of a box, between planes; None: there its own wall ends it."""
    lower, upper, half, n = list(box.lower), list(box.upper), Fraction(grid.half_width), grid.finest
    planes: list[Plane | None] = []
    for bounds, at, side in ((lower, first, 1), (upper, last, -1)):
        if at is None:
            planes.append(None)
            continue
        slope, height = n * half.denominator, (2 * at - n) * half.numerator
        bounds[AXIS] = height / slope
        normal = [side * slope if axis == AXIS else 0 for axis in range(grid.dim)]
        planes.append((*normal, -side * height))
    return Slab(lower, upper, (planes[0], planes[1]))


def _in_cubes(grid: KuhnGrid, x: float) -> Fraction:
    """A coordinate in units of cubes."""
    return (Fraction(x) / Fraction(grid.half_width) + 1) * grid.finest / 2
