"""Affine functions of the position with bounded errors, over a region: composed, bounded and relaxed.

Rounding is part of the error, as in `creased.core.program.affine_arithmetic`.
"""

from __future__ import annotations

from creased.core.marching.kernels.search_records import CONSTANT, ERROR, PLANES, Network, Scratch
from creased.core.native.compiler import Floats, inlined


@inlined
def add_rows(
    total: Floats, row: int, weights: Floats, block: int, width: int, work: Scratch, plane: int, n: int
) -> None:
    """Add to a row of a total n chosen rows of a block's weights, times the factors of a plane."""
    chosen, factors = work.chosen, work.factors
    whole = n - n % 4
    for k in range(0, whole, 4):
        a, b, c, d = factors[plane, k], factors[plane, k + 1], factors[plane, k + 2], factors[plane, k + 3]
        p, q, r, s = chosen[k], chosen[k + 1], chosen[k + 2], chosen[k + 3]
        for j in range(width):
            total[row, j] += (
                a * weights[block, p, j]
                + b * weights[block, q, j]
                + (c * weights[block, r, j] + d * weights[block, s, j])
            )
    for k in range(whole, n):
        a, p = factors[plane, k], chosen[k]
        for j in range(width):
            total[row, j] += a * weights[block, p, j]


@inlined
def copy_form(forms: Floats, place: int, width: int, out: Floats) -> None:
    """Copy functions (5, N) from one place of several."""
    for plane in range(PLANES):
        for j in range(width):
            out[plane, j] = forms[place, plane, j]


@inlined
def compose(net: Network, block: int, work: Scratch, n: int, out: Floats) -> None:
    """Add to functions (5, N) what n chosen neurons pass on, by their factors, to a block or to the head."""
    if block == len(net.rows):
        for k in range(n):
            weight = net.head[work.chosen[k]]
            for plane in range(ERROR):
                out[plane, 0] += weight * work.factors[plane, k]
            out[ERROR, 0] += abs(weight) * work.factors[ERROR, k]
        return
    width = net.widths[block + 1]
    for plane in range(ERROR):
        add_rows(out, plane, net.columns, block, width, work, plane, n)
    add_rows(out, ERROR, net.sizes, block, width, work, ERROR, n)


@inlined
def begin(net: Network, block: int, out: Floats) -> None:
    """Set functions (5, N) to a layer's bias and its rounding."""
    for plane in range(PLANES):
        for j in range(net.widths[block + 1]):
            out[plane, j] = 0.0
    if block == len(net.rows):
        out[CONSTANT, 0] = net.head[-1]
        out[ERROR, 0] = net.gamma * abs(net.head[-1])
    else:
        for j in range(net.widths[block + 1]):
            out[CONSTANT, j] = net.bias[block, j]
            out[ERROR, j] = net.gamma * abs(net.bias[block, j])


@inlined
def size(net: Network, form: Floats, j: int) -> float:
    """Bound the absolute value of a function in the domain."""
    size = abs(form[CONSTANT, j]) + form[ERROR, j]
    for axis in range(3):
        size += net.reach[axis] * abs(form[axis, j])
    return size


@inlined
def ranges(form: Floats, width: int, vertices: Floats, n: int, low: Floats, high: Floats) -> None:
    """Bound functions over a polytope."""
    x, y, z, constant, error = form[0], form[1], form[2], form[CONSTANT], form[ERROR]
    for v in range(n):
        a, b, c = vertices[v, 0], vertices[v, 1], vertices[v, 2]
        if v == 0:
            for j in range(width):
                low[j] = a * x[j] + b * y[j] + c * z[j] + constant[j]
                high[j] = low[j]
        else:
            for j in range(width):
                value = a * x[j] + b * y[j] + c * z[j] + constant[j]
                low[j] = value if value < low[j] else low[j]
                high[j] = value if value > high[j] else high[j]
    for j in range(width):
        low[j] -= error[j]
        high[j] += error[j]


@inlined
def relax(work: Scratch, block: int, i: int, low: float, high: float) -> None:
    """Relax a ReLU on a range: the chord above, below the closer of 0 and z."""
    if low >= 0.0:
        work.slope[block, i] = work.lower[block, i] = 1.0
        work.rise[block, i] = 0.0
    elif high <= 0.0:
        work.slope[block, i] = work.lower[block, i] = work.rise[block, i] = 0.0
    else:
        work.slope[block, i] = high / (high - low)
        work.rise[block, i] = -work.slope[block, i] * low
        work.lower[block, i] = 1.0 if high > -low else 0.0


@inlined
def pass_on(net: Network, form: Floats, work: Scratch, block: int, i: int, n: int) -> None:
    """Write relu(z) of a neuron, between two parallel bounds, as the n-th of the factors."""
    slope, half = work.slope[block, i], work.rise[block, i] / 2
    work.chosen[n] = i
    for plane in range(ERROR):
        work.factors[plane, n] = slope * form[plane, i]
    work.factors[CONSTANT, n] += half
    work.factors[ERROR, n] = slope * (form[ERROR, i] + net.gamma * size(net, form, i)) + half
