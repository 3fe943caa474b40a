"""Planes of the finest Kuhn grid: x_i = k and x_i - x_j = k, in units of its cubes.

They have ids below zero. A wall of the domain may be one of the first kind: it cuts no simplex then, and what
lies on it lies on facets of simplices.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import torch
from torch import Tensor

from creased.core.domains.domain import Rows
from creased.core.program.kuhn_grid import KuhnGrid


def plane_id(axes: Tensor | int, offset: Tensor, n: int) -> Tensor:
    """Ids (m,) < 0 of planes of a grid of n cubes: x_i = offset for axes i, x_i - x_j for D + i D + j."""
    return -1 - (axes * (2 * n + 1) + offset + n)


def plane_of(ids: Tensor, dim: int, n: int) -> tuple[Tensor, Tensor]:
    """Normals (..., D) and offsets (...) int64, in units of cubes, of planes given by ids (...) < 0."""
    axes, offset = (-1 - ids) // (2 * n + 1), (-1 - ids) % (2 * n + 1) - n
    return normals(dim, ids.device)[axes], offset


@cache
def normals(dim: int, device: torch.device) -> Tensor:
    """Normals (D + D^2, D) int64 of the planes of a grid, by ``axes`` of `plane_id`."""
    with torch.inference_mode(mode=False):
        eye = torch.eye(dim, dtype=torch.int64)
        return torch.cat([eye, (eye[:, None] - eye).flatten(0, 1)]).to(device)


def heights_over(ids: Tensor, corners: Tensor, n: int) -> Tensor:
    """Heights (m, k, z) int64 of corners (m, k, D) over planes (m, z) or (z,); 0 for other ids."""
    normals, offsets = plane_of(ids.clamp(max=-1), corners.shape[2], n)
    rises = (corners[:, :, None] * normals[..., None, :, :]).sum(
        -1
    )  # CUDA has no products of integer matrices
    heights = rises - offsets[..., None, :]
    return heights * (ids < 0)[..., None, :]


def walls_on_planes(grid: KuhnGrid, walls: Rows) -> Tensor:
    """Ids (M,) int64 of the planes x_i = k that walls (M, D + 1), the constant last, lie on; 0 of others."""
    n, half = grid.finest, Fraction(grid.half_width)
    found = torch.zeros(len(walls), dtype=torch.int64)
    for number, (*normal, constant) in enumerate(walls):
        axes = [axis for axis, a in enumerate(normal) if a]
        if len(axes) == 1:
            place = -Fraction(constant) / Fraction(normal[axes[0]])
            at = (place / half + 1) * Fraction(n, 2)
            if at.denominator == 1 and 0 <= at <= n:
                found[number] = plane_id(axes[0], torch.tensor(int(at)), n)
    return found


def cubes_within(grid: KuhnGrid, walls: Rows) -> Tensor:
    """Least and greatest coordinates (2, D) int64 of grid vertices within the walls that are planes."""
    n = grid.finest
    bounds = torch.tensor([[0] * grid.dim, [n] * grid.dim])
    for plane, (*normal, _) in zip(walls_on_planes(grid, walls), walls, strict=True):
        if plane < 0:
            axis = next(axis for axis, a in enumerate(normal) if a)
            _, at = plane_of(plane, grid.dim, n)
            side, extreme = (0, torch.maximum) if normal[axis] > 0 else (1, torch.minimum)
            bounds[side, axis] = extreme(bounds[side, axis], at)
    return bounds
