"""Programs made of programs: selected outputs, differences, maxima and minima.

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

from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program
from creased.core.program.side_by_side import join_affine, pad, require_alike, side_by_side

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
        held = pad(program.exact, len(program.exact.blocks) + 1)
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


def _extreme(name: str, programs: Sequence[Program], sign: int) -> Program:
    require_alike(name, programs, ("out_dim",))
    return _reduce(side_by_side(*programs), 0, sign, group=programs[0].out_dim)


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
    passed = join_affine([others, other if sign > 0 else one], has_one_state=True)
    unit = torch.eye(len(first)).to(affine.bias)
    mix = torch.nn.functional.pad(sign * unit, (0, 0, len(rest), 0))
    block = Block(affine, mix, passed.weight, passed.bias)
    return replace(program, blocks=(*program.blocks, block), head=Affine.identity(passed.bias))


def _rows(head: Affine, rows: Sequence[int]) -> Affine:
    return Affine(head.weight[list(rows)], head.bias[list(rows)])
