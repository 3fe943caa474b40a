"""Compose the affine maps of all rows on a cell, from those on another.

Maps are kept in four rows of numbers, three slopes and the constant, one column a wall or neuron: inner loops
are over columns, so that they are vectorised without reassociation of sums.
"""

from __future__ import annotations

from creased.core.native.compiler import Floats, Integers, U, part, whole
from creased.core.native.sign_bits import bits_between, has_bit, list_set, lowest_row
from creased.core.program.kernels.records import (
    BIAS,
    MIX,
    N_NEURONS,
    N_STATE,
    NEURONS,
    SHIFT,
    SKIP,
    STATE,
    WEIGHT,
    FlatProgram,
    Maps,
)

OLDEST = 32  # updates of maps before they are composed anew, so that rounding does not add up
FLIP_SHARE = 4  # neurons of a block, for each that flips, if its maps are to be updated


@part
def _add_column(
    maps: Floats, numbers: Floats, at: int, column: int, sign: float, weights: int, n_out: int
) -> None:
    """Add a column of the maps, times weights from a place of the numbers on, to those from ``at`` on."""
    m0, m1, m2, m3 = maps[0], maps[1], maps[2], maps[3]
    a0, a1, a2, a3 = sign * m0[column], sign * m1[column], sign * m2[column], sign * m3[column]
    at, weights = U(at), U(weights)
    for o in range(U(n_out)):
        a = numbers[weights + o]
        m0[at + o] += a0 * a
        m1[at + o] += a1 * a
        m2[at + o] += a2 * a
        m3[at + o] += a3 * a


@part
def _accumulate(
    maps: Floats, numbers: Floats, active: Integers, n: int, at: int, start: int, matrix: int, n_out: int
) -> None:
    """Add a matrix times n active columns of the maps, counted from ``start``, to those from ``at`` on.

    The matrix (in, out) begins at that place of the numbers. Two inputs are taken at once, and all slopes, so
    that the loop over outputs is bound by arithmetic.
    """
    if n & 1:
        k = active[n - 1]
        _add_column(maps, numbers, at, start + k, 1.0, matrix + k * n_out, n_out)
    m0, m1, m2, m3 = maps[0], maps[1], maps[2], maps[3]
    at, start, matrix, n_out = U(at), U(start), U(matrix), U(n_out)
    for i in range(0, n - 1, 2):
        j, k = U(active[i]), U(active[i + 1])
        a0, a1, a2, a3 = m0[start + j], m1[start + j], m2[start + j], m3[start + j]
        b0, b1, b2, b3 = m0[start + k], m1[start + k], m2[start + k], m3[start + k]
        j, k = matrix + j * n_out, matrix + k * n_out
        for o in range(n_out):
            a, b = numbers[j + o], numbers[k + o]
            m0[at + o] += a0 * a + b0 * b
            m1[at + o] += a1 * a + b1 * b
            m2[at + o] += a2 * a + b2 * b
            m3[at + o] += a3 * a + b3 * b


@part
def set_columns(maps: Floats, at: int, n: int, numbers: Floats, constants: int) -> None:
    """Set n columns of the maps to constants from a place of the numbers on; to zero if it is below 0."""
    for o in range(U(n)):
        maps[0, U(at) + o] = maps[1, U(at) + o] = maps[2, U(at) + o] = 0.0
        maps[3, U(at) + o] = numbers[U(constants) + o] if constants >= 0 else 0.0


@part
def _list_nonzero(maps: Floats, start: int, n_state: int, active: Integers) -> int:
    """List which of the maps from a column on are not zero; return their number."""
    n = 0
    for k in range(n_state):
        active[n] = k
        column = start + k
        n += maps[0, column] != 0 or maps[1, column] != 0 or maps[2, column] != 0 or maps[3, column] != 0
    return n


@part
def _advance(maps: Floats, numbers: Floats, blocks: Integers, active: Integers, block: int, n: int) -> int:
    """Compute the input of the next block, n neurons being active; return how many of it are not zero."""
    n_next, at = blocks[block + 1, N_STATE], blocks[block + 1, STATE]
    mix, skip, neurons, state = (
        blocks[block, MIX],
        blocks[block, SKIP],
        blocks[block, NEURONS],
        blocks[block, STATE],
    )
    set_columns(maps, at, n_next, numbers, blocks[block, SHIFT])
    if mix >= 0:
        _accumulate(maps, numbers, active, n, at, neurons, mix, n_next)
    else:
        for k in active[:n]:
            for c in range(4):
                maps[c, at + k] += maps[c, neurons + k]
    if skip >= 0:
        n = _list_nonzero(maps, state, blocks[block, N_STATE], active)
        _accumulate(maps, numbers, active, n, at, state, skip, n_next)
    return _list_nonzero(maps, at, n_next, active)


@part
def compose(
    maps: Floats, numbers: Floats, blocks: Integers, active: Integers, words: Integers, first: int
) -> None:
    """Compose the maps of all blocks behind one, on a cell with these signs."""
    for block in range(first, blocks.shape[0] - 1):
        following, neurons = block + 1, blocks[block, NEURONS]
        n = list_set(words, neurons, blocks[block, N_NEURONS], active)
        if blocks[following, STATE] != neurons:
            n = _advance(maps, numbers, blocks, active, block, n)
        at, state, n_out = blocks[following, NEURONS], blocks[following, STATE], blocks[following, N_NEURONS]
        set_columns(maps, at, n_out, numbers, blocks[following, BIAS])
        _accumulate(maps, numbers, active, n, at, state, blocks[following, WEIGHT], n_out)


@part
def _first_difference(one: Integers, other: Integers, blocks: Integers) -> int:
    """Return the first block in which the signs of two cells differ; the number of blocks if in none."""
    for w in range(one.shape[0]):
        bits = one[w] ^ other[w]
        if bits != 0:
            row, block = lowest_row(bits, w), 0
            while block + 1 < blocks.shape[0] and blocks[block + 1, NEURONS] <= row:
                block += 1
            return block
    return blocks.shape[0]


@part
def _flip(maps: Floats, numbers: Floats, blocks: Integers, block: int, old: Integers, new: Integers) -> bool:
    """Update the maps behind a block by the columns of neurons that flip; False if too many do."""
    first, n_neurons, following = blocks[block, NEURONS], blocks[block, N_NEURONS], block + 1
    if following == blocks.shape[0] or blocks[following, STATE] != first:
        return False
    n_flips, stop = 0, first + n_neurons
    for w in range(first >> 6, (stop + 63) >> 6):
        bits = bits_between(old[w] ^ new[w], w, first, stop)
        while bits != 0:
            bits &= bits - 1
            n_flips += 1
    if FLIP_SHARE * n_flips > n_neurons:
        return False
    n_out, at, weight = blocks[following, N_NEURONS], blocks[following, NEURONS], blocks[following, WEIGHT]
    for w in range(first >> 6, (stop + 63) >> 6):
        bits = bits_between(old[w] ^ new[w], w, first, stop)
        while bits != 0:
            row = lowest_row(bits, w)
            sign = 1.0 if has_bit(new, row) else -1.0
            _add_column(maps, numbers, at, row, sign, weight + (row - first) * n_out, n_out)
            bits &= bits - 1
    return True


@part
def move(program: FlatProgram, cell: Maps, words: Integers) -> None:
    """Turn the maps of a cell into those of another one; where few neurons flip, by their columns."""
    numbers, blocks, _ = program
    current, maps, ages, active = cell
    first = _first_difference(current, words, blocks)
    if (
        first + 1 < blocks.shape[0]
        and ages[first] < OLDEST
        and _flip(maps, numbers, blocks, first, current, words)
    ):
        ages[first] += 1
        first += 1
    for block in range(first, blocks.shape[0]):
        ages[block] = 0
    for w in range(words.shape[0]):
        current[w] = words[w]
    compose(maps, numbers, blocks, active, words, first)


@part
def compose_anew(program: FlatProgram, cell: Maps, words: Integers) -> None:
    """Turn the maps of a cell into those of another one, as if composed from the first block on."""
    first = _first_difference(cell.words, words, program.blocks)
    for w in range(words.shape[0]):
        cell.words[w] = words[w]
    compose(cell.maps, program.numbers, program.blocks, cell.active, words, first)


@whole
def prepare(program: FlatProgram, cell: Maps) -> None:
    """Enter the maps that are the same on all cells, and those of a cell where all neurons are inactive."""
    numbers, blocks, walls = program
    words, maps, _, active = cell
    words[:] = 0
    n_inputs, state, neurons = blocks[0, N_STATE], blocks[0, STATE], blocks[0, NEURONS]
    for c in range(4):
        for wall in range(walls.shape[1]):
            maps[c, wall] = walls[c, wall]
    for c in range(n_inputs):
        maps[c, state + c] = 1.0
        active[c] = c
    set_columns(maps, neurons, blocks[0, N_NEURONS], numbers, blocks[0, BIAS])
    _accumulate(maps, numbers, active, n_inputs, neurons, state, blocks[0, WEIGHT], blocks[0, N_NEURONS])
    compose(maps, numbers, blocks, active, words, 0)
