"""Simplices of the finest Kuhn grid: their numbers and corners.

Simplex ``cube * D! + path`` is the one of a cube that its path of axes names; cubes are numbered as rows of a
dense table are. Corners ascend in each simplex, so that simplices agree on the direction of an edge that they
share.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.program.kuhn_grid import KuhnGrid, kuhn_paths, vertex_numbers


class Vertices(NamedTuple):
    """Vertices of a grid, each once."""

    corners: Tensor  # (U, D) int64: grid coordinates
    place: Tensor  # (...) int64: which of them the given ones were


def n_paths(dim: int) -> int:
    """Count the simplices of a cube, D!."""
    return math.factorial(dim)


def least_simplices(corners: Tensor, is_spanned: Tensor, lower: Tensor, n: int) -> Tensor:
    """The first (m,) of the simplices that hold faces.

    Args:
        corners: of a simplex that does, ascending, (m, D + 1, D) int64.
        is_spanned: which corners span the face, (m, D + 1) bool.
        lower: least coordinates (D,) int64 of a cube.
        n: cubes an axis.
    """
    last = corners.masked_fill(~is_spanned[:, :, None], 0).amax(1)
    base = torch.maximum(last - 1, lower)
    # An axis that more of the face's corners have stepped along comes earlier in the path.
    n_before = ((corners == base[:, None]) & is_spanned[:, :, None]).sum(1)
    return _number(base, torch.argsort(n_before, dim=1, stable=True), n)


def _number(base: Tensor, axes: Tensor, n: int) -> Tensor:
    """Number simplices (m,) by lowest corners (m, D) of cubes and axes (m, D) of paths."""
    dim, cube, path = axes.shape[1], torch.zeros_like(axes[:, 0]), torch.zeros_like(axes[:, 0])
    for k in range(dim):
        cube = cube * n + base[:, k]
        path += (axes[:, k + 1 :] < axes[:, k : k + 1]).sum(1) * math.factorial(dim - 1 - k)
    return cube * n_paths(dim) + path


def simplices_at(grid: KuhnGrid, points: Tensor) -> Tensor:
    """Return a simplex (n,) int64 of the finest grid that holds each of points (n, D) of its cube.

    Points may be those (n, k) of the grid's section.
    """
    places = points if grid.section is None else grid.section.lift(points)
    unit = (places / grid.half_width + 1) * (grid.finest / 2)
    base = unit.floor().clamp(0, grid.finest - 1).long()
    axes = torch.argsort(unit - base, dim=1, descending=True, stable=True)
    return _number(base, axes, grid.finest)


def corners_of(simplices: Tensor, dim: int, n: int) -> Tensor:
    """Grid coordinates (m, D + 1, D) int64 of the corners of simplices (m,) of a grid of n cubes an axis."""
    paths = kuhn_paths(dim, simplices.device)
    return cubes_of(simplices, dim, n)[:, None] + paths.index_select(0, simplices % len(paths))


def cubes_of(simplices: Tensor, dim: int, n: int) -> Tensor:
    """Grid coordinates (m, D) int64 of the lowest corners of the cubes of simplices (m,)."""
    left = simplices // n_paths(dim)
    base = torch.empty((len(left), dim), dtype=left.dtype, device=left.device)
    for axis in reversed(range(1, dim)):
        above = left // n
        base[:, axis] = left - above * n
        left = above
    base[:, 0] = left
    return base


def distinct_vertices(corners: Tensor, n: int) -> Vertices:
    """List vertices (..., D) int64 of a grid of n cubes an axis once each, in the order of their numbers."""
    numbers = vertex_numbers(corners, n)
    least, most = torch.stack(numbers.aminmax()).tolist() if numbers.numel() else (0, -1)
    used, place = distinct_numbers(numbers - least, most - least + 1)
    used += least
    at = torch.stack([used // (n + 1) ** k % (n + 1) for k in reversed(range(corners.shape[-1]))], dim=1)
    return Vertices(at, place)


def distinct_numbers(numbers: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """List numbers (...) int64 below n once each, ascending; with the place (...) of each in the list.

    By a table of n, as numbers of vertices close to each other are: several times faster than sorting.
    """
    is_used = torch.zeros(n, dtype=torch.bool, device=numbers.device)
    used = is_used.index_fill_(0, numbers.flatten(), value=True).nonzero()[:, 0]
    place = torch.empty(n, dtype=torch.int64, device=numbers.device)
    place[used] = torch.arange(len(used), device=used.device)
    return used, place[numbers]


def children_of(simplices: Tensor, dim: int, n: int, ratio: int) -> Tensor:
    """Simplices (m ratio^D,) of a grid of n ratio cubes an axis that fill those (m,) of a grid of n."""
    cubes, paths = _children(dim, ratio, simplices.device)
    cube, path = simplices // n_paths(dim), simplices % n_paths(dim)
    number = torch.zeros_like(paths[path])
    for k, inner in zip(reversed(range(dim)), cubes[path].unbind(2), strict=True):
        number = number * (n * ratio) + (cube // n**k % n * ratio)[:, None] + inner
    return (number * n_paths(dim) + paths[path]).flatten()


@cache
def _children(dim: int, ratio: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cubes (D!, ratio^D, D) and paths (D!, ratio^D) of the simplices that fill those of the unit cube."""
    cubes = torch.cartesian_prod(*[torch.arange(ratio)] * dim).reshape(-1, 1, dim)
    middle = cubes + kuhn_paths(dim, torch.device("cpu")).double().mean(1)  # (ratio^D, D!, D)
    axes = middle.argsort(dim=2, descending=True)  # the path of the simplex that holds the middle
    parent = torch.zeros_like(axes[..., 0])
    for k in range(dim):
        parent += (axes[..., k + 1 :] < axes[..., k : k + 1]).sum(2) * math.factorial(dim - 1 - k)
    order = parent.flatten().argsort(stable=True).reshape(n_paths(dim), -1)
    return cubes[order // n_paths(dim), 0].to(device), (order % n_paths(dim)).to(device)
