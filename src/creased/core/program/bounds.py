"""Certified bounds of a piecewise-affine function over many convex cells at once.

Each cell is given by its vertices and by the affine forms that the network's state has on it. Through the
blocks that follow, linear relaxations are propagated (Zhang et al. 2018, CROWN):

- forward, to find ranges of all preactivations: the range of a form's affine part over a cell is attained at
  its vertices, so the first block's ranges are exact. What a ReLU that changes sign on the cell adds is an
  error; the largest errors can be kept apart as symbols, so that they cancel where the network lets them;
- then backward, one functional from the output down to the state, whose relaxations use those ranges, and
  whose minimum over the cell is again attained at a vertex.

Ranges are widened and the result is lowered by what rounding can have lost; see
`creased.core.program.affine_arithmetic`. What is not covered is the error of the given vertices themselves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.program.affine_arithmetic import (
    AffineForms,
    apply,
    close,
    gamma,
    scale,
    size_of,
    spread,
)
from creased.core.program.program import Affine, Block, Program


class Cells(NamedTuple):
    """Where a function is bounded, and what is known of it there."""

    corners: Tensor  # (R, m, D + 1): vertices, repeated to one number, with a 1 behind
    state: AffineForms  # of the first block's state
    side: Tensor  # (R,): the sign, +1 or -1, that the output has at the vertices

    def choose(self, index: Tensor) -> Cells:
        """The cells (n,) alone."""
        return Cells(self.corners[index], self.state.choose(index), self.side[index])


class Relaxation(NamedTuple):
    """Linear bounds of a block's ReLUs on R cells: lower_slope z <= relu(z) <= slope z + rise."""

    slope: Tensor  # (R, N): 1 or 0 where a neuron is stable
    rise: Tensor  # (R, N), >= 0
    lower_slope: Tensor  # (R, N): 0 or 1
    state_size: Tensor  # (S,): bound on the absolute value of the block's state
    hidden_size: Tensor  # (N,): of relu(z)


@dataclass(frozen=True)
class Tail:
    """The last blocks of a program with one output, and the domain."""

    program: Program
    reach: Tensor  # (D + 1,): bounds on the absolute coordinates of the domain, then 1


def excludes_zero(tail: Tail, cells: Cells, n_symbols: int = 0) -> Tensor:
    """True (R,) where the output is proven to keep its sign on a cell.

    Args:
        tail: the blocks that follow.
        cells: where.
        n_symbols: errors that are kept apart; the more, the tighter, and the longer it takes.
    """
    return _lowest_value(tail, _relax_forward(tail, cells, n_symbols), cells) > 0


def _relax_forward(tail: Tail, cells: Cells, n_symbols: int) -> list[Relaxation]:
    """Relaxations of every block of the tail, from ranges over the cells."""
    relaxations: list[Relaxation] = []
    state = cells.state
    for block in tail.program.blocks:
        size = size_of(state, tail.reach)
        z = apply(block.affine, state, size)
        low, high = _ranges(z, cells.corners)
        relaxations.append(_relax(low, high, size))
        if len(relaxations) < len(tail.program.blocks):
            hidden = _relu(z, relaxations[-1], n_symbols)
            state = _condense(close(block, hidden, state, tail.reach), n_symbols)
    return relaxations


def _ranges(forms: AffineForms, corners: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds (R, N) below and above, over cells with these corners (R, m, D + 1)."""
    values = torch.bmm(corners, forms.maps)
    error = forms.error + spread(forms)
    return values.amin(1) - error, values.amax(1) + error


def _relax(low: Tensor, high: Tensor, state_size: Tensor) -> Relaxation:
    """The triangle of each ReLU with range [low, high]: its chord above, and below the better of 0 and z."""
    below, above = low.clamp(max=0), high.clamp(min=0)
    width = above - below
    slope = above / width.clamp(min=torch.finfo(width.dtype).tiny)
    hidden_size = torch.maximum(above, -below).amax(0)
    return Relaxation(slope, -slope * below, (above > -below).to(low.dtype), state_size, hidden_size)


def _relu(z: AffineForms, relaxation: Relaxation, n_symbols: int) -> AffineForms:
    """relu(z), between its two parallel bounds; changes z. The symbols of z come first, in their order."""
    half_rise = relaxation.rise / 2
    hidden = scale(z, relaxation.slope)
    hidden.maps[:, -1] += half_rise
    if n_symbols == 0:
        return hidden._replace(error=hidden.error + half_rise)
    n_new = min(2 * math.ceil(float((half_rise > 0).sum(1).double().mean())), half_rise.shape[1], n_symbols)
    largest, place = half_rise.topk(n_new, dim=1)
    fresh = torch.zeros_like(hidden.maps[:, :1]).repeat(1, n_new, 1)
    fresh.scatter_(2, place[:, :, None], largest[:, :, None])
    error = hidden.error + half_rise.scatter(1, place, 0.0)
    return hidden._replace(error=error, symbols=torch.cat([hidden.symbols, fresh], 1))


def _condense(forms: AffineForms, n_symbols: int) -> AffineForms:
    """The same with as many symbols at most: those that are smallest over all cells become error."""
    if forms.symbols.shape[1] <= n_symbols:
        return forms
    order = forms.symbols.abs().sum((0, 2)).argsort(descending=True)
    dropped = forms.symbols.index_select(1, order[n_symbols:])
    error = forms.error + dropped.abs().sum(1)
    return forms._replace(error=error, symbols=forms.symbols.index_select(1, order[:n_symbols]))


class _Functional(NamedTuple):
    """A lower bound covector s + constant - slack of the output, in a state s."""

    covector: Tensor  # (R, S)
    constant: Tensor  # (R,)
    slack: Tensor  # (R,), >= 0


def _lowest_value(tail: Tail, relaxations: list[Relaxation], cells: Cells) -> Tensor:
    """Lower bounds (R,) of side * output over the cells.

    A step back gives a functional with rounded coefficients; it is off by no more than that rounding, times
    the size of what the coefficients act on.
    """
    program, side = tail.program, cells.side
    terms = max(sum(block.affine.weight.shape) for block in (*program.blocks, Block(program.head)))
    lost = gamma(program.dtype, 2 * terms + cells.corners.shape[2])
    least = _Functional(
        side[:, None] * program.head.weight[0],
        side * program.head.bias[0],
        lost * program.head.bias[0].abs().expand_as(side),
    )
    for block, relaxation in zip(reversed(program.blocks), reversed(relaxations), strict=True):
        least, through = _pull_through_output_map(least, block, relaxation, lost)
        least = _pull_through_relu(least, relaxation, lost)
        least = _pull(least, block.affine, relaxation.state_size, lost)
        if through is not None:
            least = least._replace(covector=least.covector + through)
    values = torch.bmm(cells.corners, torch.bmm(cells.state.maps, least.covector[:, :, None]))[:, :, 0]
    doubt = cells.state.error + spread(cells.state) + lost * size_of(cells.state, tail.reach)
    slack = least.slack + (least.covector.abs() * doubt).sum(1) + lost * least.constant.abs()
    return values.amin(1) + least.constant - slack


def _pull(least: _Functional, affine: Affine, size: Tensor, lost: float) -> _Functional:
    """The functional of an affine function, as one of its arguments, which have this size (S,)."""
    weighed = least.covector.abs() @ (affine.weight.abs() @ size + affine.bias.abs())
    return _Functional(
        least.covector @ affine.weight,
        least.constant + least.covector @ affine.bias,
        least.slack + lost * weighed,
    )


def _pull_through_output_map(
    least: _Functional, block: Block, relaxation: Relaxation, lost: float
) -> tuple[_Functional, Tensor | None]:
    """In relu(z), and the covector (R, S) on the state that the block passes on, if it does."""
    if block.is_plain:
        return least, None
    size = relaxation.hidden_size
    if block.has_passthrough:
        size = torch.cat([size, relaxation.state_size])
    pulled = _pull(least, block.output_map(), size, lost)
    hidden, through = pulled.covector.tensor_split([block.n_neurons], dim=1)
    return pulled._replace(covector=hidden), through if block.has_passthrough else None


def _pull_through_relu(least: _Functional, relaxation: Relaxation, lost: float) -> _Functional:
    """In z, by the upper bound of the ReLU where its coefficient is negative, and else by the lower one."""
    drop = (least.covector.clamp(max=0) * relaxation.rise).sum(1)
    slope = torch.where(least.covector < 0, relaxation.slope, relaxation.lower_slope)
    return _Functional(least.covector * slope, least.constant + drop, least.slack - lost * drop)
