"""Programs made of programs: chosen outputs, differences, maxima and minima, several side by side.

    max(a, b) = b + relu(a - b)        min(a, b) = a - relu(a - b)

The level sets of what comes out are the usual constructions: with shapes negative inside, `minimum` is the
union, `maximum` the intersection, and `maximum(a, negative(b))` is a without b; of a classifier, the zero set
of `difference(program, i, j)` is where two classes are even, that of `margin(program, i)` bounds the region
of a class. Everything is differentiable in the weights of the programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from creased.core.program.program import Affine, Block, Program


def select(program: Program, outputs: int | Sequence[int]) -> Program:
    """Some outputs of a program, in the order given.

    Raises:
        ValueError: there is no such output.
    """
    chosen = [outputs] if isinstance(outputs, int) else list(outputs)
    if not chosen or not all(0 <= i < program.out_dim for i in chosen):
        raise ValueError(f"select: outputs must be among 0..{program.out_dim - 1}, got {outputs}")
    return replace(program, head=_rows(program.head, chosen))


def negative(program: Program) -> Program:
    """Minus the outputs: the outside becomes the inside."""
    return replace(program, head=Affine(-program.head.weight, -program.head.bias))


def minus_level(program: Program, level: float) -> Program:
    """The outputs less a level: the level set becomes the zero set."""
    return replace(program, head=Affine(program.head.weight, program.head.bias - level))


def difference(program: Program, i: int, j: int) -> Program:
    """Output i minus output j: zero where two classes are even."""
    first, second = select(program, i).head, select(program, j).head
    return replace(program, head=Affine(first.weight - second.weight, first.bias - second.bias))


def largest(program: Program) -> Program:
    """The largest of all outputs."""
    return _play_off(program, 0, sign=1)


def smallest(program: Program) -> Program:
    """The smallest of all outputs."""
    return _play_off(program, 0, sign=-1)


def margin(program: Program, i: int) -> Program:
    """Output i minus the largest of the others: positive where class i is predicted, zero on the boundary.

    Raises:
        ValueError: there is no such output, or no other.
    """
    others = [j for j in range(program.out_dim) if j != i]
    if not others:
        raise ValueError("margin: needs two outputs or more, got 1")
    return difference(_play_off(select(program, [i, *others]), 1, sign=1), 0, 1)


def maximum(*programs: Program) -> Program:
    """The largest of several programs, output by output: of shapes that are negative inside, what they share.

    Raises:
        ValueError: the programs have other inputs, outputs, types or devices than each other.
    """
    return _extreme("maximum", programs, sign=1)


def minimum(*programs: Program) -> Program:
    """The smallest of several programs, output by output: of shapes that are negative inside, the union.

    Raises:
        ValueError: the programs have other inputs, outputs, types or devices than each other.
    """
    return _extreme("minimum", programs, sign=-1)


def side_by_side(*programs: Program) -> Program:
    """The outputs of all programs, one after the other, at one input; blocks of one depth become one.

    Raises:
        ValueError: there are none, or they have other inputs, types or devices than each other.
    """
    _require_alike("side_by_side", programs, ("in_dim", "dtype", "device"))
    depth = max(len(program.blocks) for program in programs)
    padded = [_pad(program, depth) for program in programs]
    blocks = [
        _join([program.blocks[level] for program in padded], has_one_state=level == 0)
        for level in range(depth)
    ]
    return Program(
        tuple(blocks), _join_affine([program.head for program in padded], has_one_state=depth == 0)
    )


def _extreme(name: str, programs: Sequence[Program], sign: int) -> Program:
    _require_alike(name, programs, ("out_dim",))
    n_outputs, joined = programs[0].out_dim, side_by_side(*programs)
    while joined.out_dim > n_outputs:
        half = joined.out_dim // n_outputs // 2 * n_outputs
        first = range(joined.out_dim - 2 * half, joined.out_dim - half)
        joined = _play(joined, range(first.start), first, range(first.stop, joined.out_dim), sign)
    return joined


def _require_alike(name: str, programs: Sequence[Program], properties: Sequence[str]) -> None:
    if not programs:
        raise ValueError(f"{name}: needs a program or more, got none")
    for what in properties:
        found = {str(getattr(program, what)) for program in programs}
        if len(found) > 1:
            raise ValueError(f"{name}: programs must have one {what}, got {', '.join(sorted(found))}")


def _play_off(program: Program, n_kept: int, sign: int) -> Program:
    """The first outputs as they are, then the best of all others, in as few blocks as can be."""
    while (n_pairs := (program.out_dim - n_kept) // 2) > 0:
        first = range(program.out_dim - 2 * n_pairs, program.out_dim - n_pairs)
        program = _play(program, range(first.start), first, range(first.stop, program.out_dim), sign)
    return program


def _play(
    program: Program, rest: Sequence[int], first: Sequence[int], second: Sequence[int], sign: int
) -> Program:
    """Some outputs as they are, then the better of pairs of others: one more block."""
    others, one, other = (_rows(program.head, chosen) for chosen in (rest, first, second))
    affine = Affine(one.weight - other.weight, one.bias - other.bias)
    passed = _join_affine([others, other if sign > 0 else one], has_one_state=True)
    unit = torch.eye(len(first)).to(affine.bias)
    mix = torch.nn.functional.pad(sign * unit, (0, 0, len(rest), 0))
    return Program((*program.blocks, Block(affine, mix, passed.weight, passed.bias)), _identity(passed.bias))


def _rows(head: Affine, rows: Sequence[int]) -> Affine:
    return Affine(head.weight[list(rows)], head.bias[list(rows)])


def _identity(like: Tensor) -> Affine:
    n = like.shape[0]
    return Affine(torch.eye(n, dtype=like.dtype, device=like.device), torch.zeros_like(like))


def _pad(program: Program, depth: int) -> Program:
    """The same program with more blocks, which have no neurons and pass its outputs on."""
    while len(program.blocks) < depth:
        head = program.head
        nothing = Affine(head.weight.new_zeros((0, head.weight.shape[1])), head.bias.new_zeros(0))
        block = Block(nothing, head.weight.new_zeros((program.out_dim, 0)), head.weight, head.bias)
        program = Program((*program.blocks, block), _identity(head.bias))
    return program


def _join(blocks: Sequence[Block], *, has_one_state: bool) -> Block:
    """Blocks side by side, on states that are the same one, or stand one after the other."""
    affine = _join_affine([block.affine for block in blocks], has_one_state=has_one_state)
    if all(block.is_plain for block in blocks):
        return Block(affine)
    mixes, skips, shifts = zip(*(block.output_matrices() for block in blocks), strict=True)
    passed = _join_affine(list(map(Affine, skips, shifts)), has_one_state=has_one_state)
    return Block(affine, torch.block_diag(*mixes), passed.weight, passed.bias)


def _join_affine(maps: Sequence[Affine], *, has_one_state: bool) -> Affine:
    weights = [affine.weight for affine in maps]
    weight = torch.cat(weights) if has_one_state else torch.block_diag(*weights)
    return Affine(weight, torch.cat([affine.bias for affine in maps]))
