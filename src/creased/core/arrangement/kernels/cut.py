"""Cut edges: place vertices on them, give these signs, and find which row cuts an edge next."""

from __future__ import annotations

import numpy as np

from creased.core.arrangement.kernels.records import Cells, Doubts, Queues, Rows, Splits
from creased.core.native.compiler import ZERO, Floats, Integers, U, inlined, part, whole

DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)  # all of its 64 windows of six bits differ
EXPONENTS = np.zeros(64, np.int64)  # of two, by the highest six bits of its product with the above
for _k in range(64):
    EXPONENTS[((int(DE_BRUIJN) << _k) & (2**64 - 1)) >> 58] = _k
NONE = -1
CHUNK = 64  # edges whose ends are looked up together


@part
def _lowest_bit(word: int) -> int:
    return EXPONENTS[(np.uint64(word & -word) * DE_BRUIJN) >> np.uint64(58)]


@inlined
def _lerp(table: Floats, v: int, ends: tuple[int, int], share: float) -> None:
    """Interpolate a row of a table between two others as `torch.lerp` does: from the nearer one."""
    near, far, part = ends[0], ends[1], share
    if share >= 0.5:
        near, far, part = far, near, 1 - share
    for k in range(table.shape[1]):
        table[v, k] = table[near, k] + part * (table[far, k] - table[near, k])


@inlined
def _lowest(words: Integers, others: Integers, before: Integers, first: int) -> int:
    """Return the lowest row, from a word on, outside of a mask, in which sign vectors differ, or NONE."""
    for w in range(first, words.shape[0]):
        crossed = (words[w] ^ others[w]) & ~before[w]
        if crossed:
            return 64 * w + _lowest_bit(crossed)
    return NONE


@inlined
def _sign(cells: Cells, rows: Rows, doubts: Doubts, splits: Splits, i: int, first: tuple[int, int]) -> bool:
    """Sign the vertex on a split edge, find which rows cut the halves; tell if some signs are in doubt.

    Where the ends agree the sign is theirs. Where they differ it is that of the end which is not zero, for
    rows that have cut, and that of the value, for later rows.
    """
    words, carried, in_doubt = cells.words, cells.carried, False
    v, a, b = U(first[0] + i), U(splits.ends[i, 0]), U(splits.ends[i, 1])
    row = U(cells.zero_ids[v, -1])
    before, after = rows.before[row], rows.before[row + U(1)]
    one, other, mine, start = words[a], words[b], words[v], rows.first >> 6
    for w in range(mine.shape[0]):
        differ = one[w] ^ other[w]
        word = (one[w] & other[w]) | (differ & before[w])
        later = differ & ~after[w] if w >= start else ZERO
        while later:
            bit = _lowest_bit(later)
            later &= later - 1
            column = U(64 * w + bit - rows.first)
            if column >= U(rows.n):
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
        mine[w] = word
    splits.rows[i] = _lowest(one, mine, after, start)
    splits.rows[splits.edges.shape[0] + i] = _lowest(mine, other, after, start)
    return in_doubt


@inlined
def _inherit(cells: Cells, splits: Splits, i: int, first: int) -> None:
    """Write the corners of the vertex on a split edge: the regions around the edge, twice."""
    corners, zero_ids, ids = cells.corners, cells.zero_ids, cells.edge_zero_ids
    v, edge, a, b = U(first + i), U(splits.edges[i]), U(splits.ends[i, 0]), U(splits.ends[i, 1])
    slot, n = 0, corners.shape[1] // 2
    for k in range(ids.shape[1]):  # both lists ascend, and differ in one entry: they agree exactly before it
        slot += zero_ids[a, U(k)] == ids[edge, U(k)]
    row = zero_ids[a, U(slot)]
    plus = (cells.words[b, U(row >> 6)] >> (row & 63)) & 1
    for k in range(n):
        low = k & ((1 << slot) - 1)
        corner = corners[a, U(low | (plus << slot) | ((k >> slot) << (slot + 1)))]
        corners[v, U(k)] = corners[v, U(n + k)] = corner


@inlined
def _find_ends(cells: Cells, splits: Splits, chunk: tuple[int, int], column: int) -> None:
    """Look up the ends of a chunk of edges, and where values vanish between them."""
    for i in range(chunk[0], chunk[1]):
        edge = U(splits.edges[i])
        a, b = cells.edges[edge, 0], cells.edges[edge, 1]
        x, y = cells.carried[U(a), U(column)], cells.carried[U(b), U(column)]
        splits.ends[i, 0], splits.ends[i, 1], splits.shares[i] = a, b, x / (x - y)


@inlined
def _halve(cells: Cells, splits: Splits, i: int, row: int, first: tuple[int, int]) -> None:
    """Write the halves of a split edge, and the zero ids of these and of the vertex between them."""
    edge, v, half = U(splits.edges[i]), U(first[0] + i), U(first[1] + i)
    for k in range(cells.edge_zero_ids.shape[1]):
        cells.zero_ids[v, U(k)] = cells.edge_zero_ids[half, U(k)] = cells.edge_zero_ids[edge, U(k)]
    cells.zero_ids[v, U(cells.edge_zero_ids.shape[1])] = row
    cells.edges[edge, 1] = cells.edges[half, 0] = first[0] + i
    cells.edges[half, 1] = splits.ends[i, 1]


@inlined
def _place(cells: Cells, splits: Splits, i: int, column: int, first: tuple[int, int]) -> None:
    """Interpolate the place and the values of the vertex on a split edge."""
    v, ends = U(first[0] + i), (U(splits.ends[i, 0]), U(splits.ends[i, 1]))
    _lerp(cells.carried, v, ends, splits.shares[i])
    _lerp(cells.vertices, v, ends, splits.shares[i])
    cells.carried[v, U(column)] = 0.0


@whole
def split(
    cells: Cells, rows: Rows, doubts: Doubts, queues: Queues, splits: Splits, first: tuple[int, int, int]
) -> tuple[int, int]:
    """Split the edges in a queue: put vertices on them, and halves behind the edges that there are.

    Chunk by chunk, one kind of work after the other, so that what is looked up is waited for together.

    Args:
        cells: with unwritten rows for what is made.
        rows: of the arrangement.
        doubts: what is left in doubt is listed.
        queues: of edges; one is emptied.
        splits: written: what it held, and which rows cut the halves next.
        first: numbers of the first vertex and edge that are made, and of the neuron that cuts.

    Returns:
        How many edges are in doubt, whose vertices lack place, values and signs; how many vertices.
    """
    edges, column, begin, n_far, n_close, n = splits.edges, first[2], (first[0], first[1]), 0, 0, 0
    for batch in range(column + 1):
        for place in range(queues.starts[batch, column], queues.starts[batch, column + 1]):
            edges[n] = queues.edges[U(place)]
            n += 1
    queues.sizes[column] = 0
    for start in range(0, n, CHUNK):
        stop = min(start + CHUNK, n)
        _find_ends(cells, splits, (start, stop), column)
        for i in range(start, stop):
            _halve(cells, splits, i, rows.first + column, begin)
        for i in range(start, stop):
            a, b = U(splits.ends[i, 0]), U(splits.ends[i, 1])
            if abs(cells.carried[a, U(column)] - cells.carried[b, U(column)]) <= doubts.band:
                doubts.placed[n_far] = i
                n_far += 1
                continue
            _place(cells, splits, i, column, begin)
            if _sign(cells, rows, doubts, splits, i, begin):
                doubts.signed[n_close] = i
                n_close += 1
        if cells.corners.shape[0]:
            for i in range(start, stop):
                _inherit(cells, splits, i, first[0])
    return n_far, n_close


@whole
def place(cells: Cells, splits: Splits, chosen: Integers, first: tuple[int, int, int]) -> None:
    """Place the chosen (m,) vertices of a split at their shares."""
    for i in chosen:
        _place(cells, splits, i, first[2], (first[0], first[1]))


@whole
def sign(
    cells: Cells, rows: Rows, doubts: Doubts, splits: Splits, chosen: Integers, first: tuple[int, int, int]
) -> int:
    """Give signs to the chosen (m,) vertices of a split; list, and count, those in doubt."""
    n_close = 0
    for i in chosen:
        if _sign(cells, rows, doubts, splits, i, (first[0], first[1])):
            doubts.signed[n_close] = i
            n_close += 1
    return n_close


@whole
def pack(cells: Cells, rows: Rows, n_done: int, doubts: Doubts, chosen: Integers) -> int:
    """Write the signs of values at vertices (m,), from a neuron on; list, and count, those in doubt."""
    words, carried, n_close = cells.words, cells.carried, 0
    for i in range(chosen.shape[0]):
        v, in_doubt = U(chosen[i]), False
        start = rows.first + n_done
        for w in range(start >> 6, (rows.first + rows.n + 63) >> 6):
            low, high = max(start, 64 * w), min(rows.first + rows.n, 64 * w + 64)
            word = words[v, w] & rows.before[start, w]
            for row in range(low, high):
                value = carried[v, U(row - rows.first)]
                in_doubt |= abs(value) <= doubts.band
                word |= np.int64(value >= 0) << (row - 64 * w)
            words[v, w] = word
        if in_doubt:
            doubts.signed[n_close] = v
            n_close += 1
    return n_close


@whole
def queue(cells: Cells, rows: Rows, queues: Queues, splits: Splits, batch: int, first: int) -> None:
    """Sort edges by the neurons that cut them next, in a batch behind those that there are.

    Args:
        cells: after a cut.
        rows: of the arrangement.
        queues: with room for the batch.
        splits: n edges, and which rows cut these and their second halves next; written for the edges behind.
        batch: number of neurons that have cut.
        first: of the second halves, n edges, and those behind.
    """
    n, m, before, word = (
        splits.edges.shape[0],
        splits.rows.shape[0],
        rows.before[rows.first + batch],
        rows.first >> 6,
    )
    starts, sizes = queues.starts[batch], queues.sizes
    for i in range(2 * n, m):
        edge = U(first + i - n)
        a, b = U(cells.edges[edge, 0]), U(cells.edges[edge, 1])
        splits.rows[i] = _lowest(cells.words[a], cells.words[b], before, word)
    begin = starts[0]
    starts[1:] = 0
    for i in range(m):
        if splits.rows[i] != NONE:
            starts[U(splits.rows[i] - rows.first + 1)] += 1
    for column in range(sizes.shape[0]):
        sizes[column] += starts[column + 1]
        starts[column + 1] += starts[column]
    for i in range(m):
        if splits.rows[i] != NONE:
            column = U(splits.rows[i] - rows.first)
            queues.edges[U(starts[column])] = splits.edges[i] if i < n else first + i - n
            starts[column] += 1
    for column in range(sizes.shape[0], 0, -1):
        starts[column] = starts[column - 1]
    starts[0] = begin


@whole
def requeue(queues: Queues, numbers: Integers, kept: Queues) -> int:
    """Write a batch of the edges that have new numbers (E,), not below 0; return how many these are."""
    n = 0
    for column in range(queues.sizes.shape[0]):
        kept.starts[0, column] = n
        for batch in range(column + 1 if queues.sizes[column] else 0):
            for place in range(queues.starts[batch, column], queues.starts[batch, column + 1]):
                edge = numbers[U(queues.edges[U(place)])]
                kept.edges[U(n)] = edge
                n += edge >= 0
        kept.sizes[column] = n - kept.starts[0, column]
    kept.starts[0, -1] = n
    return n
