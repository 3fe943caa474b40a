"""Prove signs by compiled kernels, in two and three dimensions; what they leave, torch looks at again."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.certificates.kernels.slopes import Limits, Vertices, find_proven
from creased.core.certificates.sign_filter import HALF, Bounds
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
    parts = (points, codes.words, codes.zero_ids.long())
    vertices = Vertices(*(part.contiguous().numpy() for part in parts))
    limits = Limits(
        rounding=bounds.rounding.contiguous().numpy(),
        slope=bounds.slope.contiguous().numpy(),
        slope_rounding=bounds.slope_rounding.contiguous().numpy(),
        unit=rounding_error(torch.float64, points.shape[1]),
        half=HALF,
    )
    find_proven(proven.numpy(), flat, cell, limits, vertices, np.zeros((7, 3)))
    return proven.bool()
