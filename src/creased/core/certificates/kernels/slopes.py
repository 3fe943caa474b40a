"""Prove signs at vertices, one by one, from the affine maps of a cell; see `sign_filter`.

Two dimensions are three: the third slope of each row is zero, and the third row that vanishes is the
coordinate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from creased.core.native.compiler import Floats, Integers, U, part, sources, whole
from creased.core.native.sign_bits import has_bit
from creased.core.program.kernels import composition
from creased.core.program.kernels.composition import compose_anew
from creased.core.program.kernels.records import FlatProgram, Maps

MIXER = np.uint64(0x9E3779B97F4A7C15)


class Limits(NamedTuple):
    """Bounds on all rows, on the domain; see `sign_filter.Bounds`."""

    rounding: Floats  # (n_rows,)
    slope: Floats  # (n_rows,)
    slope_rounding: Floats  # (n_rows,)
    unit: float  # bound on the rounding of a sum of D products
    change: Floats  # (n_rows,): slope, and rounding of D derivatives
    half: float  # how far from the identity J times its approximate inverse may be


class Vertices(NamedTuple):
    """Where vertices are, and what is stated of them."""

    points: Floats  # (n, D)
    words: Integers  # (n, W)
    zeros: Integers  # (n, D): the rows that vanish
    order: Integers  # (n,): in which they are visited


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
    maps: Floats,
    limits: Limits,
    at: Floats,
    words: Integers,
    zeros: Integers,
    distance: float,
    is_open: Integers,
) -> bool:
    """Whether all rows but those that vanish have their signs no farther than that from a point.

    All rows are looked at with their slopes in any cell, without branches; then those that this leaves open.
    """
    m0, m1, m2, m3, x, y, z = maps[0], maps[1], maps[2], maps[3], at[0], at[1], at[2]
    rounding, change, n_rows, dim = limits.rounding, limits.change, limits.rounding.shape[0], zeros.shape[0]
    for w in range((n_rows + 63) >> 6):
        word, first = words[w], U(64 * w)
        for bit in range(U(min(64, n_rows - 64 * w))):
            row = first + bit
            value = m0[row] * x + m1[row] * y + m2[row] * z + m3[row]
            margin = (value if (word >> bit) & 1 else -value) - rounding[row]
            is_open[row] = not (margin > change[row] * distance)
    for d in range(dim):
        is_open[zeros[d]] = 0
    n_open = 0
    for row in range(U(n_rows)):
        n_open += is_open[row]
    if not n_open:
        return True
    for row in range(n_rows):
        if is_open[row]:
            value = m0[row] * x + m1[row] * y + m2[row] * z + m3[row]
            margin = (value if has_bit(words, row) else -value) - rounding[row]
            lost = dim * limits.slope_rounding[row]
            if not (margin > (abs(m0[row]) + abs(m1[row]) + abs(m2[row]) + lost) * distance):
                return False
    return True


@whole
def key(keys: Integers, words: Integers, masks: Integers) -> None:
    """Write keys (n,) by which vertices are visited in an order that shares most of their cells' maps.

    Those in one cell stand together, among those of which the cells differ in few blocks at the end.

    Args:
        keys: 21 bits for the signs under each mask, the first mask in the highest ones.
        words: (n, W) signs of the vertices.
        masks: (3, W).
    """
    for v in range(keys.shape[0]):
        found = np.uint64(0)
        for k in range(masks.shape[0]):
            hashed = np.uint64(0)
            for w in range(words.shape[1]):
                hashed = (hashed ^ np.uint64(words[v, w] & masks[k, w])) * MIXER
                hashed ^= hashed >> np.uint64(29)
            found = (found << np.uint64(21)) | ((hashed * MIXER) >> np.uint64(43))
        keys[v] = np.int64(found)


def _compile_filter(stamp: str) -> Callable[..., None]:
    """Compile the loop; see `sources` for the stamp."""

    @whole
    def loop(
        out: Integers,
        program: FlatProgram,
        cell: Maps,
        limits: Limits,
        vertices: Vertices,
        work: tuple[Floats, Integers],
    ) -> None:
        """Write 1 for a vertex (n,) all signs of which are proven, else 0; scratch is (7, 3), (n_rows,)."""
        if not stamp:
            return
        at, dim = work[0][6], vertices.points.shape[1]
        for v in vertices.order:
            words, zeros = vertices.words[v], vertices.zeros[v]
            for d in range(dim):
                at[d] = vertices.points[v, d]
            compose_anew(program, cell, words)
            distance = _distance(cell.maps, limits, at, zeros, work[0])
            is_known = distance < np.inf
            is_proven = is_known and _is_proven(cell.maps, limits, at, words, zeros, distance, work[1])
            out[v] = 1 if is_proven else 0

    return loop


find_proven = _compile_filter(sources(__file__, composition.__file__))
