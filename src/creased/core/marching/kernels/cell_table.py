"""The cells of a walk: a hash table by sign vector, and a stack of queued ones for each block.

Several lanes can walk at once, each on a thread of its own: a cell belongs to the lane that the hash of its
signs in the first block gives, so that lanes meet at the creases of the first block alone.
"""

from __future__ import annotations

import numpy as np

from creased.core.marching.kernels.records import NOBODY, Cells, Network, Sides
from creased.core.native.compiler import Floats, Integers, part, whole
from creased.core.native.sign_bits import has_bit
from creased.core.program.kernels.records import N_NEURONS, NEURONS


@part
def seek(slots: Integers, known: Integers, known_keys: Integers, words: Integers, key: int) -> int:
    """Return the slot of a cell, or the empty one where it belongs."""
    mask = slots.shape[0] - 1
    slot, step = key & mask, 1
    while slots[slot] != NOBODY:
        cell = slots[slot]
        if known_keys[cell] == key:
            is_equal = True
            for w in range(words.shape[0]):
                is_equal &= known[cell, w] == words[w]
            if is_equal:
                return slot
        slot = (slot + step) & mask
        step += 1
    return slot


@part
def enter(cells: Cells, counts: Integers, words: Integers, key: int, block: int) -> int:
    """Return the number of a cell; a new one is put on the stack of a block."""
    known, keys, _, following, slots, stacks = cells
    slot = seek(slots, known, keys, words, key)
    if slots[slot] == NOBODY:
        cell = counts[0]
        slots[slot], keys[cell] = cell, key
        for w in range(words.shape[0]):
            known[cell, w] = words[w]
        following[cell], stacks[block] = stacks[block], cell
        counts[0] += 1
    return slots[slot]


@part
def pop(stacks: Integers, following: Integers) -> int:
    """Take a cell from the last stack that is not empty."""
    for block in range(stacks.shape[0] - 1, -1, -1):
        cell = stacks[block]
        if cell != NOBODY:
            stacks[block] = following[cell]
            return cell
    return NOBODY


@part
def key_of(keys: Integers, words: Integers) -> int:
    """Return the hash key of a cell."""
    key = np.int64(0)
    for row in range(keys.shape[0]):
        if has_bit(words, row):
            key ^= keys[row]
    return key


@part
def owner_of(network: Network, words: Integers) -> int:
    """Return the lane that a cell belongs to."""
    n_lanes, blocks, hashed = network.lane[1], network.program.blocks, np.int64(0)
    if n_lanes == 1:
        return 0
    first = blocks[0, NEURONS]
    for row in range(first, first + blocks[0, N_NEURONS]):
        if has_bit(words, row):
            hashed ^= network.keys[row]
    return (hashed & 0x7FFFFFFF) % n_lanes


@whole
def owners_of(owners: Integers, network: Network, words: Integers) -> None:
    """Write the lanes (m,) that cells (m, W) belong to."""
    for i in range(words.shape[0]):
        owners[i] = owner_of(network, words[i])


@whole
def enter_cells(
    numbers: Integers, network: Network, cells: Cells, sides: Sides, words: Integers, points: Floats
) -> None:
    """Write the numbers (m,) of cells (m, W); new ones are queued, to be entered at points (m, 3)."""
    for i in range(words.shape[0]):
        n_known = sides.counts[0]
        numbers[i] = enter(cells, sides.counts, words[i], key_of(network.keys, words[i]), 0)
        if numbers[i] == n_known:
            for d in range(points.shape[1]):
                cells.points[n_known, d] = points[i, d]


@whole
def find_cells(numbers: Integers, network: Network, cells: Cells, words: Integers) -> None:
    """Write the numbers (m,) of cells (m, W), NOBODY for those that are not known."""
    for i in range(words.shape[0]):
        key = key_of(network.keys, words[i])
        numbers[i] = cells.slots[seek(cells.slots, cells.words, cells.keys, words[i], key)]


@whole
def fill_slots(cells: Cells, n_cells: int) -> None:
    """Enter the first cells into an empty table."""
    cells.slots[:] = NOBODY
    for cell in range(n_cells):
        cells.slots[seek(cells.slots, cells.words, cells.keys, cells.words[cell], cells.keys[cell])] = cell
