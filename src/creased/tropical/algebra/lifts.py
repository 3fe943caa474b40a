"""The tropical lift of a network: the two convex functions of which it is the difference, as one program.

Every state is kept as a pair (H, G) of convex functions with s = H - G. With W = W+ - W- an affine map makes
F' = W+ H + W- G + b and G' = W+ G + W- H of it, and a ReLU makes (max(F', G'), G') of those (Zhang, Naitzat,
Lim 2018, section 5). Since max(F', G') = G' + relu(F' - G') and F' - G' is the preactivation, this is a
program with the same neurons: the pair is the passthrough.

No weight is multiplied by another one: the lift is exact in any floating type.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.numerics.surroundings import as_written
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program
from creased.networks.as_program import of_networks


@of_networks
@as_written
def lift(program: Program) -> Program:
    """Build the program with outputs (F, G), each (O,), for which F - G is the given one's output.

    It has the same neurons in the same order, with the same signs everywhere; blocks with a passthrough
    become two, the second without neurons.
    """
    program.require_no_grid("lift")
    blocks: list[Block] = []
    is_input = True  # the first state is the position itself, with nothing to subtract
    for block in program.detach().blocks:
        blocks += _lift_block(block, is_input=is_input)
        is_input = False
    head = program.detach().head
    weight = _pair(head.weight, is_input=is_input)
    return Program(tuple(blocks), Affine(weight, torch.cat([head.bias, torch.zeros_like(head.bias)])))


def _lift_block(block: Block, *, is_input: bool) -> list[Block]:
    weight, bias = block.affine.weight, block.affine.bias
    difference = weight if is_input else torch.cat([weight, -weight], dim=1)
    affine = Affine(difference, bias)
    subtracted = _pair(weight, is_input=is_input)[len(bias) :]  # G' of the state
    eye = torch.eye(len(bias)).to(weight)
    mix = torch.cat([eye, torch.zeros_like(eye)])  # relu(z) is added to the first of the pair (G', G')
    skip = torch.cat([subtracted, subtracted])
    if block.is_plain:
        return [Block(affine, mix, skip)]
    if block.has_passthrough:  # the state is passed on behind the neurons' pair
        passed = torch.eye(skip.shape[1]).to(weight)
        mix = torch.cat([mix, mix.new_zeros((skip.shape[1], len(bias)))])
        skip = torch.cat([skip, passed])
    return [Block(affine, mix, skip), _lift_output_map(block, is_input=is_input)]


def _lift_output_map(block: Block, *, is_input: bool) -> Block:
    """Map the pairs of relu(z) and of the state to the pair of the next state."""
    weight, passed, shift = block.output_matrices()
    skip = _pair(weight, is_input=False)
    if block.has_passthrough:
        skip = torch.cat([skip, _pair(passed, is_input=is_input)], dim=1)
    n_out = weight.shape[0]
    nothing = Affine(weight.new_zeros((0, skip.shape[1])), weight.new_zeros(0))
    return Block(nothing, weight.new_zeros((2 * n_out, 0)), skip, torch.cat([shift, torch.zeros_like(shift)]))


def _pair(weight: Tensor, *, is_input: bool) -> Tensor:
    """Return [[W+, W-], [W-, W+]], or its left half where the subtracted part is zero."""
    plus, minus = weight.clamp(min=0), (-weight).clamp(min=0)
    left = torch.cat([plus, minus])
    return left if is_input else torch.cat([left, torch.cat([minus, plus])], dim=1)
