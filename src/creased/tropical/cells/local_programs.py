"""A program on a small ball, without the neurons that are proven to keep their sign on it.

Around a point most neurons are stable. Affine arithmetic (`creased.core.program.bounds`) proves it for many
points at once. What is left is written as a program of its own: the state is an affine function of the
position and of the few ReLUs that may bend. Bounds are sound and not complete: a neuron that is kept need not
bend.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.program.affine_arithmetic import AffineForms
from creased.core.program.bounds import Cells, Tail, preactivation_ranges
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program


class Balls(NamedTuple):
    """Cross-polytopes {origin + basis t: |t|_1 <= radius}."""

    origins: Tensor  # (P, n) float64
    bases: Tensor  # (P, n, d) float64
    radius: float


def proven_signs(program: Program, balls: Balls) -> Tensor:
    """Prove signs (P, n_neurons) int8 that neurons have on all of a ball; 0 where none is proven."""
    n_balls, _, dim = balls.bases.shape
    if not program.blocks or not n_balls:
        return torch.zeros((n_balls, program.n_neurons), dtype=torch.int8)
    arms = balls.radius * torch.eye(dim).to(balls.bases)
    corners = torch.nn.functional.pad(torch.cat([arms, -arms]), (0, 1), value=1.0)
    maps = torch.cat([balls.bases.mT, balls.origins[:, None]], dim=1)
    forms = AffineForms(maps, torch.zeros_like(balls.origins), maps[:, :0])
    cells = Cells(corners.expand(n_balls, -1, -1), forms, maps.new_ones(n_balls))
    ranges = preactivation_ranges(Tail(program, corners.abs().amax(0)), cells)
    return torch.cat([(low > 0).to(torch.int8) - (high < 0).to(torch.int8) for low, high in ranges], dim=1)


def program_on(program: Program, origin: Tensor, basis: Tensor, signs: Tensor) -> Program:
    """Build the program of t that equals ``program`` at origin + basis t, with its neurons of sign 0 only.

    Args:
        program: of n inputs, float64.
        origin: (n,).
        basis: (n, d).
        signs: (n_neurons,) int8, proven on the ball; blocks without a 0 are folded.
    """
    lift = Affine(basis, origin)  # from the small state to the program's
    blocks: list[Block] = []
    for block, known in zip(program.blocks, signs.split(program.widths), strict=True):
        z = Affine(block.affine.weight @ lift.weight, block.affine(lift.bias))
        is_bent, is_on = known == 0, (known > 0).to(basis.dtype)
        mix, skip, _ = block.output_matrices()
        weight, bias = (mix * is_on) @ z.weight, block.advance(lift.bias, is_on * z.bias)
        if block.has_passthrough:
            weight = weight + skip @ lift.weight
        if bool(is_bent.any()):
            blocks.append(_bending_block(Affine(z.weight[is_bent], z.bias[is_bent])))
            weight = torch.cat([mix[:, is_bent], weight], dim=1)
        lift = Affine(weight, bias)
    head = Affine(program.head.weight @ lift.weight, program.head(lift.bias))
    return Program(tuple(blocks), head)


def _bending_block(z: Affine) -> Block:
    """Build the block that maps a state u to (relu(z), u)."""
    n_bent, n_state = z.weight.shape
    eye = torch.eye(n_bent + n_state).to(z.weight)
    return Block(z, mix=eye[:, :n_bent], skip=eye[:, n_bent:])
