"""Compute the plane of a level set in each of many cells, and the rows of the arrangement in it.

In a cell all rows are affine, and so is the level set. Rows are composed in coordinates of its plane: D - 1
axes and a point take less arithmetic than the D + 1 columns of an affine map on R^D.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.signs import masks_of
from creased.core.domains.domain import Domain
from creased.core.numerics.tensors import map_tensors
from creased.core.numerics.tolerance import rounding_error
from creased.core.program.layers import Affine, map_frames
from creased.core.program.program import Program


class Slices(NamedTuple):
    """Planes of a level set in R cells; lines for D = 2."""

    signs: Tensor  # (R, N) floating: 1 where the cell is on the + side of a wall or neuron, else 0
    frames: Tensor  # (R, D, D): D - 1 unit axes, then a point on the plane; right-handed with the normal
    normals: Tensor  # (R, D): of unit length, in the direction in which the function grows
    rows: Tensor  # (R, D, N): walls and neurons along the axes, and their values at the point
    error: Tensor  # (R,): signed distance of the point from the plane along the normal, by rounding

    def choose(self, index: Tensor) -> Slices:
        """Select cells (m,)."""
        return Slices(*(part.index_select(0, index) for part in self))

    def place(self, cells: Tensor, coordinates: Tensor) -> Tensor:
        """Return points (m, D) at coordinates (m, D - 1) in the planes of cells (m,)."""
        frames = self.frames.index_select(0, cells)
        points = frames[:, -1] - self.error[cells, None] * self.normals[cells]
        return torch.baddbmm(points[:, None], coordinates[:, None], frames[:, :-1])[:, 0]


class NormalSlopes(NamedTuple):
    """Slopes of rows along the normals of R slices."""

    rates: Tensor  # (R, N): slopes along the normals
    noise: Tensor  # (R, N): rounding error of the slopes of a row

    def choose(self, index: Tensor) -> NormalSlopes:
        """Select cells (m,)."""
        return NormalSlopes(*(part.index_select(0, index) for part in self))

    def gather(self, rows: Tensor) -> NormalSlopes:
        """Select rows (R, n), others in each cell."""
        return NormalSlopes(*(part.gather(1, rows) for part in self))


class Slicer:
    """Slices cells of one program on one domain."""

    def __init__(self, program: Program, domain: Domain, rows: Arrangement) -> None:
        self._program, self._layout = program, rows.layout
        walls = domain.halfspaces(program.dtype, program.device)
        self._walls = Affine(walls[:-1].T, walls[-1])
        self._absolute = map_tensors(program.linear_part(), torch.abs)

    def cut(self, words: Tensor, points: Tensor) -> Slices:
        """Slice cells (R, W) by the level set, which passes near points (R, D)."""
        layout = self._layout
        signs = masks_of(words, 0, layout.first_output, points.dtype)
        masks = signs[:, layout.n_walls :]
        gradients = self._program.gradients_on(masks)
        steepness = gradients.square().sum(1).sqrt()
        normals = gradients / steepness[:, None]
        frames = torch.cat([_axes_of(normals), points[:, None]], dim=1)
        rows = self._rows(masks, frames)
        error = rows[:, -1, -1] / steepness
        return Slices(signs, frames, normals, rows[..., :-1], error)

    def normal_slopes(self, slices: Slices) -> NormalSlopes:
        """Compute the slopes of rows along the normals, needed where ties are decided."""
        masks = slices.signs[:, self._layout.n_walls :]
        frames = torch.stack([slices.normals, slices.frames[:, -1]], dim=1)
        rates = self._rows(masks, frames)[:, 0, :-1]
        ones = torch.ones_like(slices.normals)
        sums = self._absolute.preactivations_on(ones, masks)[:, : self._layout.n_neurons]
        sums = torch.cat([ones.new_ones((ones.shape[0], self._layout.n_walls)), sums], dim=1)
        return NormalSlopes(rates, rounding_error(ones.dtype, max(self._program.widths, default=1)) * sums)

    def _rows(self, masks: Tensor, frames: Tensor) -> Tensor:
        """Evaluate walls, neurons and the output (R, k, N + 1) in frames (R, k, D)."""
        n_walls = self._layout.n_walls
        rows = frames.new_empty((*frames.shape[:2], self._layout.n_rows))
        map_frames(self._walls, frames, rows[..., :n_walls])
        self._program.maps_on(masks, frames, out=rows[..., n_walls:])
        return rows


def _axes_of(normals: Tensor) -> Tensor:
    """Return unit axes (R, D - 1, D) of the planes with normals (R, D), right-handed with them."""
    if normals.shape[1] == 2:
        return torch.stack([normals[:, 1], -normals[:, 0]], dim=1)[:, None]
    helper = torch.zeros_like(normals).scatter_(1, normals.abs().argmin(1, keepdim=True), 1.0)
    first = torch.linalg.cross(normals, helper)
    first = first / first.square().sum(1, keepdim=True).sqrt()
    return torch.stack([first, torch.linalg.cross(normals, first)], dim=1)
