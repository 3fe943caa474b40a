"""Lay out a program flat, for compiled kernels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from creased.core.numerics.sparse import dense
from creased.core.program.kernels import records
from creased.core.program.layers import Block
from creased.core.program.program import Program


def lay_out(program: Program, walls: Tensor) -> records.FlatProgram:
    """Lay out a program of at most three inputs, without a grid, and walls (D + 1, n_walls)."""
    n_rows = walls.shape[1] + program.n_neurons + program.out_dim
    numbers: list[Tensor] = []
    blocks: list[records.Block] = []
    previous, neurons, free = None, walls.shape[1], n_rows

    def put(values: Tensor | None) -> int:
        if values is None:
            return -1
        values = dense(values)
        numbers.append((values.T if values.dim() == 2 else values).reshape(-1))
        return sum(part.shape[0] for part in numbers[:-1])

    for block in (*program.blocks, Block(program.head)):
        n_neurons, n_state = block.affine.matrix.shape
        is_relu = previous is not None and previous.is_plain and not block.has_passthrough
        state = neurons - n_state if is_relu else free
        free += 0 if is_relu else n_state
        weight, bias, mix, skip, shift = map(
            put, (block.affine.matrix, block.affine.bias, block.mix, block.skip, block.shift)
        )
        blocks.append(records.Block(n_state, n_neurons, weight, bias, mix, skip, shift, neurons, state))
        previous, neurons = block, neurons + n_neurons
    planes = walls.new_zeros((4, walls.shape[1]))
    planes[: program.in_dim], planes[3] = walls[:-1], walls[-1]
    return records.FlatProgram(torch.cat(numbers).numpy(), np.array(blocks), planes.numpy())


def make_maps(program: records.FlatProgram, n_words: int) -> records.Maps:
    """Make room for the maps of a cell with words (n_words,); see `composition.prepare`."""
    last, ends = program.blocks[-1], program.blocks[:, records.STATE] + program.blocks[:, records.N_STATE]
    n_rows = last[records.NEURONS] + last[records.N_NEURONS]
    widest = program.blocks[:, [records.N_STATE, records.N_NEURONS]].max()
    return records.Maps(
        words=np.zeros(n_words, np.int64),
        maps=np.zeros((4, max(n_rows, ends.max()))),
        ages=np.zeros(program.blocks.shape[0], np.int64),
        active=np.zeros(max(widest, 3), np.int64),
    )
