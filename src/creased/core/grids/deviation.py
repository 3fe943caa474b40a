"""Bounds of a network over many cells, from its values at their corners: interpolation and its deviation.

On a simplex the first preactivations are affine. Write every later quantity as the interpolant of its values
at the corners plus a deviation in [low, high]. A ReLU that keeps its sign changes neither; one with range [a,
b] about zero lies below the interpolant of its corner values by at most the gap a b / (b - a) of its chord,
and passes an upward deviation on at most whole. Affine maps take intervals to intervals. So the output is
bounded by its values at the corners and a deviation that is zero where no neuron changes sign. Any set of
corners that contains those of each simplex of a cell will do, such as all vertices of a cube.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.program.affine_arithmetic import gamma
from creased.core.program.program import Program


class Ranges(NamedTuple):
    """Least and greatest values at the corners of R cells."""

    low: Tensor  # (R, N)
    high: Tensor  # (R, N)


def output_bounds(inner: Program, ranges: Ranges, size: float) -> tuple[Tensor, Tensor]:
    """Bounds (R, O) below and above of the outputs over cells.

    Args:
        inner: the program of the encoded state.
        ranges: of all rows at the corners, preactivations block by block, then outputs.
        size: bound on absolute values, which rounding is relative to.
    """
    sizes = [*inner.widths, inner.out_dim]
    lows, highs = ranges.low.split(sizes, dim=1), ranges.high.split(sizes, dim=1)
    state = _Deviation(lows[0].new_zeros((1, inner.in_dim)), lows[0].new_zeros((1, inner.in_dim)))
    for block, low, high in zip(inner.blocks, lows, highs, strict=False):
        hidden = _through_relu(low, high, _through(block.affine.weight, state))
        if block.is_plain:
            state = hidden
        elif block.skip is None:
            state = _through(block.output_map().weight, hidden)
        else:
            both = (
                torch.cat([mine, theirs.expand(len(low), -1)], dim=1)
                for mine, theirs in zip(hidden, state, strict=True)
            )
            state = _through(block.output_map().weight, _Deviation(*both))
    moved = _through(inner.head.weight, state)
    slack = gamma(inner.dtype, max(sizes) + inner.in_dim) * size
    return lows[-1] + moved.low - slack, highs[-1] + moved.high + slack


class _Deviation(NamedTuple):
    """How far values may be from the interpolants of those at the corners, in R cells or in all (1)."""

    low: Tensor  # (R, N), <= 0
    high: Tensor  # (R, N), >= 0


def _through(weight: Tensor, state: _Deviation) -> _Deviation:
    above, below = weight.clamp(min=0).T, weight.clamp(max=0).T
    return _Deviation(state.low @ above + state.high @ below, state.high @ above + state.low @ below)


def _through_relu(low: Tensor, high: Tensor, z: _Deviation) -> _Deviation:
    """The deviation of relu(z), given corner values of z in [low, high] and its deviation."""
    gap = high.clamp(min=0) * low.clamp(max=0) / (high - low).clamp(min=torch.finfo(low.dtype).tiny)
    is_active, is_inactive = low + z.low >= 0, high + z.high <= 0
    down = torch.where(is_active, z.low, gap + z.low)
    return _Deviation(down.masked_fill(is_inactive, 0), z.high.masked_fill(is_inactive, 0))
