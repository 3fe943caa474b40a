"""Certified bounds of a piecewise-affine function over many convex cells at once.

Each cell is given by its vertices and by the affine map that the network's state is on it. Through the
blocks that follow, linear relaxations are propagated (Zhang et al. 2018, CROWN):

- forward, to find ranges of all preactivations: each is an affine function of the position plus or minus an
  error (a zonotope with its errors condensed). Positions being of low dimension, this costs D + 2 products
  with each weight matrix, however wide the network; the range of the affine part over a cell is attained at
  its vertices, so the first block's ranges are exact;
- then backward, one functional from the output down to the state, whose relaxations use those ranges, and
  whose minimum over the cell is again attained at a vertex.

Rounding: ranges are widened and the result is lowered by what the sums can have lost, by the standard a
priori bound from the same sums over absolute values (Higham 2002, section 3.1). What is not covered is the
error of the given vertices themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.program import Block, Program


class Relaxation(NamedTuple):
    """Linear bounds of a block's ReLUs on R cells: lower_slope z <= relu(z) <= slope z + rise."""

    slope: Tensor  # (R, N): 1 or 0 where a neuron is stable
    rise: Tensor  # (R, N), >= 0
    lower_slope: Tensor  # (R, N): 0 or 1


@dataclass(frozen=True)
class Tail:
    """The last blocks of a program, with what rounding can do in them; made by `prepare_tail`."""

    program: Program
    slacks: tuple[Tensor, ...]  # for each block (N,): how far a computed preactivation can be off
    output_slack: float  # the same for the output


def prepare_tail(program: Program, first_block: int, magnitude: Tensor) -> Tail:
    """The program from ``first_block`` on.

    Args:
        program: with one output.
        first_block: the block whose state the cells' maps give.
        magnitude: bound (D,) on the absolute coordinates of the domain.
    """
    eps = torch.finfo(program.dtype).eps
    n_roundings = 2 * sum(block.affine.weight.shape[1] + 8 for block in program.blocks)
    n_roundings += 2 * (program.head.weight.shape[1] + program.in_dim)
    state, slacks = magnitude, []
    for block in program.blocks:
        z = block.affine.weight.abs() @ state + block.affine.bias.abs()
        slacks.append(n_roundings * eps * z)
        state = _absolute(block).advance(state, z)
    output = program.head.weight[0].abs() @ state + program.head.bias[0].abs()
    return Tail(program.tail(first_block), tuple(slacks[first_block:]), n_roundings * eps * float(output))


def _absolute(block: Block) -> Block:
    """The block with the absolute values of its passthrough."""
    parts = (None if part is None else part.abs() for part in (block.mix, block.skip, block.shift))
    return Block(block.affine, *parts)


def excludes_zero(tail: Tail, maps: Tensor, corners: Tensor, side: Tensor) -> Tensor:
    """True (R,) where the output is proven to keep its sign on a cell.

    Args:
        tail: the blocks that follow.
        maps: the state on each cell as an affine function of the position: (R, D + 1, S), the constant last.
        corners: vertices (R, m, D + 1) of each cell, repeated to one number, with a 1 behind.
        side: the sign (R,), +1 or -1, that the output has at the vertices.
    """
    relaxations = _relax_forward(tail, maps, corners)
    return _lowest_value(tail, relaxations, maps, corners, side) > tail.output_slack


def _relax_forward(tail: Tail, maps: Tensor, corners: Tensor) -> list[Relaxation]:
    """Relaxations of every block of the tail, from ranges over the cells."""
    relaxations: list[Relaxation] = []
    error: Tensor | None = None  # of the state, (R, S); None: exact
    for block, slack in zip(tail.program.blocks, tail.slacks, strict=True):
        z = _apply(maps, block.affine.weight, block.affine.bias)
        low, high = _range_over_cells(z, corners)
        z_error = slack if error is None else error @ block.affine.weight.abs().T + slack
        relaxation = _relax(low - z_error, high + z_error)
        relaxations.append(relaxation)
        if len(relaxations) == len(tail.slacks):
            break
        half_rise = relaxation.rise / 2
        hidden = z.mul_(relaxation.slope[:, None])
        hidden[:, -1] += half_rise
        maps, error = _advance(block, maps, error, hidden, relaxation.slope * z_error + half_rise)
    return relaxations


def _apply(maps: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Affine maps (R, D + 1, S) followed by another: (R, D + 1, S')."""
    out = maps @ weight.T
    if bias is not None:
        out[:, -1] += bias
    return out


def _advance(
    block: Block, maps: Tensor, error: Tensor | None, hidden: Tensor, hidden_error: Tensor
) -> tuple[Tensor, Tensor]:
    """The next state's maps and errors, from those of the state and of relu(z)."""
    if block.mix is not None:
        hidden, hidden_error = _apply(hidden, block.mix, None), hidden_error @ block.mix.abs().T
    if block.skip is not None:
        hidden = hidden + _apply(maps, block.skip, None)
        hidden_error = hidden_error if error is None else hidden_error + error @ block.skip.abs().T
    if block.shift is not None:
        hidden[:, -1] += block.shift
    return hidden, hidden_error


def advance_maps(block: Block, maps: Tensor, masks: Tensor) -> Tensor:
    """Maps (R, D + 1, S') of the next state on cells with activation patterns masks (R, N)."""
    hidden = _apply(maps, block.affine.weight, block.affine.bias).mul_(masks[:, None])
    return _advance(block, maps, None, hidden, masks)[0]


def _range_over_cells(maps: Tensor, corners: Tensor) -> tuple[Tensor, Tensor]:
    """Least and greatest values (R, N) of affine functions (R, D + 1, N) at the corners (R, m, D + 1)."""
    values = torch.bmm(corners, maps)
    return values.amin(1), values.amax(1)


def _relax(low: Tensor, high: Tensor) -> Relaxation:
    """The triangle of each ReLU with range [low, high]: its chord above, and below the better of 0 and z."""
    below, above = low.clamp(max=0), high.clamp(min=0)
    width = above - below
    slope = torch.where(width > 0, above / width, torch.zeros_like(width))
    return Relaxation(slope, -slope * below, (above > -below).to(low.dtype))


def _lowest_value(
    tail: Tail, relaxations: list[Relaxation], maps: Tensor, corners: Tensor, side: Tensor
) -> Tensor:
    """Lower bounds (R,) of side * output over the cells."""
    head = tail.program.head
    covector, constant = side[:, None] * head.weight[0], side * head.bias[0]
    for block, relaxation in zip(reversed(tail.program.blocks), reversed(relaxations), strict=True):
        if block.shift is not None:
            constant = constant + covector @ block.shift
        hidden = covector if block.mix is None else covector @ block.mix
        is_raised = hidden < 0  # there the lower bound of the product needs the upper bound of the ReLU
        constant = constant + (hidden.clamp(max=0) * relaxation.rise).sum(1)
        hidden = hidden * torch.where(is_raised, relaxation.slope, relaxation.lower_slope)
        constant = constant + hidden @ block.affine.bias
        pulled = hidden @ block.affine.weight
        covector = pulled if block.skip is None else pulled + covector @ block.skip
    functional = torch.bmm(maps, covector[:, :, None])  # (R, D + 1, 1)
    return torch.bmm(corners, functional)[:, :, 0].amin(1) + constant
