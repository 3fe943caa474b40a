"""Enter the blocks of a network on a region: find the neurons that change sign, and those that pass on."""

from __future__ import annotations

import numpy as np

from creased.core.marching.kernels.forms import (
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
    N_OPEN,
    N_VERTICES,
    Levels,
    Network,
    Scratch,
)
from creased.core.native.compiler import ZERO, Integers, inlined
from creased.core.native.sign_bits import has_bit, set_bit


@inlined
def enter(net: Network, levels: Levels, work: Scratch, block: int, n_vertices: int) -> int:
    """Enter a block on a region of which all earlier signs are known; return the number of open neurons."""
    width, form, n = net.widths[block + 1], levels.z[block], ZERO
    if block == 0:
        begin(net, ZERO, form)
        for j in range(width):
            for axis in range(net.dim):
                form[axis, j] = net.rows[0, j, axis]
    else:
        copy_form(levels.passed, block, width, form)
        n = _switched_on(net, levels, work, block - 1)
        compose(net, block, work, n, form)
    low, high = work.low[block], work.high[block]
    ranges(form, width, work.vertices, n_vertices, low, high)
    n_open, n_on = ZERO, ZERO
    for i in range(width):
        error = form[ERROR, i] + net.gamma * size(net, form, i)
        levels.error[block, i] = error
        is_open = low[i] < -2.0 * error and high[i] > 2.0 * error
        is_on = not is_open and low[i] + high[i] >= 0.0
        levels.slope[block, i] = work.slope[block, i] = work.lower[block, i] = 1.0 if is_on else 0.0
        work.rise[block, i] = 0.0
        if is_open:
            levels.open[block, n_open] = work.open[n_open] = i
            relax(work, block, i, low[i], high[i])
            n_open += 1
        elif is_on:
            row = net.first_row[block] + i
            set_bit(work.words, row)
    levels.n_open[block] = n_open
    passed = levels.passed[block + 1]
    begin(net, block + 1, passed)
    for i in range(width):
        if levels.slope[block, i] > 0.0:
            pass_on(net, form, work, block, i, n_on)
            n_on += 1
    compose(net, block + 1, work, n_on, passed)
    for i in range(width):
        is_zero = low[i] < 0.0 if levels.slope[block, i] > 0.0 else -low[i] > high[i] >= 0.0
        if is_zero and (low[i] >= -4.0 * levels.error[block, i] or high[i] <= 4.0 * levels.error[block, i]):
            _admit(net, levels, block, i)
    return n_open


@inlined
def _admit(net: Network, levels: Levels, block: int, i: int) -> None:
    """Add what a neuron that is zero within rounding may pass on on its other side."""
    error, errors = 4.0 * levels.error[block, i], levels.passed[block + 1, ERROR]
    if block + 1 == len(net.rows):
        errors[0] += abs(net.head[i]) * error
    else:
        for j in range(net.widths[block + 2]):
            errors[j] += net.sizes[block + 1, i, j] * error


@inlined
def _switched_on(net: Network, levels: Levels, work: Scratch, block: int) -> int:
    """List what the open neurons of a block that a region is on the + side of pass on."""
    n = ZERO
    for k in range(levels.n_open[block]):
        i = levels.open[block, k]
        row = net.first_row[block] + i
        if has_bit(work.words, row):
            work.slope[block, i], work.rise[block, i] = 1.0, 0.0
            pass_on(net, levels.z[block], work, block, i, n)
            n += 1
    return n


@inlined
def keep_open(net: Network, levels: Levels, work: Scratch, block: int, n_open: int, n_vertices: int) -> int:
    """Evaluate open neurons at a region's vertices; keep those that still change sign, and relax them."""
    form, n = levels.z[block], ZERO
    for k in range(levels.n_open[block]):
        i = levels.open[block, k]
        row = net.first_row[block] + i
        work.slope[block, i] = work.lower[block, i] = 1.0 if has_bit(work.words, row) else 0.0
        work.rise[block, i] = 0.0
    for k in range(n_open):
        i = work.open[k]
        low, high = np.inf, -np.inf
        a, b, c, d = form[0, i], form[1, i], form[2, i], form[CONSTANT, i]
        for v in range(n_vertices):
            value = a * work.vertices[v, 0] + b * work.vertices[v, 1] + c * work.vertices[v, 2] + d
            work.values[n, v] = value
            low = value if value < low else low
            high = value if value > high else high
        error = levels.error[block, i]
        if low < -error and high > error:
            relax(work, block, i, low - error, high + error)
            work.low[block, i], work.high[block, i] = low, high
            work.open[n] = i
            n += 1
            continue
        if abs(low) <= error or abs(high) <= error:
            _admit(net, levels, block, i)
        if low + high >= 0.0:
            row = net.first_row[block] + i
            set_bit(work.words, row)
            work.slope[block, i] = work.lower[block, i] = 1.0
    return n


@inlined
def evaluate_open(levels: Levels, work: Scratch, region: Integers) -> None:
    """Evaluate the open neurons of a block that was just entered at the vertices."""
    form = levels.z[region[BLOCK]]
    for k in range(region[N_OPEN]):
        i = work.open[k]
        for v in range(region[N_VERTICES]):
            value = form[CONSTANT, i]
            for axis in range(3):
                value += form[axis, i] * work.vertices[v, axis]
            work.values[k, v] = value
