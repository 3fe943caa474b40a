"""Polyhedra by their generators, in integers: the double description method (Motzkin et al. 1953).

A polyhedron in D dimensions is the cone over it in D + 1, with a coordinate t >= 0 behind: a generator with
t > 0 is a vertex, one with t = 0 a direction in which the polyhedron is unbounded. Lines are kept apart from
rays, so that polyhedra without vertices are covered. Each ray remembers the inequalities that are tight on
it, as the bits of an integer; with them faces and adjacency are read off without arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from creased.core.exact.elimination import Vector, dot, identity, primitive

AT_INFINITY = 0  # number of the inequality t >= 0


class Cone(NamedTuple):
    """A full-dimensional polyhedral cone; its rays are extreme modulo its lines."""

    lines: tuple[Vector, ...]
    rays: tuple[Vector, ...]
    tight: tuple[int, ...]  # of each ray: bit i is set where inequality i vanishes on it
    rows: int  # the inequalities so far, as bits

    @property
    def dim(self) -> int:
        """Number of coordinates of a generator."""
        return len((*self.lines, *self.rays)[0])

    def interior(self) -> Vector:
        """Return a vector in the interior."""
        return primitive([sum(column) for column in zip(*self.rays, strict=True)])

    def point(self) -> tuple[Fraction, ...]:
        """Return a point in the interior of the polyhedron."""
        *position, t = self.interior()
        return tuple(Fraction(x, t) for x in position)


class Parts(NamedTuple):
    """A cone cut by a row; None for a side that is not full-dimensional."""

    below: Cone | None
    above: Cone | None


def whole_space(dim: int) -> Cone:
    """Return all of R^dim, homogenized: the half-space t >= 0 in dim + 1 coordinates."""
    *axes, t = identity(dim + 1)
    return Cone(tuple(axes), (t,), (0,), 1 << AT_INFINITY)


def all_directions(dim: int) -> Cone:
    """Return all of R^dim, as a cone."""
    return Cone(identity(dim), (), (), 0)


def intersection(cone: Cone, rows: Iterable[tuple[Sequence[int], int]]) -> Cone | None:
    """Intersect a cone with row . v >= 0 for each (row, number); None if it is not full-dimensional."""
    kept: Cone | None = cone
    for row, number in rows:
        if kept is None:
            return None
        if any(row):
            kept = cut(kept, row, number).above
    return kept


def cut(cone: Cone, row: Sequence[int], number: int) -> Parts:
    """Cut a cone by a row that is not zero, which becomes inequality ``number``."""
    for line in cone.lines:
        if slope := dot(row, line):
            return _cut_line(cone, row, 1 << number, line if slope > 0 else tuple(-x for x in line))
    values = [dot(row, ray) for ray in cone.rays]
    has_above, has_below = any(v > 0 for v in values), any(v < 0 for v in values)
    if has_above and has_below:
        return _cut_rays(cone, values, 1 << number)
    bit = 1 << number
    tight = tuple(t if v else t | bit for t, v in zip(cone.tight, values, strict=True))
    touched = cone._replace(tight=tight, rows=cone.rows | bit)
    return Parts(None, touched) if has_above else Parts(touched, None)


def _cut_line(cone: Cone, row: Sequence[int], bit: int, line: Vector) -> Parts:
    """Cut by a row that grows along a line of the cone: the line becomes a ray of either side."""
    slope = dot(row, line)

    def onto_row(vector: Vector) -> Vector:
        value = dot(row, vector)
        return primitive([slope * x - value * y for x, y in zip(vector, line, strict=True)])

    lines = tuple(onto_row(other) for other in cone.lines if any(onto_row(other)))
    rays = tuple(onto_row(ray) for ray in cone.rays)
    tight = (*(t | bit for t in cone.tight), cone.rows)  # all rows so far vanish on a line
    back = tuple(-x for x in line)
    seen = cone.rows | bit
    return Parts(Cone(lines, (*rays, back), tight, seen), Cone(lines, (*rays, line), tight, seen))


def _cut_rays(cone: Cone, values: Sequence[int], bit: int) -> Parts:
    """Cut by a row with rays on both sides: a new ray between each two adjacent ones that it separates."""
    rays, tight = cone.rays, cone.tight
    on_row = [i for i, v in enumerate(values) if v == 0]
    above, below = ([i for i, v in enumerate(values) if v * sign > 0] for sign in (1, -1))
    fresh, fresh_tight = [], []
    fewest = cone.dim - len(cone.lines) - 2  # inequalities that are tight on a face of two rays
    for p in above:
        for n in below:
            common = tight[p] & tight[n]
            if common.bit_count() >= fewest and _are_alone(p, n, common, tight):
                a, b = values[p], -values[n]
                fresh.append(primitive([b * x + a * y for x, y in zip(rays[p], rays[n], strict=True)]))
                fresh_tight.append(common | bit)

    def side(kept: list[int]) -> Cone:
        return Cone(
            cone.lines,
            (*(rays[i] for i in kept), *(rays[i] for i in on_row), *fresh),
            (*(tight[i] for i in kept), *(tight[i] | bit for i in on_row), *fresh_tight),
            cone.rows | bit,
        )

    return Parts(side(below), side(above))


def _are_alone(p: int, n: int, common: int, tight: Sequence[int]) -> bool:
    """Tell whether no other ray lies on the smallest face with rays p and n."""
    return all(other & common != common or i in (p, n) for i, other in enumerate(tight))
