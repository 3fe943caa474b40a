"""Programs made of programs: selected outputs, differences, maxima and minima, several side by side.

    max(a, b) = b + relu(a - b)        min(a, b) = a - relu(a - b)

Level sets of the results are constructive solid geometry: with shapes negative inside, `minimum` is the
union, `maximum` the intersection, `maximum(a, negative(b))` the difference. Of a classifier, the zero set of
`difference(program, i, j)` is where two classes tie, and that of `margin(program, i)` bounds the region of a
class. Everything is differentiable in the weights of the programs.

Differences of outputs are rounded; the unfolded form of a result (see `creased.core.program.program`) takes
them of the outputs themselves, which it holds as a state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Concatenate, ParamSpec

import torch
from torch import Tensor

from creased.core.program.kuhn_grid import KuhnGrid, joined_grid
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program

Options = ParamSpec("Options")


def _unfolding(
    change: Callable[Concatenate[Program, Options], Program],
) -> Callable[Concatenate[Program, Options], Program]:
    """Extend a change of the head of a program to its unfolded form."""

    @wraps(change)
    def changed(program: Program, /, *args: Options.args, **kwargs: Options.kwargs) -> Program:
        return program.in_both_forms(lambda form: change(form, *args, **kwargs))

    return changed


def _holding_outputs(
    change: Callable[Concatenate[Program, Options], Program],
) -> Callable[Concatenate[Program, Options], Program]:
    """Extend a change that rounds a head to the unfolded form, with its outputs as a state."""

    @wraps(change)
    def changed(program: Program, /, *args: Options.args, **kwargs: Options.kwargs) -> Program:
        held = _pad(program.exact, len(program.exact.blocks) + 1)
        return change(program, *args, **kwargs).with_unfolded(change(held, *args, **kwargs).exact)

    return changed


@_unfolding
def select(program: Program, outputs: int | Sequence[int]) -> Program:
    """Select outputs of a program, in the order given.

    Raises:
        ValueError: there is no such output.
    """
    chosen = [outputs] if isinstance(outputs, int) else list(outputs)
    if not chosen or not all(0 <= i < program.out_dim for i in chosen):
        raise ValueError(f"select: outputs must be among 0..{program.out_dim - 1}, got {outputs}")
    return replace(program, head=_rows(program.head, chosen))


@_unfolding
def negative(program: Program) -> Program:
    """Negate the outputs: inside and outside change places."""
    return replace(program, head=Affine(-program.head.weight, -program.head.bias))


def minus_level(program: Program, level: float) -> Program:
    """Subtract a level from the outputs: the level set becomes the zero set."""
    return program if level == 0 else _minus(program, level)


@_holding_outputs
def _minus(program: Program, level: float) -> Program:
    return replace(program, head=Affine(program.head.weight, program.head.bias - level))


@_holding_outputs
def difference(program: Program, i: int, j: int) -> Program:
    """Subtract output j from output i: zero where two classes tie."""
    first, second = select(program, i).head, select(program, j).head
    return replace(program, head=Affine(first.weight - second.weight, first.bias - second.bias))


def largest(program: Program) -> Program:
    """Take the largest of all outputs."""
    return _reduce(program, 0, sign=1)


def smallest(program: Program) -> Program:
    """Take the smallest of all outputs."""
    return _reduce(program, 0, sign=-1)


def margin(program: Program, i: int) -> Program:
    """Subtract the largest other output from output i: positive where class i is predicted.

    Raises:
        ValueError: there is no such output, or no other.
    """
    others = [j for j in range(program.out_dim) if j != i]
    if not others:
        raise ValueError("margin: needs two outputs or more, got 1")
    return difference(_reduce(select(program, [i, *others]), 1, sign=1), 0, 1)


def maximum(*programs: Program) -> Program:
    """Take the largest of several programs, output by output: the intersection of shapes negative inside.

    Raises:
        ValueError: the programs differ in inputs, outputs, dtype or device.
    """
    return _extreme("maximum", programs, sign=1)


def minimum(*programs: Program) -> Program:
    """Take the smallest of several programs, output by output: the union of shapes negative inside.

    Raises:
        ValueError: the programs differ in inputs, outputs, dtype or device.
    """
    return _extreme("minimum", programs, sign=-1)


def side_by_side(*programs: Program) -> Program:
    """Concatenate the outputs of programs of one input; blocks of one depth become one block.

    Raises:
        ValueError: there are none, or they differ in inputs, dtype or device.
    """
    _require_alike("side_by_side", programs, ("in_dim", "dtype", "device"))
    joined = _joined(programs)
    if all(program.unfolded is None for program in programs):
        return joined
    return joined.with_unfolded(_joined(_aligned(programs)))


def _joined(programs: Sequence[Program]) -> Program:
    """Join programs, block by block."""
    grid, shared = _share_grid(programs)
    depth = max(len(program.blocks) for program in programs)
    padded = [_pad(program, depth) for program in shared]
    blocks = [
        _join([program.blocks[level] for program in padded], has_one_state=level == 0)
        for level in range(depth)
    ]
    head = _join_affine([program.head for program in padded], has_one_state=depth == 0)
    return Program(tuple(blocks), head, grid)


def _aligned(programs: Sequence[Program]) -> list[Program]:
    """Pass states on in unfolded forms, so that neurons of one depth in the programs are of one depth."""
    left = [list(program.exact.blocks) for program in programs]
    aligned: list[list[Block]] = [[] for _ in programs]
    for level in range(max(len(program.blocks) for program in programs)):
        counts = [
            next(i + 1 for i, block in enumerate(blocks) if block.n_neurons)
            if level < len(program.blocks) and program.widths[level]
            else 0
            for program, blocks in zip(programs, left, strict=True)
        ]
        for program, blocks, done, n in zip(programs, left, aligned, counts, strict=True):
            following = blocks[0].affine if blocks else program.exact.head
            like = following.bias.new_empty(following.matrix.shape[1])
            done += [Block.without_neurons(_identity(like))] * (max(counts) - n)
            done += blocks[:n]
            del blocks[:n]
    return [
        replace(program.exact, blocks=(*done, *blocks))
        for program, done, blocks in zip(programs, aligned, left, strict=True)
    ]


def _share_grid(programs: Sequence[Program]) -> tuple[KuhnGrid | None, Sequence[Program]]:
    """Join the grids of programs, and let each program take its own features from the joint state."""
    grid = joined_grid([program.grid for program in programs if program.grid is not None])
    if grid is None or len(programs) == 1:
        return grid, programs
    if any(program.grid is not None and program.grid.section is not None for program in programs):
        raise ValueError("combine networks on a grid first, and slice what they make")
    shared, first = [], grid.dim
    for program in programs:
        n_own = 0 if program.grid is None else program.grid.width - grid.dim
        shared.append(_with_input(program, grid, slice(first, first + n_own)))
        first += n_own
    return grid, shared


def _with_input(program: Program, grid: KuhnGrid, own: slice) -> Program:
    """Give a program the state of a larger grid, of which it uses the point and its own features."""

    def spread(weight: Tensor) -> Tensor:
        wide = weight.new_zeros((weight.shape[0], grid.width))
        return torch.cat(
            [
                weight[:, : grid.dim],
                wide[:, grid.dim : own.start],
                weight[:, grid.dim :],
                wide[:, own.stop :],
            ],
            dim=1,
        )

    if not program.blocks:
        return Program((), replace(program.head, matrix=spread(program.head.weight)), grid)
    block = program.blocks[0]
    affine = replace(block.affine, matrix=spread(block.affine.weight))
    skip = spread(block.output_matrices()[1]) if block.has_passthrough else None
    block = replace(block, affine=affine, skip=skip)
    return Program((block, *program.blocks[1:]), program.head, grid)


def _extreme(name: str, programs: Sequence[Program], sign: int) -> Program:
    _require_alike(name, programs, ("out_dim",))
    return _reduce(side_by_side(*programs), 0, sign, group=programs[0].out_dim)


def _require_alike(name: str, programs: Sequence[Program], properties: Sequence[str]) -> None:
    if not programs:
        raise ValueError(f"{name}: needs a program or more, got none")
    for what in properties:
        found = {str(getattr(program, what)) for program in programs}
        if len(found) > 1:
            raise ValueError(f"{name}: programs must have one {what}, got {', '.join(sorted(found))}")


@_holding_outputs
def _reduce(program: Program, n_kept: int, sign: int, group: int = 1) -> Program:
    """Keep the first outputs and reduce groups of others to their extreme, pairwise, in log2 blocks."""
    while (half := (program.out_dim - n_kept) // (2 * group) * group) > 0:
        first = range(program.out_dim - 2 * half, program.out_dim - half)
        program = _pairwise(program, range(first.start), first, range(first.stop, program.out_dim), sign)
    return program


def _pairwise(
    program: Program, rest: Sequence[int], first: Sequence[int], second: Sequence[int], sign: int
) -> Program:
    """Append a block that keeps some outputs and takes the extremes of pairs of others."""
    others, one, other = (_rows(program.head, chosen) for chosen in (rest, first, second))
    affine = Affine(one.weight - other.weight, one.bias - other.bias)
    passed = _join_affine([others, other if sign > 0 else one], has_one_state=True)
    unit = torch.eye(len(first)).to(affine.bias)
    mix = torch.nn.functional.pad(sign * unit, (0, 0, len(rest), 0))
    block = Block(affine, mix, passed.weight, passed.bias)
    return replace(program, blocks=(*program.blocks, block), head=_identity(passed.bias))


def _rows(head: Affine, rows: Sequence[int]) -> Affine:
    return Affine(head.weight[list(rows)], head.bias[list(rows)])


def _identity(like: Tensor) -> Affine:
    n = like.shape[0]
    return Affine(torch.eye(n, dtype=like.dtype, device=like.device), torch.zeros_like(like))


def _pad(program: Program, depth: int) -> Program:
    """Append blocks without neurons that pass the outputs on, up to a depth."""
    while len(program.blocks) < depth:
        block = Block.without_neurons(program.head)
        program = replace(program, blocks=(*program.blocks, block), head=_identity(program.head.bias))
    return program


def _join(blocks: Sequence[Block], *, has_one_state: bool) -> Block:
    """Join blocks side by side, on one shared state or on concatenated states."""
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
