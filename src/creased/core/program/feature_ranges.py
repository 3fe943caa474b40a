"""Ranges of features over the cubes of coarser grids, by pooling the tables.

A feature is interpolated between grid vertices, so that over a cube it stays between its least and greatest
value at the vertices in the cube.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.numerics.memory import working_bytes
from creased.core.program.interpolation import is_hashed, table_rows
from creased.core.program.kuhn_grid import KuhnGrid

EXTREMES = (torch.minimum, torch.maximum)
SHARE = 16  # of the working memory that the features of a slab take


class Ranges(NamedTuple):
    """Least and greatest values of features."""

    low: Tensor
    high: Tensor


def ranges_over_cubes(grid: KuhnGrid, chain: Sequence[int]) -> dict[int, Ranges]:
    """Ranges (n^D, S') over the cubes of coarser grids, of the features of all levels that are finer.

    Args:
        grid: whose features these are, level by level.
        chain: cubes an axis n of the coarser grids, ascending; each divides the next.
    """
    by_level = [_of_level(grid, index, chain) for index in range(len(grid.levels))]
    found = {}
    for n in chain:
        finer = [ranges[n] for ranges in by_level if n in ranges]
        found[n] = Ranges(*(torch.cat(column, dim=-1).flatten(0, -2) for column in zip(*finer, strict=True)))
    return found


def _of_level(grid: KuhnGrid, index: int, chain: Sequence[int]) -> dict[int, Ranges]:
    """Ranges (n, ..., n, F) of the features of one level, for each n of the chain below it."""
    level, found = grid.levels[index], {}
    below = [n for n in chain if n < level]
    for finer, n in pairwise([level, *reversed(below)]):
        if finer == level:
            found[n] = _of_table(grid, index, n)
        else:
            found[n] = Ranges(
                *(_pool(*each, step=finer // n) for each in zip(found[finer], EXTREMES, strict=True))
            )
    return found


def _of_table(grid: KuhnGrid, index: int, n: int) -> Ranges:
    """Ranges (n, ..., n, F) of the features of a table over cubes, slab by slab."""
    level, table = grid.levels[index], grid.tables[index]
    step = level // n
    bytes_a_layer = step * (level + 1) ** (grid.dim - 1) * table.shape[1] * table.element_size()
    thickness = max(working_bytes(table.device) // (SHARE * bytes_a_layer), 1)
    parts = []
    for first in range(0, n, thickness):
        last = min(first + thickness, n)
        features = _features(table, level, grid.dim, slice(first * step, last * step + 1))
        parts.append([_pool(features, extreme, step, overlap=1) for extreme in EXTREMES])
    return Ranges(*map(torch.cat, zip(*parts, strict=True)))


def _features(table: Tensor, level: int, dim: int, layers: slice) -> Tensor:
    """Features (k, level + 1, ..., F) at the vertices of some layers of a level."""
    if not is_hashed(level, len(table), dim):
        return table.unflatten(0, [level + 1] * dim)[layers]
    every = torch.arange(level + 1, device=table.device)
    at = torch.stack(torch.meshgrid([every[layers], *[every] * (dim - 1)], indexing="ij"), dim=-1)
    return table[table_rows(at, level, len(table))]


def _pool(values: Tensor, extreme: Callable[[Tensor, Tensor], Tensor], step: int, overlap: int = 0) -> Tensor:
    """Extremes over windows of so many steps along all axes but the last; neighbours may share their ends."""
    for axis in range(values.dim() - 1):
        end = values.shape[axis] - overlap - step + 1
        windows = (values[(slice(None),) * axis + (slice(k, end + k, step),)] for k in range(step + overlap))
        values = reduce(extreme, windows)
    return values
