"""Find cells with equal codes by an open-addressing hash table; codes are made as they are compared.

Keys are those of `hash_keys`. `join` pairs the 2-faces of split edges, `number` numbers the cells around
vertices. Both stand in one module because the cache of a compiled function knows its own file alone.
"""

from __future__ import annotations

import numpy as np

from creased.core.arrangement.kernels.records import Around, Cells, Ids, Numbers, Rows
from creased.core.native.compiler import Integers, part, whole

MIXER = np.uint64(0x9E3779B97F4A7C15)


@part
def _key(
    words: Integers, mask: Integers, zero_ids: Ids, n: int, multipliers: Integers, moves: Integers
) -> int:
    """Return the key of the code of masked words and the first n zero ids."""
    key = np.int64(0)
    for w in range(words.shape[0]):
        word = words[w] & mask[w]
        key += np.int64(np.int32(word)) * multipliers[2 * w]
        key += np.int64(np.int32(word >> 32)) * multipliers[2 * w + 1]
    for k in range(n):
        key -= moves[zero_ids[k], 0]
    return key


@part
def _slot(key: int, mask: int) -> int:
    """Return where a key is looked for first in a table of mask + 1 slots."""
    return np.int64((np.uint64(key) * MIXER) >> np.uint64(32)) & mask


@part
def _is_live(cells: Cells, rows: Rows, v: int, slot: int, sign: int) -> bool:
    """Tell if moving a zero of the edge that a vertex split to a side gives a live 2-face."""
    corners = cells.corners
    if not corners.shape[0]:
        return sign == 1 or cells.zero_ids[v, slot] >= rows.n_walls
    for corner in range(corners.shape[1] // 2):
        if (corner >> slot) & 1 == sign and corners[v, corner] >= 0:
            return True
    return False


@part
def _is_same_face(cells: Cells, rows: Rows, first: int, entries: tuple[int, int]) -> bool:
    """Compare the codes of two 2-faces; see `join` for their numbers."""
    zero_ids, words, n = cells.zero_ids, cells.words, cells.edge_zero_ids.shape[1]
    a, b = first + entries[0] // (2 * n), first + entries[1] // (2 * n)
    s, t = (entries[0] >> 1) % n, (entries[1] >> 1) % n
    for k in range(n - 1):
        if zero_ids[a, k + (k >= s)] != zero_ids[b, k + (k >= t)]:
            return False
    row = zero_ids[a, n]
    for w in range(words.shape[1]):
        mine, other = words[a, w] & rows.before[row, w], words[b, w] & rows.before[row, w]
        if entries[0] & 1 and zero_ids[a, s] >> 6 == w:
            mine |= np.int64(1) << np.int64(zero_ids[a, s] & 63)
        if entries[1] & 1 and zero_ids[b, t] >> 6 == w:
            other |= np.int64(1) << np.int64(zero_ids[b, t] & 63)
        if mine != other:
            return False
    return True


@whole
def join(
    cells: Cells, rows: Rows, first: int, n: int, at: int, table: tuple[Ids, Integers]
) -> tuple[int, int]:
    """Join new vertices that share a 2-face: the first two of a face; there are two unless rounding tore it.

    Face 2 (i (D - 1) + s) + sign is that on a side of zero s of the edge that vertex i split.

    Args:
        cells: after a split, with room for edges.
        rows: of the arrangement.
        first: number of the first new vertex.
        n: how many there are.
        at: number of the first edge to be made.
        table: slots (2^k,), all 0, for more than as many faces, and the keys of these, unwritten.

    Returns:
        How many edges were made, and how many faces met no other.
    """
    slots, keys = table
    zero_ids, n_slots, n_made, n_faces = cells.zero_ids, cells.edge_zero_ids.shape[1], 0, 0
    mask = slots.shape[0] - 1
    for i in range(n):
        v = first + i
        row = zero_ids[v, n_slots]
        key_of_edge = _key(
            cells.words[v], rows.before[row], zero_ids[v], n_slots, rows.multipliers, rows.moves
        )
        for side in range(2 * n_slots):
            if not _is_live(cells, rows, v, side >> 1, side & 1):
                continue
            key, face = key_of_edge + rows.moves[zero_ids[v, side >> 1], side & 1], 2 * n_slots * i + side
            slot, step = _slot(key, mask), 1
            n_faces += 1
            while True:
                twin = abs(slots[slot]) - 1
                if twin < 0:
                    slots[slot], keys[face] = face + 1, key
                    break
                if keys[twin] == key and _is_same_face(cells, rows, first, (twin, face)):
                    if slots[slot] > 0:  # its second
                        slots[slot] = -slots[slot]
                        edge = at + n_made
                        cells.edges[edge, 0], cells.edges[edge, 1] = first + twin // (2 * n_slots), v
                        for k in range(n_slots - 1):
                            cells.edge_zero_ids[edge, k] = zero_ids[v, k + (k >= side >> 1)]
                        cells.edge_zero_ids[edge, n_slots - 1] = row
                        n_made += 1
                    break
                slot = (slot + step) & mask
                step += 1
    return n_made, n_faces - 2 * n_made


@part
def _word(around: Around, v: int, choice: int, w: int) -> int:
    """Return a word of the cell that a choice of moves leads to from a vertex."""
    word = around.words[v, w]
    for j in range(around.moved.shape[1]):
        row = around.zero_ids[v, around.moved[choice, j]]
        if around.is_plus[choice, j] and row >> 6 == w:
            word |= np.int64(1) << np.int64(row & 63)
    return word


@part
def _is_same_cell(around: Around, first: int, second: int) -> bool:
    """Compare the codes of two entries."""
    n_choices, n_moved = around.moved.shape
    (a, b), (c, d) = (first // n_choices, second // n_choices), (first % n_choices, second % n_choices)
    i = j = at = to = 0
    for _ in range(around.zero_ids.shape[1] - n_moved):  # zeros that stay
        while i < n_moved and around.moved[c, i] == at:
            i, at = i + 1, at + 1
        while j < n_moved and around.moved[d, j] == to:
            j, to = j + 1, to + 1
        if around.zero_ids[a, at] != around.zero_ids[b, to]:
            return False
        at, to = at + 1, to + 1
    is_equal = True
    for w in range(around.words.shape[1]):
        is_equal &= _word(around, a, c, w) == _word(around, b, d, w)
    return is_equal


@whole
def number(around: Around, numbers: Numbers) -> int:
    """Number the cells of entries; return how many there are."""
    of, firsts, keys, slots = numbers.of, numbers.firsts, numbers.keys, numbers.slots
    (n_choices, n_moved), n_zeros, every = around.moved.shape, around.zero_ids.shape[1], numbers.every
    n_cells, last, key_of_last, mask = 0, -1, np.int64(0), slots.shape[0] - 1
    for entry in range(of.shape[0]):
        place = around.place[entry]
        v, choice = place // n_choices, place % n_choices
        if v != last:
            last = v
            key_of_last = _key(
                around.words[v], every, around.zero_ids[v], n_zeros, around.multipliers, around.moves
            )
        key = key_of_last
        for j in range(n_moved):
            key += around.moves[around.zero_ids[v, around.moved[choice, j]], around.is_plus[choice, j]]
        slot, step = _slot(key, mask), 1
        while True:
            cell = slots[slot] - 1
            if cell < 0:
                slots[slot], keys[n_cells], firsts[n_cells] = n_cells + 1, key, entry
                of[entry] = n_cells
                n_cells += 1
                break
            if keys[cell] == key and _is_same_cell(around, around.place[firsts[cell]], place):
                of[entry] = cell
                break
            slot = (slot + step) & mask
            step += 1
    return n_cells
