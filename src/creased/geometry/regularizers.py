"""Geometric regularizers: a level set and live weights in, one number to be made small out."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from creased.core.level_set import LevelSet
from creased.core.program import Program
from creased.geometry.implicit_vertices import solve_vertices
from creased.geometry.measures import edge_lengths


class Regularizer(Protocol):
    """What the training module asks of a regularizer."""

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """A scalar, differentiable in the weights; zero for an empty level set."""
        ...


class EdgeLength:
    """Total length of the level set's edges, in units of the domain.

    Where the surface is curved, a shorter net of creases is one of fewer, rounder faces: short edges shrink
    until they vanish, and faces with them. (So the *mean* edge of the next extraction may well be longer.) At
    each call a fresh sample of the edges is taken, whose scaled sum is an unbiased estimate of the total.

    Formula: (E / n) sum over n sampled edges (i, j) of |x_i - x_j|.

    YAML to paste, in `configs/regularizer/`:

        term:
          _target_: creased.geometry.EdgeLength
          n_edges: 1024
        weight: 1.0e-5

    Args:
        n_edges: edges sampled at each call; None for all.
    """

    def __init__(self, n_edges: int | None = 1024) -> None:
        if n_edges is not None and n_edges < 1:
            raise ValueError(f"EdgeLength: n_edges must be positive or null, got {n_edges}")
        self.n_edges = n_edges

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """Estimated total, of the edges whose two ends are still vertices of the level set."""
        edges, scale = level_set.edges, 1.0
        if edges.shape[0] == 0:
            return 0 * program.head.bias.sum()  # a zero with a gradient
        if self.n_edges is not None and self.n_edges < edges.shape[0]:
            scale = edges.shape[0] / self.n_edges
            edges = edges[torch.randint(edges.shape[0], (self.n_edges,)).to(edges.device)]
        solved = solve_vertices(level_set, program, edges.reshape(-1))
        pairs = torch.arange(2 * edges.shape[0], device=program.device).reshape(-1, 2)
        return scale * edge_lengths(solved.vertices, pairs[solved.is_current[pairs].all(dim=1)]).sum()
