"""Match the stubs of vertices along edges, edge by edge; see `incidence`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creased.core.native.compiler import Integers, U, inlined, whole

Ids = NDArray[np.int32]


class Coded(NamedTuple):
    """Vertices and edges with their codes."""

    zero_ids: Ids  # (V, D)
    words: Integers  # (V, W)
    edges: Ids  # (E, 2)
    edge_zero_ids: Ids  # (E, D - 1)
    n_rows: int


@inlined
def _leave(coded: Coded, v: int, edge: int) -> tuple[int, bool]:
    """Find the slot that an edge leaves at a vertex, and whether the other zeros are those of the edge."""
    zeros, kept, slot, is_right = coded.zero_ids, coded.edge_zero_ids, 0, True
    for k in range(kept.shape[1]):  # both lists ascend, so that they agree exactly in front of a slot
        is_same = zeros[v, U(k)] == kept[edge, U(k)]
        slot += is_same
        is_right &= is_same | (zeros[v, U(k + 1)] == kept[edge, U(k)])
    return slot, is_right


@inlined
def _has_bit(words: Integers, v: int, row: int) -> int:
    # `sign_bits.has_bit` takes one vertex's words: with a view for each vertex the loop takes a fifth longer
    return (words[v, U(row >> 6)] >> (row & 63)) & 1


@whole
def match(coded: Coded, opposite: Integers) -> int:
    """Write the stubs at the other ends of edges; count wrong edges; -1 if an end does not exist."""
    zeros, words, edges, kept, n_rows = coded
    n_wrong, n_vertices, dim = 0, zeros.shape[0], zeros.shape[1]
    for e in range(edges.shape[0]):
        edge, a, b = U(e), edges[U(e), 0], edges[U(e), 1]
        if not (0 <= a < n_vertices and 0 <= b < n_vertices):
            return -1
        one, is_right = _leave(coded, U(a), edge)
        other, is_other = _leave(coded, U(b), edge)
        row_a, row_b = zeros[U(a), U(one)], zeros[U(b), U(other)]
        if not (0 <= row_a < n_rows and 0 <= row_b < n_rows):
            n_wrong += 1
            continue
        is_right &= is_other & (row_a != row_b)
        for k in range(kept.shape[1] - 1):
            is_right &= kept[edge, U(k)] < kept[edge, U(k + 1)]
        differ = np.int64(0)
        for w in range(words.shape[1]):
            crossed = words[U(a), U(w)] ^ words[U(b), U(w)]
            if row_a >> 6 == w:
                crossed &= ~(np.int64(1) << np.int64(row_a & 63))
            if row_b >> 6 == w:
                crossed &= ~(np.int64(1) << np.int64(row_b & 63))
            differ |= crossed
        n_wrong += not (is_right and differ == 0)
        one = 2 * (np.int64(a) * dim + one) + _has_bit(words, U(b), row_a)
        other = 2 * (np.int64(b) * dim + other) + _has_bit(words, U(a), row_b)
        opposite[U(one)] = other
        opposite[U(other)] = one
    return n_wrong
