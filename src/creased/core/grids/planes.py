"""Planes of the finest Kuhn grid: x_i = k and x_i - x_j = k, in units of its cubes.

They have ids below zero. A wall of the domain may be one of the first kind, or its section. Then it cuts no
simplex, and what lies on it lies on facets of simplices.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.domains.domain import Rows
from creased.core.numerics.tolerance import get_epsilon
from creased.core.program.kuhn_grid import KuhnGrid


def plane_id(axes: Tensor | int, offset: Tensor, n: int) -> Tensor:
    """Ids (m,) < 0 of planes of a grid of n cubes: x_i = offset for axes i, x_i - x_j for D + i D + j."""
    return -1 - (axes * (2 * n + 1) + offset + n)


def least_plane(dim: int, n: int) -> int:
    """Return the least id of a plane of a grid of n cubes an axis."""
    return -(dim + dim**2) * (2 * n + 1)


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


class OnPlanes(NamedTuple):
    """Which walls are planes x_i = k."""

    ids: Tensor  # (M,) int64: of the planes; 0 of other walls
    sides: Tensor  # (M,) int64: 1 where x_i >= k is inside of the wall, -1 where x_i <= k is

    def to(self, device: torch.device) -> OnPlanes:
        """Move to another device."""
        return OnPlanes(*(column.to(device) for column in self))


def walls_on_planes(grid: KuhnGrid, walls: Rows) -> OnPlanes:
    """Find the planes of a grid, or of its section, that walls (M, k + 1) lie on, the constant last."""
    found = [_plane_of_wall(grid, wall) or (0, 0) for wall in walls]
    return OnPlanes(*torch.tensor(found, dtype=torch.int64).reshape(-1, 2).T)


def _plane_of_wall(grid: KuhnGrid, wall: Sequence[float]) -> tuple[int, int] | None:
    """The plane of a wall and its side. In a section walls are rounded, and planes nearby are theirs."""
    *normal, constant = map(Fraction, wall)
    n, half, slack = grid.finest, Fraction(grid.half_width), 0.0
    origin = [Fraction(0)] * grid.dim
    slopes = [[Fraction(int(i == k)) for k in range(grid.dim)] for i in range(grid.dim)]  # of each axis
    if grid.section is not None:
        slack = n * get_epsilon(torch.float64)
        origin = [Fraction(x) for x in grid.section.origin.tolist()]
        slopes = [[Fraction(x) for x in row] for row in grid.section.basis.tolist()]
    for axis, slope in enumerate(slopes):
        if factor := _factor(normal, slope):
            at = ((origin[axis] - constant / factor) / half + 1) * Fraction(n, 2)
            if abs(at - round(at)) <= slack and 0 <= round(at) <= n:
                return int(plane_id(axis, torch.tensor(round(at)), n)), 1 if factor > 0 else -1
    return None


def _factor(vector: Sequence[Fraction], other: Sequence[Fraction]) -> Fraction:
    """By what another vector has to be multiplied to give a vector; 0 where nothing does."""
    factors = {a / b if b else None for a, b in zip(vector, other, strict=True) if a or b}
    return factors.pop() or Fraction(0) if len(factors) == 1 else Fraction(0)


def cubes_within(grid: KuhnGrid, walls: Rows) -> Tensor:
    """Least and greatest coordinates (2, D) int64 of grid vertices within the walls that are planes."""
    n, dim = grid.finest, grid.dim
    bounds = torch.tensor([[0] * dim, [n] * dim])
    for plane, side in zip(*(column.tolist() for column in walls_on_planes(grid, walls)), strict=True):
        if side:
            normal, at = plane_of(torch.tensor(plane), dim, n)
            end, extreme = (0, torch.maximum) if side > 0 else (1, torch.minimum)
            axis = int(normal.argmax())
            bounds[end, axis] = extreme(bounds[end, axis], at)
    return bounds
