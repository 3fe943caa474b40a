"""Cut edges: place vertices on them, give these signs, and find which row cuts an edge next."""

from __future__ import annotations

import numpy as np

from creased.core.arrangement.kernels.records import Cells, Doubts, Ids, Rows
from creased.core.native.compiler import Floats, Integers, part, whole

DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)  # all of its 64 windows of six bits differ
EXPONENTS = np.zeros(64, np.int64)  # of two, by the highest six bits of its product with the above
for _k in range(64):
    EXPONENTS[((int(DE_BRUIJN) << _k) & (2**64 - 1)) >> 58] = _k
NONE = -1


@part
def _lowest_bit(word: int) -> int:
    return EXPONENTS[(np.uint64(word & -word) * DE_BRUIJN) >> np.uint64(58)]


@part
def _lerp(out: Floats, first: Floats, second: Floats, share: float) -> None:
    """Interpolate as `torch.lerp` does."""
    rest = 1 - share
    if share < 0.5:
        for k in range(out.shape[0]):
            out[k] = first[k] + share * (second[k] - first[k])
    else:
        for k in range(out.shape[0]):
            out[k] = second[k] - (second[k] - first[k]) * rest


@part
def _sign(cells: Cells, rows: Rows, doubts: Doubts, v: int, a: int, b: int) -> bool:
    """Write the signs of a vertex between two others; tell if some are in doubt.

    Where the ends agree the sign is theirs. Where they differ it is that of the end which is not zero, for
    rows that have cut, and that of the value, for later rows.
    """
    words, carried, row, in_doubt = cells.words, cells.carried, cells.zero_ids[v, -1], False
    for w in range(words.shape[1]):
        first, second = words[a, w], words[b, w]
        differ = first ^ second
        word = (first & second) | (differ & rows.before[row, w])
        later = differ & ~rows.before[row + 1, w]
        while later:
            bit = _lowest_bit(later)
            later &= later - 1
            column = 64 * w + bit - rows.first
            if column >= rows.n:
                continue
            value = carried[v, column]
            size = abs(value)
            if size <= doubts.noise and size <= doubts.rate * max(
                abs(carried[a, column]), abs(carried[b, column])
            ):
                carried[v, column] = value = size = 0.0
            in_doubt |= size <= doubts.band
            if value >= 0:
                word |= np.int64(1) << bit
        words[v, w] = word
    return in_doubt


@part
def _inherit(cells: Cells, v: int, a: int, b: int, edge: int) -> None:
    """Write the corners of a vertex on an edge between two others: the regions around the edge, twice."""
    corners, zero_ids, ids = cells.corners, cells.zero_ids, cells.edge_zero_ids
    slot, n = 0, corners.shape[1] // 2
    while slot < ids.shape[1] and zero_ids[a, slot] == ids[edge, slot]:
        slot += 1
    row = zero_ids[a, slot]
    plus = (cells.words[b, row >> 6] >> (row & 63)) & 1
    for k in range(n):
        low = k & ((1 << slot) - 1)
        corner = corners[a, low | (plus << slot) | ((k >> slot) << (slot + 1))]
        corners[v, k] = corners[v, n + k] = corner


@whole
def split(
    cells: Cells, rows: Rows, doubts: Doubts, edges: Integers, row: int, first: tuple[int, int]
) -> tuple[int, int]:
    """Split edges: put vertices where a row vanishes on them, and halves behind the edges that there are.

    Args:
        cells: with unwritten rows for what is made.
        rows: of the arrangement.
        doubts: what is left in doubt is listed.
        edges: (n,) which are split.
        row: which cuts.
        first: numbers of the first vertex and edge that are made.

    Returns:
        How many edges are in doubt, whose vertices lack place, values and signs; how many vertices.
    """
    carried, zero_ids, ids, n_far, n_close = cells.carried, cells.zero_ids, cells.edge_zero_ids, 0, 0
    for i in range(edges.shape[0]):
        edge, v, half = edges[i], first[0] + i, first[1] + i
        a, b = cells.edges[edge, 0], cells.edges[edge, 1]
        for k in range(ids.shape[1]):
            zero_ids[v, k] = ids[half, k] = ids[edge, k]
        zero_ids[v, -1] = row
        cells.edges[edge, 1] = cells.edges[half, 0] = v
        cells.edges[half, 1] = b
        if cells.corners.shape[0]:
            _inherit(cells, v, a, b, edge)
        x, y = carried[a, row - rows.first], carried[b, row - rows.first]
        if abs(x - y) <= doubts.band:
            doubts.placed[n_far] = i
            n_far += 1
            continue
        _lerp(carried[v], carried[a], carried[b], x / (x - y))
        _lerp(cells.vertices[v], cells.vertices[a], cells.vertices[b], x / (x - y))
        carried[v, row - rows.first] = 0.0
        if _sign(cells, rows, doubts, v, a, b):
            doubts.signed[n_close] = i
            n_close += 1
    return n_far, n_close


@whole
def place(
    cells: Cells, rows: Rows, edges: Integers, shares: Floats, chosen: Integers, first: tuple[int, int]
) -> None:
    """Place the chosen (m,) vertices of a split of edges (n,) at shares (m,) of the way to their far ends."""
    for k in range(chosen.shape[0]):
        v, a, b = first[0] + chosen[k], cells.edges[edges[chosen[k]], 0], cells.edges[first[1] + chosen[k], 1]
        _lerp(cells.carried[v], cells.carried[a], cells.carried[b], shares[k])
        _lerp(cells.vertices[v], cells.vertices[a], cells.vertices[b], shares[k])
        cells.carried[v, cells.zero_ids[v, -1] - rows.first] = 0.0


@whole
def sign(
    cells: Cells, rows: Rows, doubts: Doubts, edges: Integers, chosen: Integers, first: tuple[int, int]
) -> int:
    """Give signs to the chosen (m,) vertices of a split of edges (n,); list, and count, those in doubt."""
    n_close = 0
    for i in chosen:
        a, b = cells.edges[edges[i], 0], cells.edges[first[1] + i, 1]
        if _sign(cells, rows, doubts, first[0] + i, a, b):
            doubts.signed[n_close] = i
            n_close += 1
    return n_close


@whole
def pack(cells: Cells, rows: Rows, n_done: int, doubts: Doubts, chosen: Integers) -> int:
    """Write the signs of values at vertices (m,), from a neuron on; list, and count, those in doubt."""
    words, carried, n_close = cells.words, cells.carried, 0
    for i in range(chosen.shape[0]):
        v, in_doubt = chosen[i], False
        for column in range(n_done, rows.n):
            row = rows.first + column
            bit = np.int64(1) << np.int64(row & 63)
            in_doubt |= abs(carried[v, column]) <= doubts.band
            if carried[v, column] >= 0:
                words[v, row >> 6] |= bit
            else:
                words[v, row >> 6] &= ~bit
        if in_doubt:
            doubts.signed[n_close] = v
            n_close += 1
    return n_close


@part
def _lowest_row(words: Integers, mask: Integers, ends: Ids) -> int:
    """Return the lowest row outside of a mask that changes sign along an edge, or NONE."""
    for w in range(words.shape[1]):
        crossed = (words[ends[0], w] ^ words[ends[1], w]) & ~mask[w]
        if crossed:
            return 64 * w + _lowest_bit(crossed)
    return NONE


@whole
def schedule(
    cells: Cells, rows: Rows, last: int, edges: Integers, found: tuple[Integers, Integers, Ids]
) -> None:
    """Sort edges by the row that cuts them next.

    Args:
        cells: after a cut.
        rows: of the arrangement.
        last: the row that cut last.
        edges: (m,).
        found: written: the edges that are cut (m,), where those of each neuron (N + 1,) end; scratch (m,).
    """
    ordered, stops, crossing = found
    stops[:] = 0
    for i in range(edges.shape[0]):
        row = _lowest_row(cells.words, rows.before[last + 1], cells.edges[edges[i]])
        crossing[i] = row
        if row != NONE:
            stops[row - rows.first + 1] += 1
    for k in range(1, stops.shape[0]):
        stops[k] += stops[k - 1]
    for i in range(edges.shape[0]):
        if crossing[i] != NONE:
            neuron = crossing[i] - rows.first
            ordered[stops[neuron]] = edges[i]
            stops[neuron] += 1
