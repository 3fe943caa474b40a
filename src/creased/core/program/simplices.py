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


def least_simplices(corners: Tensor, is_spanned: Tensor, n: int) -> Tensor:
    """The first (m,) of the simplices that hold faces.

    Args:
        corners: of a simplex that does, ascending, (m, D + 1, D) int64.
        is_spanned: which corners span the face, (m, D + 1) bool.
        n: cubes an axis.
    """
    dim = corners.shape[2]
    last = corners.masked_fill(~is_spanned[:, :, None], 0).amax(1)
    base = (last - 1).clamp(min=0)
    # An axis that more of the face's corners have stepped along comes earlier in the path.
    n_before = ((corners == base[:, None]) & is_spanned[:, :, None]).sum(1)
    axes = torch.argsort(n_before, dim=1, stable=True)
    cube, path = torch.zeros_like(axes[:, 0]), torch.zeros_like(axes[:, 0])
    for k in range(dim):
        cube = cube * n + base[:, k]
        path += (axes[:, k + 1 :] < axes[:, k : k + 1]).sum(1) * math.factorial(dim - 1 - k)
    return cube * n_paths(dim) + path


def corners_of(simplices: Tensor, dim: int, n: int) -> Tensor:
    """Grid coordinates (m, D + 1, D) int64 of the corners of simplices (m,) of a grid of n cubes an axis."""
    paths = kuhn_paths(dim, simplices.device)
    cube, path = simplices // paths.shape[0], simplices % paths.shape[0]
    base = torch.stack([cube // n**k % n for k in reversed(range(dim))], dim=1)
    return base[:, None] + paths[path]
