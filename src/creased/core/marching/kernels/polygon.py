"""Half-plane intersection: the polygon of the level set in a cell.

A polygon is left in doubt, for the torch path, where two corners, or a corner and a line, are within rounding
of one another, or where a line is uncertain.
"""

from __future__ import annotations

import numpy as np

from creased.core.marching.kernels.records import MOST_SIDES, NOBODY, Scratch
from creased.core.native.compiler import Floats, Integers, U, part, reassociated
from creased.core.native.sign_bits import has_bit, lowest_row

Line = tuple[float, float, float]

FLAT = 1e-12  # squared slopes in the plane, relative to their sum, below which a line is uncertain
PARALLEL = 1e-7  # sines of angles between lines that meet, below which their corner is uncertain
MARGIN = 1e-6  # by which a line is beyond the farthest corner, relatively, to be left out
NEAR = 2.0  # how near the first lines are that clip a polygon, to the last one's farthest corner, squared


@part
def place_plane(frame: Floats, maps: Floats, output: int, point: Floats) -> None:
    """Find the plane of the level set near a point: the nearest point of it, two axes and the normal."""
    g0, g1, g2 = maps[0, output], maps[1, output], maps[2, output]
    steepness = np.sqrt(g0 * g0 + g1 * g1 + g2 * g2)
    error = (g0 * point[0] + g1 * point[1] + g2 * point[2] + maps[3, output]) / steepness
    g0, g1, g2 = g0 / steepness, g1 / steepness, g2 / steepness
    if abs(g0) <= abs(g1) and abs(g0) <= abs(g2):
        u0, u1, u2 = 0.0, g2, -g1
    elif abs(g1) <= abs(g2):
        u0, u1, u2 = -g2, 0.0, g0
    else:
        u0, u1, u2 = g1, -g0, 0.0
    length = np.sqrt(u0 * u0 + u1 * u1 + u2 * u2)
    u0, u1, u2 = u0 / length, u1 / length, u2 / length
    frame[0, 0], frame[0, 1], frame[0, 2] = (
        point[0] - error * g0,
        point[1] - error * g1,
        point[2] - error * g2,
    )
    frame[1, 0], frame[1, 1], frame[1, 2] = u0, u1, u2
    frame[2, 0], frame[2, 1], frame[2, 2] = g1 * u2 - g2 * u1, g2 * u0 - g0 * u2, g0 * u1 - g1 * u0


@part
def trace_lines(lines: Floats, maps: Floats, frame: Floats) -> float:
    """Compute how near and how steep every row is in the plane; return the sum of squared slopes."""
    p0, p1, p2 = frame[0, 0], frame[0, 1], frame[0, 2]
    u0, u1, u2 = frame[1, 0], frame[1, 1], frame[1, 2]
    v0, v1, v2 = frame[2, 0], frame[2, 1], frame[2, 2]
    m0, m1, m2, m3, values, squares = maps[0], maps[1], maps[2], maps[3], lines[0], lines[1]
    for j in range(U(lines.shape[1])):
        a = m0[j] * u0 + m1[j] * u1 + m2[j] * u2
        b = m0[j] * v0 + m1[j] * v1 + m2[j] * v2
        c = m0[j] * p0 + m1[j] * p1 + m2[j] * p2 + m3[j]
        values[j], squares[j] = c * c, a * a + b * b
    return _sum(squares)


@reassociated
def _sum(values: Floats) -> float:
    total = 0.0
    for j in range(U(values.shape[0])):
        total += values[j]
    return total


@part
def line_of(maps: Floats, frame: Floats, words: Integers, row: int) -> Line:
    """Return slopes along the axes of the plane, and the value at its point, of a row.

    The slope is of unit length, into the cell.
    """
    m0, m1, m2 = maps[0, row], maps[1, row], maps[2, row]
    a = m0 * frame[1, 0] + m1 * frame[1, 1] + m2 * frame[1, 2]
    b = m0 * frame[2, 0] + m1 * frame[2, 1] + m2 * frame[2, 2]
    c = m0 * frame[0, 0] + m1 * frame[0, 1] + m2 * frame[0, 2] + maps[3, row]
    scale = (1.0 if has_bit(words, row) else -1.0) / np.sqrt(a * a + b * b)
    return scale * a, scale * b, scale * c


@part
def _clip(polygon: Floats, sides: Integers, n: int, row: int, line: Line, tolerance: float) -> int:
    """Clip a polygon of n corners by a half-plane; return the number, -1 if a corner is near the line."""
    a, b, c = line
    least, nearest = np.inf, np.inf
    for i in range(n):
        height = a * polygon[0, i] + b * polygon[1, i] + c
        least = min(least, height)
        nearest = min(nearest, abs(height))
    if nearest <= tolerance:
        return -1
    if least > 0:
        return n
    m, k = 0, n - 1
    before = a * polygon[0, k] + b * polygon[1, k] + c
    for i in range(n):
        x, y = polygon[0, i], polygon[1, i]
        height = a * x + b * y + c
        if (height > 0) != (before > 0):
            t = before / (before - height)
            polygon[2, m] = polygon[0, k] + t * (x - polygon[0, k])
            polygon[3, m] = polygon[1, k] + t * (y - polygon[1, k])
            sides[1, m] = sides[0, k] if height > 0 else row
            m += 1
        if height > 0:
            polygon[2, m], polygon[3, m], sides[1, m] = x, y, sides[0, i]
            m += 1
        before, k = height, i
    for i in range(m):
        polygon[0, i], polygon[1, i], sides[0, i] = polygon[2, i], polygon[3, i], sides[1, i]
    return m


@part
def _farthest(polygon: Floats, n: int) -> float:
    """Bound the squared distances of n corners."""
    farthest = 0.0
    for i in range(n):
        farthest = max(farthest, polygon[0, i] ** 2 + polygon[1, i] ** 2)
    return farthest * (1 + MARGIN)


@part
def _nearby(values: Floats, squares: Floats, w: int, farthest: float, margin: float) -> int:
    """Return which of the rows of word w may be nearer than the farthest corner, as bits."""
    bits, start = np.int64(0), U(w << 6)
    for k in range(U(min(64, values.shape[0] - (w << 6)))):
        is_near = values[start + k] <= farthest * squares[start + k] + margin
        bits |= np.int64(is_near) << np.int64(k)
    return bits


@part
def find_polygon(scratch: Scratch, reach: float, tolerance: float, flat: float) -> int:
    """Intersect the half-planes of all rows; return the number of corners, -1 where it is in doubt.

    Lines as near as the farthest corner of the last polygon are the first to clip, the others the next.
    """
    (words, maps, _, _), lines, polygon, sides, frame, near = scratch
    values, squares, n, margin = lines[0], lines[1], 4, flat * reach * reach
    for i in range(4):
        polygon[0, i] = reach if i in (0, 3) else -reach
        polygon[1, i] = reach if i < 2 else -reach
        sides[0, i] = NOBODY
    farthest = near[0]
    for _ in range(2):
        for w in range((values.shape[0] + 63) >> 6):
            bits = _nearby(values, squares, w, farthest, margin)
            while bits != 0:
                row = lowest_row(bits, w)
                bits &= bits - 1
                if values[row] > farthest * squares[row] + margin:
                    continue
                if squares[row] <= flat:
                    return -1
                n = _clip(polygon, sides, n, row, line_of(maps, frame, words, row), tolerance)
                if n < 3 or n >= MOST_SIDES:
                    return -1
                values[row] = np.inf
                farthest = min(farthest, _farthest(polygon, n))
        farthest = _farthest(polygon, n)
    near[0] = NEAR * farthest
    return n if _refine(scratch, n, tolerance) else -1


@part
def _refine(scratch: Scratch, n: int, tolerance: float) -> bool:
    """Compute corners from the lines that meet there; False if they are nearly parallel, or sides short."""
    (words, maps, _, _), _, polygon, sides, frame, _ = scratch
    for i in range(n):
        if sides[0, i] < 0:
            return False
    a, b, c = line_of(maps, frame, words, sides[0, n - 1])
    for i in range(n):
        d, e, f = line_of(maps, frame, words, sides[0, i])
        sine = a * e - b * d
        if abs(sine) <= PARALLEL:
            return False
        polygon[2, i] = (b * f - c * e) / sine
        polygon[3, i] = (c * d - a * f) / sine
        a, b, c = d, e, f
    for i in range(n):
        k = i - 1 if i else n - 1
        x, y = polygon[2, i] - polygon[2, k], polygon[3, i] - polygon[3, k]
        if x * x + y * y <= tolerance * tolerance:
            return False
    return True
