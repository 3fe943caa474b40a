"""Simplices of the finest Kuhn grid: their numbers and corners.

Simplex ``cube * D! + path`` is the one of a cube that its path of axes names; cubes are numbered as rows of a
dense table are. Corners ascend in each simplex, so that simplices agree on the direction of an edge that they
share.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from creased.core.program.kuhn_grid import kuhn_paths


def n_paths(dim: int) -> int:
    """Count the simplices of a cube, D!."""
    return math.factorial(dim)


def corners_of(simplices: Tensor, dim: int, n: int) -> Tensor:
    """Grid coordinates (m, D + 1, D) int64 of the corners of simplices (m,) of a grid of n cubes an axis."""
    paths = kuhn_paths(dim, simplices.device)
    cube, path = simplices // paths.shape[0], simplices % paths.shape[0]
    base = torch.stack([cube // n**k % n for k in reversed(range(dim))], dim=1)
    return base[:, None] + paths[path]
