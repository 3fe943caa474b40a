"""Level-set vertices as differentiable functions of the weights.

A vertex solves D affine equations: the rows that vanish on it do so in the cell in which it was found, where
each of them is affine. With the activation pattern held fixed, one Newton step from the detached position ::

    x = x0 - J^-1 g(x0; weights)

solves them with the live weights, exactly, and its derivative is that of the implicit function theorem,
dx = -J^-1 dg. J is held constant for that, which makes second derivatives wrong: they are refused, unless
``second_order`` keeps J in the graph. Rows being affine, derivatives of any order are right then.

As training moves the weights, a vertex can leave its cell: then it is no vertex of the level set any more.
It still is one as long as all other neurons keep their signs at the new position; `is_current` says where
(walls are not looked at: a vertex may have left the domain).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from creased.core.level_set import LevelSet
from creased.core.program import Program
from creased.core.signs import RowLayout
from creased.core.tolerance import get_epsilon


class VertexSolution(NamedTuple):
    """Re-solved vertices, and where the solution can be believed."""

    vertices: Tensor  # (V, D), differentiable in the program's weights where is_regular
    is_regular: Tensor  # (V,) bool; elsewhere the rows are nearly dependent and the detached point is given
    is_current: Tensor  # (V,) bool: regular, and still a vertex of the level set of the live weights


def implicit_vertices(
    level_set: LevelSet, program: Program, which: Tensor | None = None, *, second_order: bool = False
) -> Tensor:
    """Vertex positions (V, D) or (n, D), differentiable in the weights; see `solve_vertices`."""
    return solve_vertices(level_set, program, which, second_order=second_order).vertices


def solve_vertices(
    level_set: LevelSet, program: Program, which: Tensor | None = None, *, second_order: bool = False
) -> VertexSolution:
    """Solve the zero rows of each vertex with the weights that the program has now.

    Args:
        level_set: extracted from this program, perhaps some steps of training ago.
        program: with live weights; it is evaluated in its own dtype, on its own device.
        which: vertices (n,) int64 to solve; all by default.
        second_order: make second derivatives right too, at three times the cost; otherwise they are refused.
    """
    chosen = slice(None) if which is None else which.to(level_set.vertices.device)
    points = level_set.vertices[chosen].to(program.device, program.dtype)
    rows = level_set.zero_ids[chosen].to(program.device).long()
    masks = level_set.activation_masks(level_set.words[chosen]).to(program.device, program.dtype)
    values = _values_at(program, points, masks, rows, level_set)
    with torch.set_grad_enabled(second_order and torch.is_grad_enabled()):
        jacobian = _jacobian_at(program, points, masks, rows, level_set)
    step, is_regular = _newton_step(jacobian, values)
    solved = points - step if second_order else _refuse_second_order(points - step)
    is_current = is_regular & _keeps_signs(program, solved.detach(), masks, rows, level_set.layout)
    return VertexSolution(solved, is_regular, is_current)


@torch.no_grad()
def _keeps_signs(program: Program, points: Tensor, masks: Tensor, rows: Tensor, layout: RowLayout) -> Tensor:
    """True (V,) where every neuron has the sign it had, but for those that vanish by construction."""
    signs = program.preactivations_on(points, masks)[:, : layout.n_neurons] >= 0
    is_own = torch.zeros((points.shape[0], layout.n_rows), dtype=torch.bool, device=points.device)
    is_own = is_own.scatter_(1, rows, True)[:, layout.n_walls : layout.first_output]
    return ((signs == (masks > 0)) | is_own).all(dim=1)


class _FirstOrder(torch.autograd.Function):
    """The identity; its derivative cannot be differentiated again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


def _refuse_second_order(x: Tensor) -> Tensor:
    same: Tensor = _FirstOrder.apply(x)  # type: ignore[no-untyped-call]
    return same


def _program_rows(rows: Tensor, level_set: LevelSet) -> Tensor:
    """Which of the program's rows (V, D) the zero rows are; a wall, which is none, stands as row 0."""
    is_level = rows == level_set.layout.first_output
    return (rows - level_set.layout.n_walls).clamp(min=0) + level_set.output * is_level


def _values_at(program: Program, points: Tensor, masks: Tensor, rows: Tensor, level_set: LevelSet) -> Tensor:
    """Values (V, D) of the zero rows; a wall's is zero where the vertex is."""
    is_level = rows == level_set.layout.first_output
    levels = level_set.level * is_level.to(points.dtype)
    values = program.preactivations_on(points, masks).gather(1, _program_rows(rows, level_set)) - levels
    return values.masked_fill(rows < level_set.layout.n_walls, 0)


def _jacobian_at(
    program: Program, points: Tensor, masks: Tensor, rows: Tensor, level_set: LevelSet
) -> Tensor:
    """Gradients (V, D, D) of the zero rows."""
    dim, linear = level_set.dim, program.linear_part()
    row, is_wall = _program_rows(rows, level_set), rows < level_set.layout.n_walls
    axes = torch.eye(dim).to(points)[:, None].expand(-1, points.shape[0], -1)
    tangents = [linear.preactivations_on(axis, masks).gather(1, row) for axis in axes]
    normals = level_set.domain.halfspaces(points.dtype, points.device)[:-1].T
    of_walls = normals[rows.clamp(max=normals.shape[0] - 1)]
    return torch.where(is_wall[:, :, None], of_walls, torch.stack(tangents, dim=2))


def _newton_step(jacobian: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Solve J step = values (V, D) where J is regular; step 0 elsewhere."""
    scale = jacobian.norm(dim=2, keepdim=True).clamp(min=torch.finfo(jacobian.dtype).tiny)
    unit = jacobian / scale
    is_regular = torch.linalg.det(unit).abs() > get_epsilon(jacobian.dtype)
    identity = torch.eye(jacobian.shape[1], dtype=jacobian.dtype, device=jacobian.device)
    unit = torch.where(is_regular[:, None, None], unit, identity)
    right = torch.where(is_regular[:, None], values / scale[:, :, 0], torch.zeros_like(values))
    return torch.linalg.solve(unit, right[:, :, None])[:, :, 0], is_regular
