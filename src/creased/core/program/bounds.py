"""Certified bounds of a piecewise-affine function over many convex cells at once (CROWN, Zhang et al. 2018).

Each cell is given by its vertices and by the affine forms of the network's state on it. Linear relaxations
are propagated through the blocks that follow:

- forward, for the ranges of all preactivations: the affine part of a form attains its range over a cell at
  the vertices, so the first block's ranges are exact. A ReLU whose argument changes sign on the cell adds an
  error; the largest errors can be kept as symbols of their own, which may cancel in later layers;
- then backward, one functional from the output to the state, with relaxations from those ranges; its minimum
  over the cell is again attained at a vertex.

Ranges are widened and the result is lowered by the rounding error, see
`creased.core.program.affine_arithmetic`. The error of the given vertices themselves is not covered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.program.affine_arithmetic import AffineForms, apply, close, gamma, scale, size_of, spread
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program


class Cells(NamedTuple):
    """The cells on which a function is bounded, and its state there."""

    corners: Tensor | None  # (R, m, D + 1): vertices, some repeated so that all cells have m, then a 1; None:
    # of the standard simplex, unit vectors and the origin
    state: AffineForms  # the first block's input
    side: Tensor  # (R,): the sign, +1 or -1, that the output has at the vertices

    def choose(self, index: Tensor) -> Cells:
        """Select cells (n,) int64."""
        corners = None if self.corners is None else self.corners[index]
        return Cells(corners, self.state.choose(index), self.side[index])


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
    """Prove for cells (R,) that the output has no zero on them; False where there is no proof.

    Args:
        tail: the blocks that follow.
        cells: on which the output is bounded.
        n_symbols: errors kept as symbols; more are tighter and slower.
    """
    return _lowest_value(tail, _relax_forward(tail, cells, n_symbols), cells) > 0


def preactivation_ranges(tail: Tail, cells: Cells, n_symbols: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Bound the preactivations of every block of the tail below and above (R, N), over the cells."""
    return [ranges for ranges, _ in _propagate(tail, cells, n_symbols)]


def _relax_forward(tail: Tail, cells: Cells, n_symbols: int) -> list[Relaxation]:
    """Relax the ReLUs of every block, by ranges of their arguments over the cells."""
    return [relaxation for _, relaxation in _propagate(tail, cells, n_symbols)]


def _propagate(
    tail: Tail, cells: Cells, n_symbols: int
) -> Iterator[tuple[tuple[Tensor, Tensor], Relaxation]]:
    """Yield the ranges of every block of the tail and the relaxations that follow, from affine forms."""
    state, blocks = cells.state, tail.program.blocks
    for index, block in enumerate(blocks):
        size = size_of(state, tail.reach)
        z = apply(block.affine, state, size)
        ranges = _ranges(z, cells.corners)
        relaxation = _relax(*ranges, size)
        yield ranges, relaxation
        if index + 1 < len(blocks):
            hidden = _relu(z, relaxation, n_symbols)
            state = _condense(close(block, hidden, state, tail.reach), n_symbols)


def _extremes(maps: Tensor, corners: Tensor | None) -> tuple[Tensor, Tensor]:
    """Least and greatest values (R, n) of affine functions (R, D + 1, n) on cells of these corners."""
    if corners is None:
        slopes, constant = maps[:, :-1], maps[:, -1]
        return constant + slopes.amin(1).clamp_(max=0), constant + slopes.amax(1).clamp_(min=0)
    values = torch.bmm(corners, maps)
    return values.amin(1), values.amax(1)


def _ranges(forms: AffineForms, corners: Tensor | None) -> tuple[Tensor, Tensor]:
    """Bound forms from below and above (R, N) over cells with corners (R, m, D + 1)."""
    low, high = _extremes(forms.maps, corners)
    error = forms.error + spread(forms)
    return low - error, high + error


def _relax(low: Tensor, high: Tensor, state_size: Tensor) -> Relaxation:
    """Relax ReLUs on ranges [low, high]: the chord above, below the closer of 0 and z."""
    below, above = low.clamp(max=0), high.clamp(min=0)
    width = above - below
    slope = above / width.clamp(min=torch.finfo(width.dtype).tiny)
    hidden_size = torch.maximum(above, -below).amax(0)
    return Relaxation(slope, -slope * below, (above > -below).to(low.dtype), state_size, hidden_size)


def _relu(z: AffineForms, relaxation: Relaxation, n_symbols: int) -> AffineForms:
    """Enclose relu(z) between two parallel bounds, in place; new symbols come behind those of z."""
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
    """Keep the n_symbols symbols that are largest over all cells; the others become error."""
    if forms.symbols.shape[1] <= n_symbols:
        return forms
    order = forms.symbols.abs().sum((0, 2)).argsort(descending=True)
    dropped = forms.symbols.index_select(1, order[n_symbols:])
    error = forms.error + dropped.abs().sum(1)
    return forms._replace(error=error, symbols=forms.symbols.index_select(1, order[:n_symbols]))


class _Functional(NamedTuple):
    """A lower bound of the output as a function of a state s: covector s + constant - slack."""

    covector: Tensor  # (R, S)
    constant: Tensor  # (R,)
    slack: Tensor  # (R,), >= 0


def _lowest_value(tail: Tail, relaxations: list[Relaxation], cells: Cells) -> Tensor:
    """Bound side * output from below (R,) over the cells.

    Each backward step rounds the coefficients of the functional; the error is at most that rounding times the
    size of the state that the coefficients act on.
    """
    program, side = tail.program, cells.side
    terms = max(sum(block.affine.matrix.shape) for block in (*program.blocks, Block(program.head)))
    relative = gamma(program.dtype, 2 * terms + cells.state.maps.shape[1])
    least = _Functional(
        side[:, None] * program.head.weight[0],
        side * program.head.bias[0],
        relative * program.head.bias[0].abs().expand_as(side),
    )
    for block, relaxation in zip(reversed(program.blocks), reversed(relaxations), strict=True):
        least, through = _pull_through_output_map(least, block, relaxation, relative)
        least = _pull_through_relu(least, relaxation, relative)
        least = _pull(least, block.affine, relaxation.state_size, relative)
        if through is not None:
            least = least._replace(covector=least.covector + through)
    lowest, _ = _extremes(torch.bmm(cells.state.maps, least.covector[:, :, None]), cells.corners)
    size = relaxations[0].state_size if relaxations else size_of(cells.state, tail.reach)
    doubt = cells.state.error + spread(cells.state) + relative * size
    slack = least.slack + (least.covector.abs() * doubt).sum(1) + relative * least.constant.abs()
    return lowest[:, 0] + least.constant - slack


def _pull(least: _Functional, affine: Affine, size: Tensor, relative: float) -> _Functional:
    """Pull a functional back through an affine map, whose arguments are bounded by ``size`` (S,)."""
    weighed = least.covector.abs() @ (affine.matrix.abs() @ size + affine.bias.abs())
    return _Functional(
        least.covector @ affine.matrix,
        least.constant + least.covector @ affine.bias,
        least.slack + relative * weighed,
    )


def _pull_through_output_map(
    least: _Functional, block: Block, relaxation: Relaxation, relative: float
) -> tuple[_Functional, Tensor | None]:
    """Pull a functional back to relu(z), and to a covector (R, S) on the state if that is passed through."""
    if block.is_plain:
        return least, None
    size = relaxation.hidden_size
    if block.has_passthrough:
        size = torch.cat([size, relaxation.state_size])
    pulled = _pull(least, block.output_map(), size, relative)
    hidden, through = pulled.covector.tensor_split([block.n_neurons], dim=1)
    return pulled._replace(covector=hidden), through if block.has_passthrough else None


def _pull_through_relu(least: _Functional, relaxation: Relaxation, relative: float) -> _Functional:
    """Pull a functional back to z, by the upper bound of a ReLU where its coefficient is negative."""
    drop = (least.covector.clamp(max=0) * relaxation.rise).sum(1)
    slope = torch.where(least.covector < 0, relaxation.slope, relaxation.lower_slope)
    return _Functional(least.covector * slope, least.constant + drop, least.slack - relative * drop)
