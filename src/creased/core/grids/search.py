"""Rule out simplices that miss the level, by bounds from the values at grid vertices; the others remain.

The grid is gone through in slabs of cubes. Each vertex is evaluated once; cubes are ruled out by the range of
their vertices, then simplices of the cubes that are left, by the range of their own corners.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.grids.deviation import Ranges, output_bounds
from creased.core.numerics.memory import working_bytes
from creased.core.program.kuhn_grid import vertex_numbers
from creased.core.program.program import Program
from creased.core.program.simplices import corners_of, n_paths

SHARE = 4  # of the working memory that the values of a slab take


class Candidates(NamedTuple):
    """Simplices that bounds do not rule out."""

    simplices: Tensor  # (m,) int64
    states: Tensor  # (m, D + 1, S): at their corners


def find_candidates(program: Program, *, prune: bool) -> Iterator[Candidates]:
    """Simplices whose output may be zero, slab by slab; all of them, where nothing is pruned.

    Args:
        program: with a grid; its outputs less the level.
        prune: rule out simplices.
    """
    grid = program.grid
    assert grid is not None
    n, dim = grid.finest, grid.dim
    width = grid.width + program.n_neurons + program.out_dim
    n_bytes = 8 * (n + 1) ** (dim - 1) * width
    thickness = min(max(working_bytes(program.device) // (SHARE * n_bytes), 1), n)
    for first in range(0, n, thickness):
        yield _in_slab(program, first, min(thickness, n - first), prune=prune)


def _in_slab(program: Program, first: int, thickness: int, *, prune: bool) -> Candidates:
    grid, inner = program.grid, program.inner
    assert grid is not None
    n, dim, device = grid.finest, grid.dim, program.device
    axes = [torch.arange(first, first + thickness + 1, device=device)]
    axes += [torch.arange(n + 1, device=device)] * (dim - 1)
    vertices = torch.cartesian_prod(*axes)
    states = torch.cat([grid.at_vertices(batch).to(program.dtype) for batch in vertices.split(1 << 14)])
    shape = tuple(len(axis) for axis in axes)
    cubes = torch.arange(thickness * n ** (dim - 1), device=device)
    if prune:
        rows = torch.cat([inner.preactivations(batch) for batch in states.split(1 << 14)])
        size = float(states.abs().max()) + float(rows.abs().max())
        table = rows.reshape(*shape, -1)
        ranges = Ranges(*(_pool(table, extreme).flatten(0, -2) for extreme in (torch.minimum, torch.maximum)))
        cubes = _may_vanish(inner, ranges, size).nonzero()[:, 0]
    paths = torch.arange(n_paths(dim), device=device)
    simplices = ((cubes + first * n ** (dim - 1))[:, None] * n_paths(dim) + paths).flatten()
    corners = vertex_numbers(corners_of(simplices, dim, n), n) - first * (n + 1) ** (dim - 1)  # in the slab
    if prune:
        kept = [
            _may_vanish(inner, Ranges(*torch.aminmax(rows[batch], dim=1)), size)
            for batch in corners.split(1 << 13)
        ]
        chosen = torch.cat([*kept, corners[:0, 0].bool()]).nonzero()[:, 0]
        corners, simplices = corners[chosen], simplices[chosen]
    return Candidates(simplices, states[corners])


def _may_vanish(inner: Program, ranges: Ranges, size: float) -> Tensor:
    """True (R,) where an output may be zero."""
    low, high = output_bounds(inner, ranges, size)
    return ((low <= 0) & (high >= 0)).any(1)


def _pool(table: Tensor, extreme: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Extremes over the vertices of each cube, given values at vertices (n_1, ..., n_D, N)."""
    for axis in range(table.dim() - 1):
        n = table.shape[axis] - 1
        table = extreme(table.narrow(axis, 0, n), table.narrow(axis, 1, n))
    return table
