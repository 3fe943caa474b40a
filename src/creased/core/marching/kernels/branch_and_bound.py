"""Branch and bound over the regions of a plain ReLU network: which cells may the level set meet?

A region is a convex polytope on which the first blocks are affine. It is dropped where a bound proves that
the output keeps its sign, else divided by a neuron of its next block, depth first, down to cells. Regions
that hold a known point of the level set need no bound. What was found when a block was entered is shared by
all that comes of the region, for what is left on the stack is of the same region of the block.
"""

from __future__ import annotations

from collections.abc import Callable

from creased.core.marching.kernels.bounds import is_excluded, output_range, propagate, weigh
from creased.core.marching.kernels.entering import enter, evaluate_open, keep_open
from creased.core.marching.kernels.regions import divide, pop
from creased.core.marching.kernels.search_records import (
    BLOCK,
    CONSTANT,
    DOUBTFUL,
    FIRST_POINT,
    FOUND,
    FRAMES,
    FULL,
    INCONSISTENT,
    N_OPEN,
    N_POINTS,
    N_VERTICES,
    VERTEX_TOP,
    Found,
    Known,
    Levels,
    Network,
    Scratch,
    Stack,
)
from creased.core.native.compiler import ZERO, Integers, inlined, sources, whole


@inlined
def _is_known(known: Known, words: Integers, first: int, n: int) -> bool:
    for place in range(first, first + n):
        is_equal = True
        for k in range(len(words)):
            is_equal &= known.words[known.order[place], k] == words[k]
        if is_equal:
            return True
    return False


@inlined
def _record(
    work: Scratch,
    n_vertices: int,
    known: Known,
    region: Integers,
    found: Found,
    outputs: tuple[float, float, float],
) -> None:
    """Record a cell that the level set meets, or may meet within rounding, if it is not known."""
    low, high, error = outputs
    first, n_points = region[FIRST_POINT], region[N_POINTS]
    if _is_known(known, work.words, first, n_points):
        return
    at = found.counts[FOUND]
    found.counts[FOUND] += 1
    if not (low < -error and high > error):
        found.counts[DOUBTFUL] += 1
    for k in range(len(work.words)):
        found.words[at, k] = work.words[k]
    form, lowest, highest = work.form, ZERO, ZERO
    for v in range(n_vertices):
        value = form[CONSTANT, 0]
        for axis in range(3):
            value += form[axis, 0] * work.vertices[v, axis]
        lowest = v if value <= low else lowest
        highest = v if value >= high else highest
    share = -low / (high - low) if low < 0.0 < high else 0.0
    for axis in range(3):
        start = work.vertices[lowest, axis]
        found.points[at, axis] = start + share * (work.vertices[highest, axis] - start)


def _compile_search(stamp: str) -> Callable[..., float]:
    """Compile the loop; see `sources` for the stamp."""

    @whole
    def search(
        net: Network, levels: Levels, stack: Stack, work: Scratch, known: Known, found: Found, n_regions: int
    ) -> float:
        """Search so many regions of the stack, or until ``found`` is full; return the share that is done."""
        if not stamp:
            return 0.0
        region, done, n_blocks = work.region, 0.0, len(net.rows)
        for _ in range(n_regions):
            if not stack.tops[FRAMES] or found.counts[FOUND] == len(found.words):
                break
            frame = stack.frames[stack.tops[FRAMES] - 1]
            n_left = len(stack.vertices) - stack.tops[VERTEX_TOP] - 6 * frame[N_VERTICES]
            if n_left < 0 or 3 * frame[N_VERTICES] > len(work.vertices):
                found.counts[FULL] = 1
                break
            share = pop(stack, work, region)
            n_vertices, is_fresh = region[N_VERTICES], ZERO
            if region[BLOCK] >= 0:
                block = region[BLOCK]
                for i in range(net.widths[block + 1]):
                    work.slope[block, i] = work.lower[block, i] = levels.slope[block, i]
                    work.rise[block, i] = 0.0
                region[N_OPEN] = keep_open(net, levels, work, block, region[N_OPEN], n_vertices)
            while region[N_OPEN] == 0 and region[BLOCK] < n_blocks - 1:
                region[BLOCK] += 1
                region[N_OPEN] = enter(net, levels, work, region[BLOCK], n_vertices)
                if region[BLOCK] == 0:
                    propagate(net, levels, work, ZERO, n_vertices)
                    weigh(net, levels, work)
                is_fresh = ZERO + 1
            if region[N_OPEN] == 0:
                low, high, error = output_range(net, levels, work, ZERO, n_vertices)
                if low <= error and high >= -error:
                    _record(work, n_vertices, known, region, found, (low, high, error))
                done += share
                continue
            if is_fresh:
                evaluate_open(levels, work, region)
            if region[N_POINTS] == 0 and is_excluded(net, levels, work, region, found.counts):
                done += share
            elif not divide(net, levels, stack, work, known, region, share):
                found.counts[INCONSISTENT] += 1
                break
        return done

    return search


search = _compile_search(sources(__file__))
