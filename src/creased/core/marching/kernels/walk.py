"""The loop of the walk: cut a cell, append its sides, enter its neighbours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from creased.core.marching.kernels.cell_table import enter, owner_of, pop
from creased.core.marching.kernels.polygon import FLAT, find_polygon, place_plane, trace_lines
from creased.core.marching.kernels.records import NOBODY, SPARE, Cells, Network, Scratch, Sides
from creased.core.native.compiler import Integers, inlined, sources, whole
from creased.core.program.kernels import composition
from creased.core.program.kernels.composition import move
from creased.core.program.kernels.records import NEURONS

DONE, PAUSED, FULL = 0, 1, 2  # why a walk returned


@inlined
def _read_ahead(slots: Integers, keys: Integers, key: int, sides: Integers, n: int) -> None:
    """Look up the neighbours across n sides in the table, all at once, as each waits for memory."""
    for i in range(n):
        sides[1, i] = slots[(key ^ keys[sides[0, i]]) & (slots.shape[0] - 1)]


@inlined
def _append_sides(network: Network, cells: Cells, sides: Sides, scratch: Scratch, cell: int, n: int) -> None:
    """Append the n sides of a cell, and enter its neighbours."""
    (_, blocks, walls), keys, lane = network
    frame, polygon, counts, at = scratch.frame, scratch.polygon, sides.counts, sides.counts[3]
    words, points, starts, foreign = scratch.cell.words, cells.points, sides.starts, sides.foreign
    sides.cells[counts[1]], sides.sizes[counts[1]] = cell, n
    for i in range(n):
        x, y = polygon[2, i], polygon[3, i]
        for d in range(3):
            starts[at + i, d] = frame[0, d] + x * frame[1, d] + y * frame[2, d]
    _read_ahead(cells.slots, keys, cells.keys[cell], scratch.sides, n)
    for i in range(n):
        row, neighbour = scratch.sides[0, i], NOBODY
        if row >= walls.shape[1]:
            block, n_known, bit = 0, counts[0], np.int64(1) << np.int64(row & 63)
            while blocks[block + 1, NEURONS] <= row:
                block += 1
            following = at + i + 1 if i + 1 < n else at
            words[row >> 6] ^= bit
            if block == 0 and owner_of(network, words) != lane[0]:
                foreign[counts[4], 0], foreign[counts[4], 1], foreign[counts[4], 2] = at + i, following, cell
                counts[4] += 1
            else:
                number = enter(cells, counts, words, cells.keys[cell] ^ keys[row], block)
                neighbour = number * lane[1] + lane[0]
                if number == n_known:
                    for d in range(3):
                        points[n_known, d] = (starts[at + i, d] + starts[following, d]) / 2
            words[row >> 6] ^= bit
        sides.rows[at + i], sides.neighbours[at + i] = row, neighbour
    counts[1] += 1
    counts[3] += n


def _compile_walk(stamp: str) -> Callable[..., int]:
    """Compile the loop; see `sources` for the stamp."""

    @whole
    def loop(
        network: Network,
        cells: Cells,
        sides: Sides,
        scratch: Scratch,
        reach: float,
        tolerance: float,
        most: int,
    ) -> int:
        if not stamp:
            return DONE
        maps, lines, frame, counts = scratch.cell.maps, scratch.lines, scratch.frame, sides.counts
        for _ in range(most):
            if counts[4] + SPARE > sides.foreign.shape[0]:
                return PAUSED
            if counts[0] + SPARE > cells.keys.shape[0] or counts[3] + SPARE > sides.rows.shape[0]:
                return FULL
            cell = pop(cells.stacks, cells.following)
            if cell == NOBODY:
                return DONE
            move(network.program, scratch.cell, cells.words[cell])
            place_plane(frame, maps, lines.shape[1], cells.points[cell])
            flat = FLAT * trace_lines(lines, maps, frame)
            n = find_polygon(scratch, reach, tolerance, flat)
            if n < 0:
                sides.doubts[counts[2]] = cell
                counts[2] += 1
            else:
                _append_sides(network, cells, sides, scratch, cell, n)
        return PAUSED

    return loop


_walk = _compile_walk(sources(__file__, composition.__file__))


def walk(
    network: Network, cells: Cells, sides: Sides, scratch: Scratch, reach: float, tolerance: float, most: int
) -> int:
    """Cut queued cells, and enter their neighbours, until none is left, at most so many.

    Args:
        network: the program.
        cells: with at least one stack that is not empty; extended.
        sides: extended.
        scratch: after `prepare` or an earlier walk.
        reach: bound on the coordinates of a polygon about the point of its cell.
        tolerance: distances that may be rounding.
        most: cells to cut.

    Returns:
        DONE; PAUSED after so many cells, or as many foreign sides as there is room for; FULL if an array
        is to be enlarged first.
    """
    return _walk(network, cells, sides, scratch, reach, tolerance, most)
