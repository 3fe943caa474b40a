"""A measure of a level set as a function of the live weights.

A measure is a function of totals over the surface, such as its area and its volume. What a total T is where
the level set was extracted is known, and so is its gradient G there, a vector at each vertex. The weights
move the vertices, and to first order ::

    T(weights) = T0 + sum over vertices v of G_v . (x_v(weights) - x_v)

which has the right value at extraction, and the right derivative. The sum is estimated from n vertices, drawn
in proportion to |J_v^-T G_v|, what a change of the rows that vanish on them would do to T; without a bias.
Each row gets its share of them: they are drawn at even steps along an order by the row that matters most.

Sampling vertices, not faces or edges, is what makes it quiet: two edges of one crease share a vertex that
moves along both, and what one gains the other loses. On a network of 4x40 fitted to the bunny, the gradient
of total edge length had a noise of 8.5 times its size from 1,024 edges drawn evenly; it has 0.24 times from
1,024 vertices, and 0.54 from 256.

Vertices that have left their cells since count as unmoved: extract again now and then.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from creased.core.level_set import LevelSet
from creased.core.program import Program
from creased.geometry.implicit_vertices import row_adjoints, solve_vertices


class Expansion(NamedTuple):
    """The totals of a measure to first order about an extracted level set."""

    level_set: LevelSet
    totals: Tensor  # (k,)
    gradients: Tensor  # (k, V, D) floating
    drawable: Tensor  # (m,) int64: the vertices that matter
    chances: Tensor  # (m,) float64: of each being drawn; they sum to 1
    cumulative: Tensor  # (m,) float64


class Regularizer(ABC):
    """A measure of level sets that is to be made small: `__call__` is what training calls.

    Args:
        n_samples: vertices looked at in each call; None for all.
    """

    needs_polygons: ClassVar[bool] = True  # without any, as in two dimensions, it is 0

    def __init__(self, n_samples: int | None = 256) -> None:
        if n_samples is not None and n_samples < 1:
            raise ValueError(f"n_samples must be positive or null, got {n_samples}")
        self.n_samples = n_samples
        self._expansion: Expansion | None = None

    @abstractmethod
    def totals(self, vertices: Tensor, level_set: LevelSet) -> Tensor:
        """One total, a scalar, or several (k,), from vertex positions (V, D) and who meets whom."""

    def combine(self, totals: Tensor) -> Tensor:
        """The measure, a scalar, from the totals (k,); by default the only one."""
        return totals[0]

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """The measure, a scalar, differentiable in the weights of the program; 0 for an empty level set.

        Args:
            level_set: extracted from this program, perhaps some steps of training ago.
            program: with live weights.
        """
        if level_set.is_empty or (self.needs_polygons and level_set.polygons.n == 0):
            return 0 * program.head.bias.sum()  # a zero with a gradient
        if self._expansion is None or self._expansion.level_set is not level_set:
            self._expansion = self._expand(level_set, program)
        changes = self._changes(self._expansion, program)
        return self.combine(self._expansion.totals.to(changes) + changes)

    def _expand(self, level_set: LevelSet, program: Program) -> Expansion:
        with torch.enable_grad():
            vertices = level_set.vertices.detach().clone().requires_grad_(True)
            totals = (self.totals(vertices, level_set) + 0 * vertices.sum()).reshape(-1)
            each = [torch.autograd.grad(total, vertices, retain_graph=True)[0] for total in totals]
        pulls = torch.stack([_pulls_on_rows(level_set, program, gradients) for gradients in each])
        drawable, matter = _in_order(level_set, pulls)
        chances = matter / matter.sum()
        return Expansion(level_set, totals.detach(), torch.stack(each), drawable, chances, chances.cumsum(0))

    def _changes(self, expansion: Expansion, program: Program) -> Tensor:
        """The changes (k,) of the totals since the extraction."""
        which, stand_for = self._draw(expansion)
        solved = solve_vertices(expansion.level_set, program, which)
        start = expansion.level_set.vertices[which].to(solved.vertices)
        steps = torch.where(solved.is_current[:, None], solved.vertices - start, torch.zeros_like(start))
        pulls = (expansion.gradients[:, which] * stand_for[:, None]).to(start)
        return (pulls * steps).sum((1, 2))

    def _draw(self, expansion: Expansion) -> tuple[Tensor, Tensor]:
        """Some vertices (n,) int64, and how many each stands for (n,)."""
        n_drawable = expansion.drawable.shape[0]
        if self.n_samples is None or self.n_samples >= n_drawable:
            return expansion.drawable, torch.ones_like(expansion.chances)
        steps = torch.arange(self.n_samples, dtype=torch.float64)
        at = (steps + torch.rand(self.n_samples, dtype=torch.float64)) / self.n_samples
        at = at.to(expansion.chances.device)
        drawn = torch.searchsorted(expansion.cumulative, at).clamp(max=n_drawable - 1)
        return expansion.drawable[drawn], 1 / (self.n_samples * expansion.chances[drawn])


def _pulls_on_rows(level_set: LevelSet, program: Program, gradients: Tensor) -> Tensor:
    """What a change of each row of each vertex does to a total (V, D) float64, as shares of all of it."""
    adjoints = row_adjoints(level_set, program, gradients).double()
    adjoints = torch.where(adjoints.isfinite(), adjoints, torch.zeros_like(adjoints))
    return adjoints / adjoints.abs().sum().clamp(min=torch.finfo(torch.float64).tiny)


def _in_order(level_set: LevelSet, pulls: Tensor) -> tuple[Tensor, Tensor]:
    """The vertices (m,) that matter, by their strongest row and its direction, and how much they do (m,).

    Args:
        level_set: of V vertices.
        pulls: on their rows (k, V, D), by each total.
    """
    sizes = pulls.abs().sum(0)
    strongest, matter = sizes.argmax(dim=1, keepdim=True), sizes.sum(1)
    row = level_set.zero_ids.to(pulls.device).long().gather(1, strongest)[:, 0]
    by_row = (2 * row + (pulls[0].gather(1, strongest)[:, 0] > 0)).argsort(stable=True)
    ordered = by_row[matter[by_row] > 0]
    if ordered.shape[0] == 0:  # any vertex will do for a gradient of zero
        return by_row[:1], torch.ones_like(matter[:1])
    return ordered, matter[ordered]
