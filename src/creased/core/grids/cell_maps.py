"""Affine maps of rows on cells of a grid: the network composed with the encoder of a simplex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.signs import RowLayout
from creased.core.numerics.memory import rows_at_once, selection_pays
from creased.core.program.kuhn_grid import KuhnGrid
from creased.core.program.program import Program
from creased.core.program.simplices import corners_of, distinct_numbers, distinct_vertices

BATCH = 1 << 14  # cells whose maps are found in one go


class CornerStates(NamedTuple):
    """Encoded states at the corners of simplices."""

    simplices: Tensor  # (m,) int64, distinct
    states: Tensor  # (U, S): of each vertex once, or more often where looking for doubles does not pay
    place: Tensor  # (m, D + 1) int64: which of the states the corners have

    @staticmethod
    def of(grid: KuhnGrid, simplices: Tensor) -> CornerStates:
        """Evaluate the encoder; differentiable in the tables."""
        corners = corners_of(simplices, grid.dim, grid.finest)
        if selection_pays(simplices.device):
            vertices, place = distinct_vertices(corners, grid.finest)
        else:
            vertices = corners.flatten(0, 1)
            place = torch.arange(len(vertices), device=vertices.device).reshape(corners.shape[:2])
        return CornerStates(simplices, grid.at_vertices(vertices), place)

    def choose(self, which: Tensor | slice) -> CornerStates:
        """Select simplices (k,)."""
        used, place = distinct_numbers(self.place[which], len(self.states))
        return CornerStates(self.simplices[which], self.states[used], place)

    def at(self, simplices: Tensor) -> Tensor:
        """States (k, D + 1, S) at the corners of simplices (k,) that are among these."""
        ordered, order = self.simplices.sort()
        return self.states[self.place[order[torch.searchsorted(ordered, simplices.contiguous())]]]


def encoder_maps(grid: KuhnGrid, simplices: Tensor) -> Tensor:
    """The encoder on simplices (m,) as axes and an origin (m, k + 1, S) of affine maps of a point.

    Differentiable in the tables.
    """
    corners, found = corners_of(simplices, grid.dim, grid.finest), CornerStates.of(grid, simplices)
    states = found.states[found.place]
    slopes = _along_axes(states.diff(dim=1), corners) * (grid.finest / (2 * grid.half_width))
    base = grid.positions(corners[:, :1], states.dtype)
    origin = states[:, :1] - torch.bmm(base, slopes)
    return in_section(grid, torch.cat([slopes, origin], dim=1))


def _along_axes(steps: Tensor, corners: Tensor) -> Tensor:
    """Order differences (m, D, ...) between corners (m, D + 1, D) of simplices by their axes."""
    axes = corners.diff(dim=1).argmax(2)
    place = axes.reshape(*axes.shape, *[1] * (steps.dim() - 2)).expand_as(steps)
    return torch.empty_like(steps).scatter(1, place, steps)


def wall_maps(grid: KuhnGrid, simplices: Tensor, dtype: torch.dtype) -> Tensor:
    """Walls of simplices (m,) as affine functions (m, k + 1, D + 1), >= 0 inside, the constant last."""
    corners = corners_of(simplices, grid.dim, grid.finest)
    steps = corners.diff(dim=1).transpose(1, 2).to(dtype)  # (m, D, D): the axis of each step
    constants = grid.finest / 2 - (corners[:, 0, :, None] * steps).sum(1, keepdim=True)
    rises = torch.cat([steps * (grid.finest / (2 * grid.half_width)), constants], dim=1)  # 1 >= f1 >= f2 ...
    one = torch.zeros_like(rises[:, :, :1])
    one[:, -1] = 1
    return in_section(grid, -torch.cat([one, rises, torch.zeros_like(one)], dim=2).diff(dim=2))


def in_section(grid: KuhnGrid, maps: Tensor) -> Tensor:
    """Restrict affine maps (m, D + 1, n) to the section of a grid, if any: (m, k + 1, n)."""
    if grid.section is None:
        return maps
    origin, basis = (x.to(maps) for x in grid.section)
    return torch.cat([basis.T @ maps[:, :-1], origin[None] @ maps[:, :-1] + maps[:, -1:]], dim=1)


@dataclass(frozen=True)
class GridMaps:
    """Gradients of rows in cells of a grid, given their signs with the simplex in the last word."""

    program: Program
    walls: Tensor  # (D + 1, M): of the domain, as affine functions
    layout: RowLayout  # D + 1 walls of a simplex come first
    known: CornerStates | None = None  # of all simplices that are asked for

    def gradients(self, words: Tensor) -> Tensor:
        """Gradients (F, D) of the first output in regions (F, W)."""
        grid = self.program.grid
        assert grid is not None
        found = [words.new_empty((0, self.program.in_dim), dtype=self.program.dtype)]
        for batch in words.split(rows_at_once(BATCH, words.device)):
            covectors, simplices = (
                self.program.inner.gradients_on(self.layout.masks(batch, self.program.dtype)),
                batch[:, -1],
            )
            states = (self.known or CornerStates.of(grid, simplices)).at(simplices).to(covectors)
            along = torch.bmm(states.diff(dim=1), covectors[:, :, None])[:, :, 0]
            slopes = _along_axes(along, corners_of(simplices, grid.dim, grid.finest))
            slopes = slopes if grid.section is None else slopes @ grid.section.basis.to(slopes)
            found.append(slopes * (grid.finest / (2 * grid.half_width)))
        return torch.cat(found)

    def row_gradients(self, words: Tensor) -> Tensor:
        """Gradients (n, D, n_rows) of all rows in regions (n, W); those of the simplex first."""
        grid = self.program.grid
        assert grid is not None
        frames = encoder_maps(grid, words[:, -1]).to(self.program.dtype)
        neurons = self.program.inner.maps_on(self.layout.masks(words, self.program.dtype), frames)[:, :-1]
        own = wall_maps(grid, words[:, -1], frames.dtype)[:, :-1]
        walls = self.walls[:-1].to(own).expand(len(own), -1, -1)
        return torch.cat([own, walls, neurons], dim=2)
