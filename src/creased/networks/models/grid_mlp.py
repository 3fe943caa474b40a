"""A tiny ReLU network behind features on nested Kuhn grids: shapes with detail, exactly piecewise affine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from operator import index

import torch
from torch import Tensor, nn

from creased.core.numerics.memory import format_bytes, free_bytes
from creased.core.program.kuhn_grid import KuhnGrid, require_nested, table_size

SPREAD = 1e-2  # of initial features: vertices that no sample touches stay that near to zero


class GridFeatures(nn.Module):
    """Features at the vertices of nested Kuhn grids, interpolated; one table a level.

    Args:
        in_dim: D, 2 or 3.
        levels: cubes an axis of each level; each divides the next.
        features: of a vertex, a level.
        log2_table: levels with more than 2^log2_table vertices share rows by a spatial hash; None: none does.
        half_width: of the cube that the grids fill.

    Raises:
        ValueError: the levels are not nested, a size is impossible, or the tables do not fit in memory.
    """

    def __init__(
        self, in_dim: int, levels: Sequence[int], features: int, log2_table: int | None, half_width: float
    ) -> None:
        super().__init__()
        levels = _whole_numbers("levels", levels)
        for name, value in (("in_dim", in_dim), ("features", features), ("log2_table", log2_table or 1)):
            _whole_numbers(name, (value,))
        if in_dim not in (2, 3):
            raise ValueError(f"GridMLP: in_dim must be 2 or 3, got {in_dim}")
        if features < 1 or not 0 < half_width < math.inf or (log2_table is not None and log2_table < 1):
            raise ValueError(
                "GridMLP: features, half_width and log2_table must be positive, got "
                f"{features}, {half_width} and {log2_table}"
            )
        require_nested(levels)
        self.in_dim, self.levels, self.half_width = in_dim, levels, float(half_width)
        sizes = [table_size(n, in_dim, log2_table) for n in levels]
        _require_memory(levels, sizes, features)
        tables = [torch.empty(size, features).uniform_(-SPREAD, SPREAD) for size in sizes]
        self.tables = nn.ParameterList(nn.Parameter(table) for table in tables)

    def grid(self) -> KuhnGrid:
        """The grid as a record that shares the tables."""
        return KuhnGrid(self.in_dim, self.half_width, self.levels, tuple(self.tables))

    def forward(self, points: Tensor) -> Tensor:
        """Encode points (..., D): the point itself, then its features level by level."""
        return self.grid().encode(points)


def _whole_numbers(name: str, values: int | Sequence[int]) -> tuple[int, ...]:
    try:
        return tuple(index(value) for value in values)  # type: ignore[union-attr]
    except TypeError:
        raise ValueError(f"GridMLP: {name} must be of whole numbers, got {values!r}") from None


def _require_memory(levels: Sequence[int], sizes: Sequence[int], features: int) -> None:
    """Refuse tables that do not fit in the free memory of the default device."""
    device, dtype = torch.get_default_device(), torch.get_default_dtype()
    needed, free = sum(sizes) * features * dtype.itemsize, free_bytes(device)
    if device.type != "meta" and free is not None and needed > free:
        raise ValueError(
            f"GridMLP: tables of levels {list(levels)} with {features} features take {format_bytes(needed)}, "
            f"and training four times as much; {format_bytes(free)} are free. Take coarser levels, or give "
            "log2_table, so that they are hashed"
        )


def grids_of(module: nn.Module) -> list[GridFeatures]:
    """List the grids in a module, each once."""
    return [part for part in module.modules() if isinstance(part, GridFeatures)]


class GridMLP(nn.Module):
    """A ReLU network over x and its features on nested Kuhn grids (after TetraSDF, arXiv 2511.16273).

    Args:
        in_dim: D, 2 or 3.
        levels: cubes an axis of each grid; each divides the next, so that the finest refines all.
        features: of a grid vertex, a level.
        width: neurons of each hidden layer, or one number a layer.
        depth: hidden layers, where width is one number.
        log2_table: levels with more than 2^log2_table vertices are hashed; None: all tables are dense.
        half_width: of the cube that the grids fill.

    Raises:
        ValueError: the levels are not nested, or a size is impossible.
    """

    def __init__(
        self,
        in_dim: int = 3,
        levels: Sequence[int] = (8, 16, 32, 64),
        features: int = 4,
        width: int | Sequence[int] = 32,
        depth: int = 1,
        log2_table: int | None = None,
        half_width: float = 0.5,
    ) -> None:
        super().__init__()
        _whole_numbers("depth", (depth,))
        widths = [width] * depth if isinstance(width, int) else _whole_numbers("width", width)
        if not widths or min(widths) < 1:
            raise ValueError(f"GridMLP: width and depth must be 1 or more, got {width} and {depth}")
        self.grid = GridFeatures(in_dim, levels, features, log2_table, half_width)
        sizes = [self.grid.grid().width, *widths]
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.mlp = nn.Sequential(*layers, nn.Linear(sizes[-1], 1))

    def forward(self, x: Tensor) -> Tensor:
        """Values (..., 1) at points (..., D)."""
        values: Tensor = self.mlp(self.grid(x))
        return values
