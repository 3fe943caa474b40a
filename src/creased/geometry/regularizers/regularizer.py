"""Estimate measures of a level set, and their gradients in the live weights, from a sample of vertices.

A measure is a function of totals over the surface, such as its area and its volume. At extraction a total T
is known with its gradients G with respect to the positions x of the vertices and H with respect to the
normals n of the polygons. The weights move both, and to first order ::

    T(weights) = T0 + sum over vertices of G . (x(weights) - x) + sum over polygons of H . (n(weights) - n)

which has the exact value at extraction, and the exact derivative. The sums are estimated without bias by
importance sampling: vertices in proportion to the sensitivity of T to their rows, |J^-T G|, polygons to that
of T to the function's gradient g, |H| / |g|. Sampling is systematic (at even steps) along an order by the row
with the largest effect, so that every row gets its share.

This keeps the variance low. Two edges of one crease share a vertex, and what one gains the other loses: on a
network of 4x40 fitted to the bunny, the gradient of total edge length has a noise of 8.5 times its size from
1,024 edges drawn evenly, and of 0.5 times from 256 vertices drawn like this. The corners of a thin polygon
stay coplanar as the weights move them: with normals from single corners, not from the function, total mean
curvature had a noise of 30 times its gradient; like this it has 1.

Vertices that have left their cells since count as unmoved: extract again now and then. Second derivatives,
where they are asked for, are computed from all vertices.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.numerics.surroundings import as_written
from creased.core.program.program import Program
from creased.geometry.derivatives import with_derivatives_of
from creased.geometry.implicit_vertices import (
    implicit_vertices,
    polygon_gradients,
    row_adjoints,
    solve_vertices,
)
from creased.geometry.safe import directions_of, lengths_of


class Expansion(NamedTuple):
    """The totals of a measure to first order about an extracted level set, of V vertices and F polygons."""

    level_set: LevelSet
    totals: Tensor  # (k,)
    of_vertices: Tensor  # (k, V, D): gradients
    of_normals: Tensor  # (k, F, D): gradients
    normals: Tensor  # (F, D): as they were
    drawable: Tensor  # (m,) int64: vertices, and polygons as V, V + 1, ..., that have an effect
    chances: Tensor  # (m,) float64: probabilities of being drawn
    cumulative: Tensor  # (m,) float64


class Regularizer(ABC):
    """A loss of level sets; training calls it with a level set and the live program.

    Args:
        n_samples: vertices and polygons sampled in each call; None for all.
    """

    needs_polygons: ClassVar[bool] = True  # 0 without any, as in two dimensions

    def __init__(self, n_samples: int | None = 256) -> None:
        if n_samples is not None and n_samples < 1:
            raise ValueError(f"n_samples must be positive or null, got {n_samples}")
        self.n_samples = n_samples
        self._expansion: Expansion | None = None

    @abstractmethod
    def totals(self, vertices: Tensor, normals: Tensor, level_set: LevelSet) -> Tensor:
        """Compute one total, a scalar, or several (k,).

        Args:
            vertices: their positions (V, D).
            normals: outward unit normals (F, D) of the polygons, from the function.
            level_set: for its polygons and edges.
        """

    def combine(self, totals: Tensor) -> Tensor:
        """Combine the totals (k,) to the measure, a scalar; by default the only one."""
        return totals[0]

    @as_written
    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """Estimate the measure, a scalar, differentiable in the program's weights; 0 for an empty level set.

        Args:
            level_set: extracted from this program, perhaps some steps of training ago.
            program: with live weights.
        """
        if level_set.is_empty or (self.needs_polygons and level_set.polygons.n == 0):
            return 0 * program.head.bias.sum()  # a zero with a gradient
        if self._expansion is None or self._expansion.level_set is not level_set:
            self._expansion = self._expand(level_set, program)
        changes = self._changes(self._expansion, program)
        measure = self.combine(self._expansion.totals.to(changes) + changes)
        return with_derivatives_of(lambda: self._measured(level_set, program).to(measure), measure, program)

    def _measured(self, level_set: LevelSet, program: Program) -> Tensor:
        """Compute the measure from all vertices, with derivatives of any order in the weights."""
        vertices = implicit_vertices(level_set, program, second_order=True)
        normals = directions_of(polygon_gradients(level_set, program))
        return self.combine(self.totals(vertices, normals, level_set).reshape(-1))

    def _expand(self, level_set: LevelSet, program: Program) -> Expansion:
        vertices = level_set.vertices.detach().clone().requires_grad_(True)
        with torch.no_grad():
            slopes = polygon_gradients(level_set, program).to(vertices)
        normals = directions_of(slopes).requires_grad_(True)
        with torch.enable_grad():
            totals = self.totals(vertices, normals, level_set) + 0 * (vertices.sum() + normals.sum())
            each = [_gradients(total, vertices, normals) for total in totals.reshape(-1)]
        of_vertices, of_normals = (torch.stack(parts) for parts in zip(*each, strict=True))
        pulls = torch.stack([row_adjoints(level_set, program, gradient) for gradient in of_vertices]).double()
        turns = of_normals.norm(dim=2) / lengths_of(slopes)
        drawable, effects = _in_order(level_set, _finite(pulls), _finite(turns.double()))
        chances = effects / effects.sum()
        parts = totals.detach().reshape(-1), of_vertices, of_normals, normals.detach()
        return Expansion(level_set, *parts, drawable, chances, chances.cumsum(0))

    def _changes(self, expansion: Expansion, program: Program) -> Tensor:
        """Estimate the changes (k,) of the totals since the extraction."""
        drawn, inverse_rates = self._draw(expansion)
        n_vertices = expansion.of_vertices.shape[1]
        n_drawn = int((drawn < n_vertices).sum())  # vertices are in front of polygons
        which, polygons = drawn[:n_drawn], drawn[n_drawn:] - n_vertices
        solved = solve_vertices(expansion.level_set, program, which)
        start = expansion.level_set.vertices[which].to(solved.vertices)
        steps = torch.where(solved.is_current[:, None], solved.vertices - start, torch.zeros_like(start))
        pulls = (expansion.of_vertices[:, which] * inverse_rates[:n_drawn, None]).to(start)
        changes = (pulls * steps).sum((1, 2))
        if polygons.shape[0]:
            normals = directions_of(polygon_gradients(expansion.level_set, program, polygons))
            turns = normals - expansion.normals[polygons].to(normals)
            weights = (expansion.of_normals[:, polygons] * inverse_rates[n_drawn:, None]).to(normals)
            changes = changes + (weights * turns).sum((1, 2))
        return changes

    def _draw(self, expansion: Expansion) -> tuple[Tensor, Tensor]:
        """Draw entries of ``drawable`` (n,) int64, with their inverse sampling rates (n,)."""
        n_drawable = expansion.drawable.shape[0]
        if self.n_samples is None or self.n_samples >= n_drawable:
            return expansion.drawable, torch.ones_like(expansion.chances)
        steps = torch.arange(self.n_samples, dtype=torch.float64, device=expansion.chances.device)
        at = (steps + torch.rand_like(steps)) / self.n_samples
        drawn = torch.searchsorted(expansion.cumulative, at).clamp(max=n_drawable - 1)
        return expansion.drawable[drawn], 1 / (self.n_samples * expansion.chances[drawn])


def _gradients(total: Tensor, vertices: Tensor, normals: Tensor) -> tuple[Tensor, Tensor]:
    of_vertices, of_normals = torch.autograd.grad(total, (vertices, normals), retain_graph=True)
    return of_vertices, of_normals


def _finite(values: Tensor) -> Tensor:
    return torch.where(values.isfinite(), values, torch.zeros_like(values))


def _in_order(level_set: LevelSet, pulls: Tensor, turns: Tensor) -> tuple[Tensor, Tensor]:
    """Order vertices by their strongest row and its direction, then polygons (m,); give their effects (m,).

    Args:
        level_set: of V vertices and F polygons.
        pulls: on the rows of the vertices (k, V, D), by each total.
        turns: of the gradients on the polygons (k, F), by each total.
    """
    scale = 1 / (pulls.abs().sum((1, 2)) + turns.sum(1)).clamp(min=torch.finfo(torch.float64).tiny)
    sizes = (pulls.abs() * scale[:, None, None]).sum(0)
    strongest = sizes.argmax(dim=1, keepdim=True)
    row = level_set.zero_ids.to(pulls.device).long().gather(1, strongest)[:, 0]
    by_row = (2 * row + (pulls[0].gather(1, strongest)[:, 0] > 0)).argsort(stable=True)
    polygons = torch.arange(turns.shape[1], device=by_row.device) + by_row.shape[0]
    order = torch.cat([by_row, polygons])
    effects = torch.cat([sizes.sum(1), (turns * scale[:, None]).sum(0)])[order]
    if not bool((effects > 0).any()):  # one vertex, for a gradient of zero
        return order[:1], torch.ones_like(effects[:1])
    return order[effects > 0], effects[effects > 0]
