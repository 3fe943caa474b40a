"""Features on nested Kuhn grids: a continuous piecewise-affine encoder in front of a network.

Each cube of an N^D grid is cut into D! simplices by the order of the fractional coordinates (Kuhn 1960,
Freudenthal 1942). With fractions f1 >= f2 >= ... the corners are the base and the base plus the first axes in
that order, with weights 1 - f1, f1 - f2, ..., fD. Features belong to grid vertices, in a dense table or in a
hashed one (Mueller et al. 2022), so that the interpolant is continuous whatever collides. Each level divides
the next, so that the finest grid is the common refinement. Outside of the cube the map is the affine
extension of the nearest cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise, permutations
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.formatting import cut_list, format_space
from creased.core.program.interpolation import Located, column_of, interpolate, locate, locate_in_cubes


class Section(NamedTuple):
    """The points origin + basis t of an affine subspace."""

    origin: Tensor  # (D,) floating: the point t = 0
    basis: Tensor  # (D, k) floating: columns are the directions of the coordinates t

    def lift(self, points: Tensor) -> Tensor:
        """Map points (..., k) to points (..., D) of the whole space."""
        return self.origin + points @ self.basis.T

    def __repr__(self) -> str:
        return f"subspace of dimension {self.basis.shape[1]} of {format_space(self.basis.shape[0])}"


@dataclass(frozen=True)
class KuhnGrid:
    """Tables of features on nested grids over the cube [-half_width, half_width]^D."""

    dim: int  # D, 2 or 3
    half_width: float
    levels: tuple[int, ...]  # cubes an axis of each level
    tables: tuple[Tensor, ...]  # (rows, features) floating, one a level
    section: Section | None = None  # the subspace on which points are given; None: all of space

    @property
    def in_dim(self) -> int:
        """Coordinates of a point: D, or those of the section."""
        return self.dim if self.section is None else self.section.basis.shape[1]

    @property
    def finest(self) -> int:
        """Cubes an axis of the common refinement."""
        return max(self.levels)

    @property
    def width(self) -> int:
        """Width S of the encoded state: the point, then the features level by level."""
        return self.dim + sum(table.shape[1] for table in self.tables)

    def encode(self, points: Tensor) -> Tensor:
        """Encode points (..., D), or (..., k) of the section, as states (..., S).

        Raises:
            ValueError: the points have another number of coordinates, or another dtype than the tables.
        """
        if points.shape[-1] != self.in_dim:
            raise ValueError(f"the grid takes points of {self.in_dim} coordinates, got {points.shape[-1]}")
        if points.dtype != self.tables[0].dtype:
            raise ValueError(
                f"the grid takes points in {self.tables[0].dtype} as its tables, got {points.dtype}"
            )
        flat = points.reshape(-1, self.in_dim)
        flat = flat if self.section is None else self.section.lift(flat)
        unit = ((flat / self.half_width + 1) / 2).T.contiguous()
        located = locate(unit, self.levels, self._sizes)
        parts = [interpolate(table, each) for table, each in zip(self.tables, located, strict=True)]
        return torch.cat([flat, *parts], dim=1).reshape(*points.shape[:-1], self.width)

    @property
    def _sizes(self) -> list[int]:
        return [table.shape[0] for table in self.tables]

    def positions(self, corners: Tensor, dtype: torch.dtype) -> Tensor:
        """Positions (..., D) of vertices of the finest grid, given their coordinates (..., D) int64."""
        return (corners.to(dtype) * 2 / self.finest - 1) * self.half_width

    def at_vertices(self, corners: Tensor) -> Tensor:
        """States (m, S) at vertices of the finest grid, given their coordinates (m, D) int64.

        They are computed in double precision at least, and the same for a vertex whatever simplex asks.
        """
        dtype = torch.promote_types(self.tables[0].dtype, torch.float64)
        parts = [self.positions(corners, dtype)]
        for table, located in zip(self.tables, self.locate_vertices(corners, dtype), strict=True):
            parts.append((table[located.rows].to(dtype) * located.weights[:, :, None]).sum(1))
        return torch.cat(parts, dim=1)

    def locate_vertices(self, corners: Tensor, dtype: torch.dtype) -> list[Located]:
        """Locate vertices of the finest grid, given by coordinates (m, D) int64, in all levels."""
        strides, cubes = (
            column_of(each, torch.int64, corners.device)[:, None]
            for each in (tuple(self.finest // n for n in self.levels), self.levels)
        )
        base = torch.minimum(corners.T // strides, cubes - 1)
        fractions = (corners.T - base * strides).to(dtype) / strides
        return locate_in_cubes(base, fractions, self.levels, self._sizes)

    def __repr__(self) -> str:
        return f"grid of {cut_list(map(str, self.levels))} cubes an axis, state of {self.width}"


def vertex_numbers(corners: Tensor, n: int) -> Tensor:
    """Numbers (...) of vertices (..., D) int64 of a grid of n cubes an axis."""
    numbers = corners[..., 0]
    for axis in range(1, corners.shape[-1]):
        numbers = numbers * (n + 1) + corners[..., axis]
    return numbers


def table_size(n: int, dim: int, log2_table: int | None) -> int:
    """Rows of the table of a level: one a vertex, or a power of two where these would be more."""
    n_vertices = (n + 1) ** dim
    return n_vertices if log2_table is None else min(n_vertices, 1 << log2_table)


def joined_grid(grids: Sequence[KuhnGrid]) -> KuhnGrid | None:
    """Join grids into one, with the features of one behind those of the other; None of none.

    Raises:
        ValueError: they fill other cubes, or their levels are not nested.
    """
    if not grids:
        return None
    cubes = {(grid.dim, grid.half_width) for grid in grids}
    if len(cubes) > 1:
        raise ValueError(f"grids must fill one cube, got dimension and half width {sorted(cubes)}")
    levels, tables = (sum((getattr(grid, name) for grid in grids), ()) for name in ("levels", "tables"))
    require_nested(levels)
    return replace(grids[0], levels=levels, tables=tables)


def require_nested(levels: tuple[int, ...]) -> None:
    """Refuse levels whose common refinement is not the finest of them.

    Raises:
        ValueError: naming two levels.
    """
    if not levels or min(levels) < 1:
        raise ValueError(f"levels must be one number or more, each 1 or more, got {list(levels)}")
    for coarse, fine in pairwise(sorted(levels)):
        if fine % coarse:
            raise ValueError(
                f"levels must be nested, each dividing the next, got {coarse} and {fine}: their creases "
                "would cross, which multiplies the cells; take powers of two, say"
            )


@cache
def kuhn_paths(dim: int, device: torch.device) -> Tensor:
    """Corners (D!, D + 1, D) int64 of the simplices of the unit cube, each in ascending order."""
    paths = torch.tensor(list(permutations(range(dim))))
    steps = torch.nn.functional.one_hot(paths, dim).cumsum(1)
    return torch.cat([torch.zeros_like(steps[:, :1]), steps], dim=1).to(device)
