"""Programs of one input side by side: one program of all their outputs, of as many blocks as the deepest.

Blocks of one depth become one block. Grids are joined to one grid, of which each program uses its own
features. The unfolded form of the result holds those of the programs, states passed on so that neurons of one
depth in the programs are of one depth in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from creased.core.program.kuhn_grid import KuhnGrid, joined_grid
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program


def side_by_side(*programs: Program) -> Program:
    """Concatenate the outputs of programs of one input; blocks of one depth become one block.

    Raises:
        ValueError: there are none, or they differ in inputs, dtype or device.
    """
    require_alike("side_by_side", programs, ("in_dim", "dtype", "device"))
    joined = _joined(programs)
    if all(program.unfolded is None for program in programs):
        return joined
    return joined.with_unfolded(_joined(_aligned(programs)))


def _joined(programs: Sequence[Program]) -> Program:
    """Join programs, block by block."""
    grid, shared = _share_grid(programs)
    depth = max(len(program.blocks) for program in programs)
    padded = [pad(program, depth) for program in shared]
    blocks = [
        _join([program.blocks[level] for program in padded], has_one_state=level == 0)
        for level in range(depth)
    ]
    head = join_affine([program.head for program in padded], has_one_state=depth == 0)
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
            done += [Block.without_neurons(Affine.identity(like))] * (max(counts) - n)
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
        """Insert zeros into weights (n, D + features of the program), for the features of other programs."""
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


def require_alike(name: str, programs: Sequence[Program], properties: Sequence[str]) -> None:
    """Refuse programs that differ in a property; the message begins with the caller's name.

    Raises:
        ValueError: they differ, or there are none.
    """
    if not programs:
        raise ValueError(f"{name}: needs a program or more, got none")
    for what in properties:
        found = {str(getattr(program, what)) for program in programs}
        if len(found) > 1:
            raise ValueError(f"{name}: programs must have one {what}, got {', '.join(sorted(found))}")


def pad(program: Program, depth: int) -> Program:
    """Append blocks without neurons that pass the outputs on, up to a depth."""
    while len(program.blocks) < depth:
        block = Block.without_neurons(program.head)
        program = replace(program, blocks=(*program.blocks, block), head=Affine.identity(program.head.bias))
    return program


def _join(blocks: Sequence[Block], *, has_one_state: bool) -> Block:
    """Join blocks side by side, on one shared state or on concatenated states."""
    affine = join_affine([block.affine for block in blocks], has_one_state=has_one_state)
    if all(block.is_plain for block in blocks):
        return Block(affine)
    mixes, skips, shifts = zip(*(block.output_matrices() for block in blocks), strict=True)
    passed = join_affine(list(map(Affine, skips, shifts)), has_one_state=has_one_state)
    return Block(affine, torch.block_diag(*mixes), passed.weight, passed.bias)


def join_affine(maps: Sequence[Affine], *, has_one_state: bool) -> Affine:
    """Join affine maps side by side, on one shared state or on concatenated states."""
    weights = [affine.weight for affine in maps]
    weight = torch.cat(weights) if has_one_state else torch.block_diag(*weights)
    return Affine(weight, torch.cat([affine.bias for affine in maps]))
