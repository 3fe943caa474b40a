"""Divide regions, with what is known of them: take one from the stack, cut it by a neuron, push both parts.

A region is a simple polytope: each vertex lies on D facets, with a neighbour along the edge that leaves each.
"""

from __future__ import annotations

from creased.core.marching.kernels.search_records import (
    BLOCK,
    CONSTANT,
    FIRST_OPEN,
    FIRST_POINT,
    FIRST_VERTEX,
    FRAME,
    FRAMES,
    N_OPEN,
    N_POINTS,
    N_VERTICES,
    OPEN_TOP,
    VERTEX_TOP,
    Known,
    Levels,
    Network,
    Scratch,
    Stack,
)
from creased.core.native.compiler import ZERO, Floats, Integers, inlined
from creased.core.native.sign_bits import set_bit


@inlined
def cut(net: Network, stack: Stack, work: Scratch, n_vertices: int, values: Floats, row: int) -> int:
    """Cut a polytope by a row with these values at its vertices; push the + side, then the other.

    Return the number of vertices on the + side; -1 if rounding made the sides inconsistent.
    """
    dim, n_fresh, sides = net.dim, ZERO, work.sides
    sides[0] = sides[1] = 0
    for v in range(n_vertices):
        is_minus = 0 if values[v] >= 0.0 else 1
        work.number[v] = sides[is_minus]
        sides[is_minus] += 1
    for v in range(n_vertices):
        for slot in range(dim):
            other = work.neighbours[v, slot]
            if values[v] >= 0.0 and values[other] < 0.0:
                work.fresh[n_fresh, 0], work.fresh[n_fresh, 1], work.fresh[n_fresh, 2] = v, other, slot
                n_fresh += 1
    if n_fresh < dim:
        return -1
    for side in range(2):
        top, n_old = stack.tops[VERTEX_TOP], sides[side]
        for v in range(n_vertices):
            if (values[v] >= 0.0) == (side == 0):
                at = top + work.number[v]
                for slot in range(dim):
                    stack.facets[at, slot] = work.facets[v, slot]
                    stack.neighbours[at, slot] = work.number[work.neighbours[v, slot]]
                for axis in range(3):
                    stack.vertices[at, axis] = work.vertices[v, axis]
        for c in range(n_fresh):
            at, v, other, slot = top + n_old + c, work.fresh[c, 0], work.fresh[c, 1], work.fresh[c, 2]
            share = values[v] / (values[v] - values[other])
            for axis in range(3):
                start = work.vertices[v, axis]
                stack.vertices[at, axis] = start + share * (work.vertices[other, axis] - start)
            for k in range(dim):
                stack.facets[at, k] = work.facets[v, k]
            stack.facets[at, slot] = row
            end = v if side == 0 else other
            stack.neighbours[at, slot] = work.number[end]
            for k in range(dim):
                towards = work.neighbours[end, k]
                if towards == (other if side == 0 else v):
                    stack.neighbours[top + work.number[end], k] = n_old + c
        if not _join(stack, work, top + n_old, n_fresh, n_old, dim):
            return -1
        stack.tops[VERTEX_TOP] = top + n_old + n_fresh
    return sides[0] + n_fresh


@inlined
def _join(stack: Stack, work: Scratch, first: int, n_fresh: int, n_old: int, dim: int) -> bool:
    """Join the vertices of a cut along its sides, each of which lies on one 2-face of the polytope."""
    for c in range(n_fresh):
        slot = work.fresh[c, 2]
        for left in range(dim):
            if left == slot:
                continue
            shared = stack.facets[first + c, 3 - slot - left] if dim == 3 else -1
            n_found = 0
            for other in range(n_fresh):
                if other == c:
                    continue
                is_shared = dim == 2
                for k in range(dim):
                    is_shared |= stack.facets[first + other, k] == shared
                if is_shared:
                    stack.neighbours[first + c, left] = n_old + other
                    n_found += 1
            if n_found != 1:
                return False
    return True


@inlined
def _choose(work: Scratch, block: int, n_open: int) -> int:
    """Choose the open neuron whose relaxation is the loosest."""
    loosest, place = -1.0, 0
    for k in range(n_open):
        rise = work.rise[block, work.open[k]]
        if rise > loosest:
            loosest, place = rise, k
    return place


@inlined
def _divide_points(known: Known, form: Floats, i: int, first: int, n: int) -> int:
    """Put the points of a region that are on the + side of a neuron first; return how many."""
    start, stop = first, first + n
    while start < stop:
        p = known.order[start]
        value = form[CONSTANT, i]
        for axis in range(3):
            value += form[axis, i] * known.points[p, axis]
        if value >= 0.0:
            start += 1
        else:
            stop -= 1
            known.order[start], known.order[stop] = known.order[stop], p
    return start - first


@inlined
def pop(stack: Stack, work: Scratch, region: Integers) -> float:
    """Take the last region from the stack; return its share."""
    top = stack.tops[FRAMES] - 1
    for k in range(FRAME):
        region[k] = stack.frames[top, k]
    n, first = region[N_VERTICES], region[FIRST_VERTEX]
    for v in range(n):
        for k in range(3):
            work.vertices[v, k] = stack.vertices[first + v, k]
            work.facets[v, k] = stack.facets[first + v, k]
            work.neighbours[v, k] = stack.neighbours[first + v, k]
    n_open, first_open = region[N_OPEN], region[FIRST_OPEN]
    for k in range(n_open):
        work.open[k] = stack.open[first_open + k]
    for k in range(len(work.words)):
        work.words[k] = stack.words[top, k]
    stack.tops[FRAMES], stack.tops[VERTEX_TOP], stack.tops[OPEN_TOP] = top, first, first_open
    return stack.share[top]


@inlined
def divide(
    net: Network, levels: Levels, stack: Stack, work: Scratch, known: Known, region: Integers, share: float
) -> bool:
    """Divide a region by one of its open neurons, and push both parts; False if they are inconsistent."""
    block, n_open, n_vertices = region[BLOCK], region[N_OPEN], region[N_VERTICES]
    place = _choose(work, block, n_open)
    i, values = work.open[place], work.values[place]
    row, first = net.first_row[block] + i, stack.tops[VERTEX_TOP]
    n_plus = cut(net, stack, work, n_vertices, values, row)
    if n_plus < 0:
        return False
    n_minus = stack.tops[VERTEX_TOP] - first - n_plus
    n_points = _divide_points(known, levels.z[block], i, region[FIRST_POINT], region[N_POINTS])
    for side in range(2):
        top, frame = stack.tops[FRAMES], stack.frames[stack.tops[FRAMES]]
        frame[BLOCK] = block
        frame[FIRST_VERTEX] = first if side == 0 else first + n_plus
        frame[N_VERTICES] = n_plus if side == 0 else n_minus
        frame[FIRST_OPEN], frame[N_OPEN] = stack.tops[OPEN_TOP], n_open - 1
        frame[FIRST_POINT] = region[FIRST_POINT] + (0 if side == 0 else n_points)
        frame[N_POINTS] = n_points if side == 0 else region[N_POINTS] - n_points
        stack.share[top] = share * frame[N_VERTICES] / (n_plus + n_minus)
        for k in range(len(work.words)):
            stack.words[top, k] = work.words[k]
        if side == 0:
            set_bit(stack.words[top], row)
        for k in range(n_open):
            if k != place:
                stack.open[stack.tops[OPEN_TOP]] = work.open[k]
                stack.tops[OPEN_TOP] += 1
        stack.tops[FRAMES] += 1
    return True
