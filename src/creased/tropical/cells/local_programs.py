"""A program on a small ball, without the neurons that are proven to keep their sign on it.

Around a point most neurons are stable. Bounds prove it for many points at once: each state is known as an
affine function of the position plus an error, each ReLU that may bend lies between two parallel lines (Singh
et al. 2018, "zonotopes", with the errors as intervals), and everything is rounded outward. What is left is
written as a program of its own: the state is an affine function of the position and of the few ReLUs that
may bend. Bounds are sound and not complete: a neuron that is kept need not bend.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.numerics.tolerance import rounding_error
from creased.core.program.program import Affine, Block, Program


class Balls(NamedTuple):
    """Cross-polytopes {origin + basis t: |t|_1 <= radius}."""

    origins: Tensor  # (P, n) float64
    bases: Tensor  # (P, n, d) float64
    radius: float


class _Forms(NamedTuple):
    """States maps t + constants, up to an error."""

    maps: Tensor  # (P, S, d)
    constants: Tensor  # (P, S)
    errors: Tensor  # (P, S), >= 0


def proven_signs(program: Program, balls: Balls) -> Tensor:
    """Signs (P, n_neurons) int8 that neurons are proven to have on all of a ball; 0 where none is."""
    state = _Forms(balls.bases, balls.origins, torch.zeros_like(balls.origins))
    signs = []
    for block in program.blocks:
        z = _apply(block.affine, state, balls.radius)
        reach = balls.radius * z.maps.abs().amax(2) + z.errors
        low, high = z.constants - reach, z.constants + reach
        signs.append((low > 0).to(torch.int8) - (high < 0).to(torch.int8))
        hidden = _bend(z, low, high)
        if block.mix is not None:
            hidden = _apply(Affine(block.mix, block.mix.new_zeros(len(block.mix))), hidden, balls.radius)
        if block.skip is not None:
            passed = _apply(Affine(block.skip, block.skip.new_zeros(len(block.skip))), state, balls.radius)
            hidden = _Forms(*(a + b for a, b in zip(hidden, passed, strict=True)))
        if block.shift is not None:
            hidden = hidden._replace(constants=hidden.constants + block.shift)
        state = hidden
    return torch.cat(signs, dim=1) if signs else torch.zeros((len(balls.origins), 0), dtype=torch.int8)


def _apply(affine: Affine, state: _Forms, radius: float) -> _Forms:
    """An affine map of forms; what rounding can have lost is added to the errors."""
    weight = affine.weight
    size = state.constants.abs() + radius * state.maps.abs().amax(2) + state.errors
    lost = rounding_error(weight.dtype, weight.shape[1] + 1)
    return _Forms(
        weight @ state.maps,
        affine(state.constants),
        state.errors @ weight.abs().T + lost * (size @ weight.abs().T + affine.bias.abs()),
    )


def _bend(z: _Forms, low: Tensor, high: Tensor) -> _Forms:
    """relu(z), between its chord over [low, high] and the parallel to it through 0."""
    above, below = high.clamp(min=0), low.clamp(max=0)
    slope = above / (above - below).clamp(min=torch.finfo(z.maps.dtype).tiny)
    half_rise = -slope * below / 2
    constants = slope * z.constants + half_rise
    lost = rounding_error(z.maps.dtype, 2) * (above + half_rise)
    return _Forms(slope[..., None] * z.maps, constants, slope * z.errors + half_rise + lost)


def program_on(program: Program, origin: Tensor, basis: Tensor, signs: Tensor) -> Program:
    """A program of t in a ball, equal to ``program`` at origin + basis t, with the neurons of sign 0 alone.

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
    """From a state u to (relu(z), u)."""
    n_bent, n_state = z.weight.shape
    eye = torch.eye(n_bent + n_state).to(z.weight)
    return Block(z, mix=eye[:, :n_bent], skip=eye[:, n_bent:])
