"""Level-set vertices as differentiable functions of the weights.

A vertex solves D affine equations: the rows that vanish on it do so in the cell in which it was found, where
each of them is affine. With the activation pattern held fixed, one Newton step from the detached position ::

    x = x0 - J^-1 g(x0; weights)

solves them with the live weights, exactly. Rows being affine, derivatives of any order are right if J is kept
in the graph. The first is that of the implicit function theorem, dx = -J^-1 dg with g at x, and needs no
graph of J: so it is computed by a second step from x, with J held constant. Where that derivative is itself
to be differentiated (``create_graph``) the vertices are solved anew, with J in the graph.

The adjoint J^-T G of a gradient G with respect to the vertices is the gradient with respect to the values of
each vertex's rows.

As training moves the weights, a vertex can leave its cell, and is no vertex of the level set any more.
It is one as long as all other neurons keep their signs where it is now (`is_current`); `implicit_vertices`
leaves others where they were. Walls are not checked: a vertex may have left the domain.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from creased.core.arrangement.signs import RowLayout
from creased.core.complexes.level_set import LevelSet
from creased.core.grids.cell_maps import encoder_maps
from creased.core.grids.planes import plane_of
from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tolerance import get_epsilon
from creased.core.program.program import Program
from creased.geometry.derivatives import with_derivatives_of

BATCH = 16_384  # vertices solved at once


class VertexSolution(NamedTuple):
    """Solved vertices, and where the solution is valid."""

    vertices: Tensor  # (V, D), differentiable in the program's weights where is_regular
    is_regular: Tensor  # (V,) bool; False: rows nearly dependent, the detached point is given
    is_current: Tensor  # (V,) bool: regular, and still a vertex of the level set of the live weights

    def __repr__(self) -> str:
        return f"{len(self.vertices):,} vertices, {int(self.is_current.sum()):,} of them current"


def implicit_vertices(
    level_set: LevelSet, program: Program, which: Tensor | None = None, *, second_order: bool = False
) -> Tensor:
    """Compute vertex positions (V, D) or (n, D), differentiable in the weights; see `solve_vertices`.

    Vertices that have left their cells since the extraction stay where they were extracted, and have no
    gradient: descent along what they solve for would leave the level set.
    """
    solved = solve_vertices(level_set, program, which, second_order=second_order)
    start = level_set.vertices if which is None else level_set.vertices[which.to(level_set.vertices.device)]
    return torch.where(solved.is_current[:, None], solved.vertices, start.to(solved.vertices))


@as_written
def polygon_gradients(level_set: LevelSet, program: Program, which: Tensor | None = None) -> Tensor:
    """Compute the function's gradients (F, D) or (n, D) on polygons, differentiable in the weights.

    Args:
        level_set: extracted from this program, perhaps some steps of training ago.
        program: with live weights.
        which: polygons (n,) int64; all by default.
    """
    chosen = torch.arange(level_set.polygons.n) if which is None else which
    words = level_set.polygon_words[chosen.to(level_set.polygon_words.device)]
    rows = torch.full((chosen.shape[0], 1), level_set.layout.first_output, device=program.device)
    parts = []
    for part, row in zip(words.split(BATCH), rows.split(BATCH), strict=True):
        masks = level_set.activation_masks(part).to(program.device, program.dtype)
        origin = torch.zeros((part.shape[0], level_set.dim), dtype=program.dtype, device=program.device)
        vertices = _Vertices(origin, masks, row, part[:, -1].to(program.device))
        parts.append(_jacobian_at(program, vertices, level_set)[:, 0])
    return torch.cat(parts)


@as_written
def row_adjoints(level_set: LevelSet, program: Program, gradients: Tensor) -> Tensor:
    """Compute the adjoint J^-T G (V, D) of gradients G (V, D), without a graph.

    Zero where the rows are nearly dependent.
    """
    parts = []
    with torch.no_grad():
        for which in torch.arange(gradients.shape[0], device=level_set.vertices.device).split(BATCH):
            vertices = _vertices_at(level_set, program, which)
            unit, scale, is_regular = _unit_rows(_jacobian_at(program, vertices, level_set))
            right = gradients[which].to(vertices.points)[:, :, None]
            adjoint = torch.linalg.solve_ex(unit.transpose(1, 2), right).result[:, :, 0] / scale
            parts.append(torch.where(is_regular[:, None], adjoint, torch.zeros_like(adjoint)))
    return torch.cat(parts)


@as_written
def solve_vertices(
    level_set: LevelSet, program: Program, which: Tensor | None = None, *, second_order: bool = False
) -> VertexSolution:
    """Solve the zero rows of each vertex with the live weights.

    Args:
        level_set: extracted from this program, perhaps some steps of training ago.
        program: with live weights; it is evaluated in its own dtype, on its own device.
        which: vertices (n,) int64 to solve; all by default.
        second_order: keep what second derivatives need, at three times the cost. Otherwise they are as right,
            and what they need is computed when they are asked for.

    Raises:
        ValueError: the program has other inputs than the level set.
    """
    if program.in_dim != level_set.dim:
        raise ValueError(
            f"implicit_vertices: the level set has {level_set.dim} coordinates, the program {program.in_dim} "
            "inputs; where directions were divided out, it is that of `level_set.part.program`"
        )
    chosen = torch.arange(level_set.vertices.shape[0]) if which is None else which
    if chosen.shape[0] <= BATCH:
        return _solve(level_set, program, chosen, second_order)
    parts = [  # intermediate values are recomputed in the backward pass
        checkpoint(_solve, level_set, program, part, second_order, use_reentrant=False)
        for part in chosen.split(BATCH)
    ]
    return VertexSolution(*(torch.cat(entries) for entries in zip(*parts, strict=True)))


class _Vertices(NamedTuple):
    """Some vertices, on the program's device and in its dtype."""

    points: Tensor  # (n, D)
    masks: Tensor  # (n, n_neurons): 1 where active
    rows: Tensor  # (n, D) int64: the zero rows
    last_words: Tensor  # (n,) int64: of their codes; on a grid, the simplex


def _vertices_at(level_set: LevelSet, program: Program, which: Tensor) -> _Vertices:
    which = which.to(level_set.vertices.device)
    points, words = level_set.vertices[which], level_set.words[which]
    return _Vertices(
        points.to(program.device, program.dtype),
        level_set.activation_masks(words).to(program.device, program.dtype),
        level_set.zero_ids[which].to(program.device).long(),
        words[:, -1].to(program.device),
    )


def _solve(level_set: LevelSet, program: Program, which: Tensor, second_order: bool) -> VertexSolution:
    vertices = _vertices_at(level_set, program, which)
    with torch.set_grad_enabled(second_order and torch.is_grad_enabled()):
        rows = _unit_rows(_jacobian_at(program, vertices, level_set))
        solved = _newton_step(program, vertices, level_set, rows)
    if not second_order:
        at_solved = vertices._replace(points=solved)
        solved = _newton_step(program, at_solved, level_set, rows)
        solved = with_derivatives_of(partial(_newton_solution, program, vertices, level_set), solved, program)
    is_current = rows.is_regular & _keeps_signs(program, solved.detach(), vertices, level_set.layout)
    return VertexSolution(solved, rows.is_regular, is_current)


def _newton_step(program: Program, vertices: _Vertices, level_set: LevelSet, rows: _UnitRows) -> Tensor:
    """Solve the rows (V, D, D) from points (V, D)."""
    values = _values_at(program, vertices, level_set)
    right = torch.where(rows.is_regular[:, None], values / rows.scale, torch.zeros_like(values))
    return vertices.points - torch.linalg.solve_ex(rows.unit, right[:, :, None]).result[:, :, 0]


def _newton_solution(program: Program, vertices: _Vertices, level_set: LevelSet) -> Tensor:
    """Solve the vertices (V, D) with all of the solution in the graph."""
    rows = _unit_rows(_jacobian_at(program, vertices, level_set))
    return _newton_step(program, vertices, level_set, rows)


@torch.no_grad()
def _keeps_signs(program: Program, points: Tensor, vertices: _Vertices, layout: RowLayout) -> Tensor:
    """Check (V,) that at points (V, D) all neurons but the zero rows keep their signs."""
    signs = program.preactivations_on(points, vertices.masks)[:, : layout.n_neurons] >= 0
    is_own = torch.zeros((points.shape[0], layout.n_rows), dtype=torch.bool, device=points.device)
    is_own = is_own.scatter_(1, vertices.rows.clamp(min=0), True)[:, layout.n_walls : layout.first_output]
    return ((signs == (vertices.masks > 0)) | is_own).all(dim=1)


def _program_rows(rows: Tensor, level_set: LevelSet) -> Tensor:
    """Map zero rows (V, D) to rows of the program; walls, which have none, to row 0."""
    is_level = rows == level_set.layout.first_output
    return (rows - level_set.layout.n_walls).clamp(min=0) + level_set.output * is_level


def _values_at(program: Program, vertices: _Vertices, level_set: LevelSet) -> Tensor:
    """Evaluate the zero rows (V, D); walls are fixed, so theirs are 0."""
    points, masks, rows, _ = vertices
    is_level = rows == level_set.layout.first_output
    levels = level_set.level * is_level.to(points.dtype)
    values = program.preactivations_on(points, masks).gather(1, _program_rows(rows, level_set)) - levels
    return values.masked_fill(rows < level_set.layout.n_walls, 0)


def _jacobian_at(program: Program, vertices: _Vertices, level_set: LevelSet) -> Tensor:
    """Compute gradients (V, D, D) of the zero rows."""
    points, masks, rows, simplices = vertices
    dim, linear = level_set.dim, program.inner.linear_part()
    row, is_wall = _program_rows(rows, level_set), rows < level_set.layout.n_walls
    if program.grid is None:
        eye = torch.eye(dim, dtype=points.dtype, device=points.device)
        axes = eye[:, None].expand(-1, points.shape[0], -1)
    else:
        axes = encoder_maps(program.grid, simplices)[:, :-1].transpose(0, 1).to(points)
    tangents = [linear.preactivations_on(axis, masks).gather(1, row) for axis in axes]
    normals = level_set.domain.halfspaces(points.dtype, points.device)[:-1].T
    of_walls = normals[rows.clamp(0, normals.shape[0] - 1)]
    if program.grid is not None:
        planes = plane_of(rows, program.grid.dim, program.grid.finest)[0].to(points)
        if program.grid.section is not None:
            planes = planes @ program.grid.section.basis.to(points)
        of_walls = torch.where((rows < 0)[:, :, None], planes, of_walls)
    return torch.where(is_wall[:, :, None], of_walls, torch.stack(tangents, dim=2))


class _UnitRows(NamedTuple):
    """Rows of unit length, those of the identity where they are dependent."""

    unit: Tensor  # (V, D, D)
    scale: Tensor  # (V, D): their lengths
    is_regular: Tensor  # (V,) bool: where they are independent


def _unit_rows(jacobian: Tensor) -> _UnitRows:
    """Normalise rows (V, D, D)."""
    scale = jacobian.norm(dim=2).clamp(min=torch.finfo(jacobian.dtype).tiny)
    unit = jacobian / scale[:, :, None]
    is_regular = torch.linalg.det(unit).abs() > get_epsilon(jacobian.dtype)
    identity = torch.eye(jacobian.shape[1], dtype=jacobian.dtype, device=jacobian.device)
    return _UnitRows(torch.where(is_regular[:, None, None], unit, identity), scale, is_regular)
