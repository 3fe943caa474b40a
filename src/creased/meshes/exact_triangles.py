"""Triangle-triangle intersection in rational arithmetic; floating-point coordinates are exact.

After Moller, A fast triangle-triangle intersection test (1997): triangles in two planes that intersect are
disjoint unless their intervals on the common line overlap; triangles in one plane are disjoint if a side of
one separates them. Nothing is rounded, so there is no tolerance.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

Point = Sequence[Fraction]


def are_apart(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> bool:
    """Decide whether two closed triangles are disjoint; False, undecided, where one has no area.

    Args:
        first: three corners of three coordinates.
        second: likewise.
    """
    a, b = ([[Fraction(x) for x in corner] for corner in corners] for corners in (first, second))
    normals = [_cross(_from(t[0], t[1]), _from(t[0], t[2])) for t in (a, b)]
    if not all(map(any, normals)):
        return False
    above_b = [_dot(normals[1], _from(b[0], corner)) for corner in a]
    above_a = [_dot(normals[0], _from(a[0], corner)) for corner in b]
    if not any(above_b):
        return _apart_in_plane(a, b, normals[0])
    for heights in (above_a, above_b):
        if min(heights) > 0 or max(heights) < 0:
            return True
    line = _cross(*normals)
    (low_a, high_a), (low_b, high_b) = _piece(a, above_b, line), _piece(b, above_a, line)
    return high_a < low_b or high_b < low_a


def _piece(corners: list[list[Fraction]], heights: list[Fraction], line: Point) -> tuple[Fraction, Fraction]:
    """Intersect a triangle with the line, given the heights of its corners above the other plane."""
    places = [_dot(line, corner) for corner in corners]
    found = [place for place, height in zip(places, heights, strict=True) if height == 0]
    for i, j in ((0, 1), (1, 2), (2, 0)):
        if heights[i] * heights[j] < 0:
            share = heights[i] / (heights[i] - heights[j])
            found.append(places[i] + share * (places[j] - places[i]))
    return min(found), max(found)


def _apart_in_plane(a: list[list[Fraction]], b: list[list[Fraction]], normal: Point) -> bool:
    for triangle, other in ((a, b), (b, a)):
        for i in range(3):
            side = _cross(normal, _from(triangle[i], triangle[(i + 1) % 3]))
            within = _dot(side, _from(triangle[i], triangle[(i + 2) % 3]))
            if all(_dot(side, _from(triangle[i], corner)) * within < 0 for corner in other):
                return True
    return False


def _from(start: Point, end: Point) -> list[Fraction]:
    return [b - a for a, b in zip(start, end, strict=True)]


def _dot(a: Point, b: Point) -> Fraction:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Point, b: Point) -> list[Fraction]:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
