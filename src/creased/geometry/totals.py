"""Totals over a level set as functions of the live weights, estimated from a sample of its parts.

What the whole measures where it was extracted is known; only how it has changed since is estimated::

    T(weights) = T0 + (N / n) * sum over n sampled parts of (m(live) - m(extracted))

So the value is exact at extraction, and the gradient is an unbiased estimate of that of the whole. Parts that
have left the recorded cells since count as unchanged.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from creased.core.level_set import LevelSet
from creased.core.program import Program
from creased.geometry.halfedges import halfedges_of
from creased.geometry.implicit_vertices import solve_vertices
from creased.geometry.stencils import Kind, Surroundings


class Total:
    """The sum of a measure over all parts of a level set.

    Args:
        kind: of the parts.
        measure: of a part; what it takes depends on the kind.
        n_samples: parts looked at in each call; None for all.
    """

    def __init__(self, kind: Kind, measure: Callable[..., Tensor], n_samples: int | None = None) -> None:
        if n_samples is not None and n_samples < 1:
            raise ValueError(f"n_samples must be positive or null, got {n_samples}")
        self.kind, self.measure, self.n_samples = kind, measure, n_samples
        self._known: tuple[Surroundings, Tensor] | None = None

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """The total, a scalar, differentiable in the weights of the program; 0 where there is nothing."""
        surface, before = self._extracted(level_set)
        n_parts = self.kind.count(surface)
        if n_parts == 0:
            return 0 * program.head.bias.sum()  # a zero with a gradient
        chosen = self._choose(n_parts).to(level_set.vertices.device)
        stencil = self.kind.stencil_of(surface, chosen, self.measure)
        solved = solve_vertices(level_set, program, stencil.vertices)
        part = stencil.part.to(program.device)
        is_current = torch.ones(chosen.shape[0], dtype=torch.bool, device=program.device)
        is_current = is_current.index_fill(0, part[~solved.is_current], False)
        start = level_set.vertices[stencil.vertices].to(program.device, program.dtype)
        change = stencil.measure(solved.vertices) - stencil.measure(start)
        change = torch.where(is_current, change, torch.zeros_like(change))
        return before.to(change) + n_parts / chosen.shape[0] * change.sum()

    def _choose(self, n_parts: int) -> Tensor:
        if self.n_samples is None or self.n_samples >= n_parts:
            return torch.arange(n_parts)
        return torch.randint(n_parts, (self.n_samples,))

    @torch.no_grad()
    def _extracted(self, level_set: LevelSet) -> tuple[Surroundings, Tensor]:
        """Who meets whom, and the total where the level set was extracted; found once for each."""
        if self._known is None or self._known[0].level_set is not level_set:
            surface = Surroundings(level_set, halfedges_of(level_set.polygons))
            every = torch.arange(self.kind.count(surface), device=level_set.vertices.device)
            total = level_set.vertices.new_zeros(())
            if every.shape[0]:
                stencil = self.kind.stencil_of(surface, every, self.measure)
                total = stencil.measure(level_set.vertices[stencil.vertices]).sum()
            self._known = surface, total
        return self._known
