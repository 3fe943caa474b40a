"""Prove signs at vertices, one by one, from the affine maps of a cell; see `sign_filter`.

Two dimensions are three: the third slope of each row is zero, and the third row that vanishes is the
coordinate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from creased.core.native.compiler import Floats, Integers, part, sources, whole
from creased.core.native.sign_bits import has_bit
from creased.core.program.kernels import composition
from creased.core.program.kernels.composition import compose_anew
from creased.core.program.kernels.records import FlatProgram, Maps


class Limits(NamedTuple):
    """Bounds on all rows, on the domain; see `sign_filter.Bounds`."""

    rounding: Floats  # (n_rows,)
    slope: Floats  # (n_rows,)
    slope_rounding: Floats  # (n_rows,)
    unit: float  # bound on the rounding of a sum of D products
    half: float  # how far from the identity J times its approximate inverse may be


class Vertices(NamedTuple):
    """Where vertices are, and what is stated of them."""

    points: Floats  # (n, D)
    words: Integers  # (n, W)
    zeros: Integers  # (n, D): the rows that vanish


@part
def _invert(j: Floats, inverse: Floats) -> None:
    """Invert a 3 x 3 matrix; a singular one has no finite inverse."""
    for a in range(3):
        b, c = (a + 1) % 3, (a + 2) % 3
        for k in range(3):
            m, n = (k + 1) % 3, (k + 2) % 3
            inverse[k, a] = j[b, m] * j[c, n] - j[b, n] * j[c, m]
    determinant = j[0, 0] * inverse[0, 0] + j[0, 1] * inverse[1, 0] + j[0, 2] * inverse[2, 0]
    for a in range(3):
        for k in range(3):
            inverse[a, k] /= determinant


@part
def _distance(maps: Floats, limits: Limits, at: Floats, zeros: Integers, work: Floats) -> float:
    """Bound how far a coordinate of a vertex is from a point; infinite or NaN if it may be anywhere."""
    j, inverse, dim = work[:3], work[3:6], zeros.shape[0]
    for d in range(3):
        for k in range(3):
            j[d, k] = maps[k, zeros[d]] if d < dim else 1.0 * (d == k)
    _invert(j, inverse)
    off, farthest = 0.0, 0.0
    for a in range(3):
        total, distance = 0.0, 0.0
        for k in range(3):
            product, rounded = -1.0 * (a == k), 0.0
            for d in range(3):
                product += inverse[a, d] * j[d, k]
                error = limits.slope_rounding[zeros[d]] if d < dim else 0.0
                rounded += abs(inverse[a, d]) * (abs(j[d, k]) * limits.unit + error)
            total += abs(product) + rounded
        for d in range(dim):
            row = zeros[d]
            value = j[d, 0] * at[0] + j[d, 1] * at[1] + j[d, 2] * at[2] + maps[3, row]
            distance += abs(inverse[a, d]) * (abs(value) + limits.rounding[row])
        if not (total <= limits.half):
            return np.inf
        off, farthest = max(off, total), max(farthest, distance)
    return farthest / (1 - off)


@part
def _is_proven(
    maps: Floats, limits: Limits, at: Floats, words: Integers, zeros: Integers, distance: float
) -> bool:
    """Whether all rows but those that vanish have their signs no farther than that from a point."""
    dim = zeros.shape[0]
    m0, m1, m2, m3, x, y, z = maps[0], maps[1], maps[2], maps[3], at[0], at[1], at[2]
    for row in range(limits.rounding.shape[0]):
        value = m0[row] * x + m1[row] * y + m2[row] * z + m3[row]
        margin = (value if has_bit(words, row) else -value) - limits.rounding[row]
        lost = dim * limits.slope_rounding[row]
        if margin > (limits.slope[row] + lost) * distance:
            continue
        if margin > (abs(m0[row]) + abs(m1[row]) + abs(m2[row]) + lost) * distance:
            continue
        is_own = False
        for d in range(dim):
            is_own |= zeros[d] == row
        if not is_own:
            return False
    return True


def _compile_filter(stamp: str) -> Callable[..., None]:
    """Compile the loop; see `sources` for the stamp."""

    @whole
    def loop(
        out: Integers, program: FlatProgram, cell: Maps, limits: Limits, vertices: Vertices, work: Floats
    ) -> None:
        """Write 1 for each vertex (n,) all signs of which are proven, else 0."""
        if not stamp:
            return
        at, dim = work[6], vertices.points.shape[1]
        for v in range(out.shape[0]):
            words, zeros = vertices.words[v], vertices.zeros[v]
            for d in range(dim):
                at[d] = vertices.points[v, d]
            compose_anew(program, cell, words)
            distance = _distance(cell.maps, limits, at, zeros, work)
            is_known = distance < np.inf
            out[v] = 1 if is_known and _is_proven(cell.maps, limits, at, words, zeros, distance) else 0

    return loop


find_proven = _compile_filter(sources(__file__, composition.__file__))
