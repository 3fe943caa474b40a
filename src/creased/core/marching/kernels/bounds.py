"""Bound a plain ReLU network over the regions of a branch and bound search (CROWN, Zhang et al. 2018).

All on a region follows from what its block was entered with: the preactivations as affine functions, the sum
of what stable neurons pass on, and the neurons that are open, which change sign. Functions hold up to errors
that are carried along, rounding included, see `creased.core.program.affine_arithmetic`; that of vertices is
not covered. The same bounds as of `creased.core.program.bounds`, without symbols.
"""

from __future__ import annotations

import numpy as np

from creased.core.marching.kernels.forms import (
    add_rows,
    begin,
    compose,
    copy_form,
    pass_on,
    ranges,
    relax,
    size,
)
from creased.core.marching.kernels.search_records import (
    BLOCK,
    CONSTANT,
    ERROR,
    N_BOUNDS,
    N_OPEN,
    N_VERTICES,
    Levels,
    Network,
    Scratch,
)
from creased.core.native.compiler import ZERO, Integers, inlined


@inlined
def propagate(net: Network, levels: Levels, work: Scratch, block: int, n_vertices: int) -> None:
    """Relax the blocks after one on a region; ``work`` has the relaxations of that block's open neurons."""
    n_blocks, form = len(net.rows), work.form
    for later in range(block + 1, n_blocks):
        width = net.widths[later + 1]
        n = ZERO
        if later == block + 1:
            copy_form(levels.passed, later, width, form)
            for k in range(levels.n_open[block]):
                i = levels.open[block, k]
                if work.slope[block, i] > 0.0:
                    pass_on(net, levels.z[block], work, block, i, n)
                    n += 1
            compose(net, later, work, n, form)
        else:
            for i in range(net.widths[later]):
                if work.slope[later - 1, i] > 0.0:
                    pass_on(net, form, work, later - 1, i, n)
                    n += 1
            begin(net, later, form)
            compose(net, later, work, n, form)
        ranges(form, width, work.vertices, n_vertices, work.low[later], work.high[later])
        for j in range(width):
            relax(work, later, j, work.low[later, j], work.high[later, j])


@inlined
def weigh(net: Network, levels: Levels, work: Scratch) -> None:
    """Bound the sums of absolute products of all blocks but the first; on the domain, after `propagate`."""
    for block in range(1, len(net.rows)):
        n = ZERO
        for i in range(net.widths[block]):
            if work.high[block - 1, i] > 0.0:
                work.chosen[n] = i
                work.factors[0, n] = work.high[block - 1, i]
                n += 1
        for j in range(net.widths[block + 1]):
            levels.weighed[block, j] = abs(net.bias[block, j])
        add_rows(levels.weighed, block, net.sizes, block, net.widths[block + 1], work, ZERO, n)


@inlined
def _guess_side(net: Network, work: Scratch) -> float:
    """Guess the sign of the output at the first vertex, from the relaxations of the last block."""
    value, last, form = net.head[-1], len(net.rows) - 1, work.form
    for j in range(net.widths[last + 1]):
        z = form[CONSTANT, j]
        for axis in range(3):
            z += work.vertices[0, axis] * form[axis, j]
        value += net.head[j] * (work.slope[last, j] * z + work.rise[last, j] / 2)
    return 1.0 if value >= 0.0 else -1.0


@inlined
def lowest_value(
    net: Network, levels: Levels, work: Scratch, block: int, n_vertices: int, side: float
) -> float:
    """Bound side * output from below over a region, pulling it back through the relaxed blocks."""
    last, gamma = len(net.rows) - 1, net.gamma
    covector, here, there = work.covector, ZERO, ZERO + 1
    for i in range(net.widths[last + 1]):
        covector[here, i] = side * net.head[i]
    constant = side * net.head[-1]
    slack = gamma * abs(constant)
    for later in range(last, block, -1):
        n = ZERO
        for j in range(net.widths[later + 1]):
            weight = covector[here, j]
            if weight < 0.0:
                constant += weight * work.rise[later, j]
                slack -= gamma * weight * work.rise[later, j]
                weight *= work.slope[later, j]
            else:
                weight *= work.lower[later, j]
            if weight != 0.0:
                work.chosen[n], work.factors[0, n] = j, weight
                constant += weight * net.bias[later, j]
                slack += gamma * abs(weight) * levels.weighed[later, j]
                n += 1
        for i in range(net.widths[later]):
            covector[there, i] = 0.0
        add_rows(covector, there, net.rows, later, net.widths[later], work, ZERO, n)
        here, there = there, here
    x, y, z, slack_of_z = 0.0, 0.0, 0.0, 0.0
    form = levels.z[block]
    for i in range(net.widths[block + 1]):
        weight = covector[here, i]
        if weight < 0.0:
            constant += weight * work.rise[block, i]
            slack -= gamma * weight * work.rise[block, i]
            weight *= work.slope[block, i]
        else:
            weight *= work.lower[block, i]
        if weight != 0.0:
            x += weight * form[0, i]
            y += weight * form[1, i]
            z += weight * form[2, i]
            constant += weight * form[CONSTANT, i]
            slack_of_z += abs(weight) * (form[ERROR, i] + gamma * size(net, form, i))
        slack += 2.0 * abs(covector[here, i]) * levels.error[block, i]
    least = np.inf
    for v in range(n_vertices):
        value = x * work.vertices[v, 0] + y * work.vertices[v, 1] + z * work.vertices[v, 2]
        least = value if value < least else least
    return least + constant - slack - slack_of_z - gamma * abs(constant)


@inlined
def output_range(
    net: Network, levels: Levels, work: Scratch, n_open: int, n_vertices: int
) -> tuple[float, float, float]:
    """Least and greatest output at a region's vertices, in its last block, and their error."""
    last, form = len(net.rows) - 1, work.form
    copy_form(levels.passed, last + 1, ZERO + 1, form)
    n = ZERO
    for k in range(levels.n_open[last]):
        i = levels.open[last, k]
        if work.rise[last, i] == 0.0 and work.slope[last, i] > 0.0:
            pass_on(net, levels.z[last], work, last, i, n)
            n += 1
    compose(net, last + 1, work, n, form)
    error = form[ERROR, 0] + net.gamma * size(net, form, ZERO)
    for k in range(n_open):
        i = work.open[k]
        error += abs(net.head[i]) * levels.error[last, i]
    low, high = np.inf, -np.inf
    for v in range(n_vertices):
        value = form[CONSTANT, 0]
        for axis in range(3):
            value += form[axis, 0] * work.vertices[v, axis]
        for k in range(n_open):
            z = work.values[k, v]
            if z > 0.0:
                value += net.head[work.open[k]] * z
        low = value if value < low else low
        high = value if value > high else high
    return low, high, error


@inlined
def lowest_of_last(
    net: Network, levels: Levels, work: Scratch, n_open: int, n_vertices: int, side: float
) -> float:
    """Bound side * output from below over a region in the last block; follows `output_range`."""
    last, form = len(net.rows) - 1, work.form
    x, y, z, constant = side * form[0, 0], side * form[1, 0], side * form[2, 0], side * form[CONSTANT, 0]
    slack = form[ERROR, 0] + net.gamma * size(net, form, ZERO)
    for k in range(n_open):
        i = work.open[k]
        weight = side * net.head[i]
        if weight < 0.0:
            constant += weight * work.rise[last, i]
            slack -= net.gamma * weight * work.rise[last, i]
            weight *= work.slope[last, i]
        else:
            weight *= work.lower[last, i]
        x += weight * levels.z[last, 0, i]
        y += weight * levels.z[last, 1, i]
        z += weight * levels.z[last, 2, i]
        constant += weight * levels.z[last, CONSTANT, i]
        slack += 2.0 * abs(net.head[i]) * levels.error[last, i]
    least = np.inf
    for v in range(n_vertices):
        value = x * work.vertices[v, 0] + y * work.vertices[v, 1] + z * work.vertices[v, 2]
        least = value if value < least else least
    return least + constant - slack - net.gamma * abs(constant)


@inlined
def is_excluded(net: Network, levels: Levels, work: Scratch, region: Integers, counts: Integers) -> bool:
    """Prove that the output keeps its sign on a region, if possible."""
    block, n_open, n_vertices = region[BLOCK], region[N_OPEN], region[N_VERTICES]
    counts[N_BOUNDS] += 1
    if block == len(net.rows) - 1:
        low, high, error = output_range(net, levels, work, n_open, n_vertices)
        if low < -error and high > error:
            return False
        side = 1.0 if low + high >= 0.0 else -1.0
        return lowest_of_last(net, levels, work, n_open, n_vertices, side) > 0.0
    propagate(net, levels, work, block, n_vertices)
    return lowest_value(net, levels, work, block, n_vertices, _guess_side(net, work)) > 0.0
