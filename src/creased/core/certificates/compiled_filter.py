"""Prove signs by compiled kernels, in two and three dimensions; what they leave, torch looks at again."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import WORD, rows_before
from creased.core.certificates.kernels.slopes import Limits, Vertices, find_proven, key
from creased.core.certificates.row_bounds import Bounds
from creased.core.certificates.sign_filter import HALF
from creased.core.numerics.tolerance import rounding_error
from creased.core.program.flat_program import lay_out, make_maps
from creased.core.program.kernels.composition import prepare
from creased.core.program.program import Program


def are_proven(program: Program, walls: Tensor, bounds: Bounds, points: Tensor, codes: CellCodes) -> Tensor:
    """True (n,) for vertices at points (n, D) of which all signs are proven.

    Args:
        program: on the CPU, in double precision.
        walls: (D + 1, M), the constant last.
        bounds: on the domain.
        points: in double precision.
        codes: of the vertices.
    """
    flat, proven = lay_out(program, walls), torch.empty(points.shape[0], dtype=torch.int64)
    cell = make_maps(flat, codes.words.shape[1])
    prepare(flat, cell)
    words, zeros = codes.words.contiguous(), codes.zero_ids.long()
    order = _order(program, walls.shape[1], words)
    vertices = Vertices(points.contiguous().numpy(), words.numpy(), zeros.numpy(), order)
    limits = Limits(
        rounding=bounds.rounding.contiguous().numpy(),
        slope=bounds.slope.contiguous().numpy(),
        slope_rounding=bounds.slope_rounding.contiguous().numpy(),
        unit=rounding_error(torch.float64, points.shape[1]),
        change=(bounds.slope + points.shape[1] * bounds.slope_rounding).contiguous().numpy(),
        half=HALF,
    )
    work = np.zeros((7, 3)), np.zeros(bounds.slope.shape[0], np.int64)
    find_proven(proven.numpy(), flat, cell, limits, vertices, work)
    return proven.bool()


def _order(program: Program, n_walls: int, words: Tensor) -> NDArray[np.int64]:
    """Order vertices with signs (n, W) by cells, and these by their signs in all blocks but the last ones."""
    widths, n_words, keys = program.widths, words.shape[1], np.empty(len(words), np.int64)
    before = rows_before(WORD * n_words, n_words, words.device)
    masks = before[[n_walls + sum(widths[:-2]), n_walls + sum(widths[:-1]), -1]]
    key(keys, words.numpy(), masks.numpy())
    return np.argsort(keys)
