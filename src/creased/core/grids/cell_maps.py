"""Affine maps of rows on cells of a grid: the network composed with the encoder of a simplex."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from creased.core.arrangement.signs import RowLayout, masks_of
from creased.core.numerics.memory import rows_at_once, selection_pays
from creased.core.program.kuhn_grid import KuhnGrid, vertex_numbers
from creased.core.program.program import Program
from creased.core.program.simplices import corners_of

BATCH = 1 << 14  # cells whose maps are found in one go


def encoder_maps(grid: KuhnGrid, simplices: Tensor) -> Tensor:
    """The encoder on simplices (m,) as axes and an origin (m, D + 1, S) of affine maps of the position.

    Differentiable in the tables.
    """
    corners = corners_of(simplices, grid.dim, grid.finest)
    if selection_pays(simplices.device):
        numbers, place = vertex_numbers(corners, grid.finest).flatten().unique(return_inverse=True)
        every = torch.arange(len(place), device=place.device)
        first = torch.empty_like(numbers).scatter_(0, place, every)
        states = grid.at_vertices(corners.flatten(0, 1)[first])[place].unflatten(0, corners.shape[:2])
    else:
        states = grid.at_vertices(corners.flatten(0, 1)).unflatten(0, corners.shape[:2])
    size = 2 * grid.half_width / grid.finest
    axes = corners.diff(dim=1).argmax(2)  # (m, D): of each step
    slopes = torch.empty_like(states[:, 1:]).scatter(
        1, axes[:, :, None].expand(-1, -1, states.shape[2]), states.diff(dim=1) / size
    )
    base = grid.positions(corners[:, :1], states.dtype)
    origin = states[:, :1] - torch.bmm(base, slopes)
    return torch.cat([slopes, origin], dim=1)


def wall_maps(grid: KuhnGrid, simplices: Tensor, dtype: torch.dtype) -> Tensor:
    """Walls of simplices (m,) as affine functions (m, D + 1, D + 1), >= 0 inside, the constant last."""
    corners = corners_of(simplices, grid.dim, grid.finest)
    steps = corners.diff(dim=1).transpose(1, 2).to(dtype)  # (m, D, D): the axis of each step
    constants = grid.finest / 2 - (corners[:, 0, :, None] * steps).sum(1, keepdim=True)
    rises = torch.cat([steps * (grid.finest / (2 * grid.half_width)), constants], dim=1)  # 1 >= f1 >= f2 ...
    one = torch.zeros_like(rises[:, :, :1])
    one[:, -1] = 1
    return -torch.cat([one, rises, torch.zeros_like(one)], dim=2).diff(dim=2)


@dataclass(frozen=True)
class GridMaps:
    """Gradients of rows in cells of a grid, given their signs with the simplex in the last word."""

    program: Program
    walls: Tensor  # (D + 1, M): of the domain, as affine functions
    layout: RowLayout  # D + 1 walls of a simplex come first

    def _masks(self, words: Tensor) -> Tensor:
        return masks_of(words, self.layout.n_walls, self.layout.n_neurons, self.program.dtype)

    def gradients(self, words: Tensor) -> Tensor:
        """Gradients (F, D) of the first output in regions (F, W)."""
        assert self.program.grid is not None
        found = [words.new_empty((0, self.program.in_dim), dtype=self.program.dtype)]
        for batch in words.split(rows_at_once(BATCH, words.device)):
            covectors = self.program.inner.gradients_on(self._masks(batch))
            maps = encoder_maps(self.program.grid, batch[:, -1]).to(covectors)
            found.append((maps[:, :-1] @ covectors[:, :, None])[:, :, 0])
        return torch.cat(found)

    def row_gradients(self, words: Tensor) -> Tensor:
        """Gradients (n, D, n_rows) of all rows in regions (n, W); those of the simplex first."""
        grid = self.program.grid
        assert grid is not None
        frames = encoder_maps(grid, words[:, -1]).to(self.program.dtype)
        neurons = self.program.inner.maps_on(self._masks(words), frames)[:, :-1]
        own = wall_maps(grid, words[:, -1], frames.dtype)[:, :-1]
        walls = self.walls[:-1].to(own).expand(len(own), -1, -1)
        return torch.cat([own, walls, neurons], dim=2)
