"""Number the cells around vertices, by a hash table of codes that are never all written down."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from creased.core.arrangement.kernels.records import Ids
from creased.core.native.compiler import Integers, part, whole

MIXER = np.uint64(0x9E3779B97F4A7C15)


class Around(NamedTuple):
    """The entries of `cells.CellsAround`."""

    words: Integers  # (V, W): of the vertices
    zero_ids: Ids  # (V, D)
    moved: Integers  # (C, k): positions of the zeros that each choice moves, ascending
    is_plus: Integers  # (C, k): 1 where a zero moves to +
    place: Integers  # (n,): C v + c of each entry, ascending
    multipliers: Integers  # (2 W,): see `hash_keys.KeyTable`
    moves: Integers  # (n_rows, 2)


class Numbers(NamedTuple):
    """What is found."""

    of: Ids  # (n,): of the cell of each entry, in order of first appearance
    firsts: Integers  # (n,): the first entry of each cell
    keys: Integers  # (n,): of the cells
    slots: Ids  # (2^m,): one more than the number of a cell, or 0; more than twice the entries


@part
def _key_of_vertex(around: Around, v: int) -> int:
    key = np.int64(0)
    for w in range(around.words.shape[1]):
        word = around.words[v, w]
        key += np.int64(np.int32(word)) * around.multipliers[2 * w]
        key += np.int64(np.int32(word >> 32)) * around.multipliers[2 * w + 1]
    for k in range(around.zero_ids.shape[1]):
        key -= around.moves[around.zero_ids[v, k], 0]
    return key


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
def _is_same(around: Around, first: int, second: int) -> bool:
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
    of, firsts, keys, slots = numbers
    n_choices, n_moved = around.moved.shape
    n_cells, last, key_of_last, mask = 0, -1, np.int64(0), slots.shape[0] - 1
    for entry in range(of.shape[0]):
        place = around.place[entry]
        v, choice = place // n_choices, place % n_choices
        if v != last:
            last, key_of_last = v, _key_of_vertex(around, v)
        key = key_of_last
        for j in range(n_moved):
            key += around.moves[around.zero_ids[v, around.moved[choice, j]], around.is_plus[choice, j]]
        slot, step = np.int64((np.uint64(key) * MIXER) >> np.uint64(32)) & mask, 1
        while True:
            cell = slots[slot] - 1
            if cell < 0:
                slots[slot], keys[n_cells], firsts[n_cells] = n_cells + 1, key, entry
                of[entry] = n_cells
                n_cells += 1
                break
            if keys[cell] == key and _is_same(around, around.place[firsts[cell]], place):
                of[entry] = cell
                break
            slot = (slot + step) & mask
            step += 1
    return n_cells
