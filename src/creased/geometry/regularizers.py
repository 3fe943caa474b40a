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
    """Mean length of the level set's edges, in units of the domain.

    Shorter edges mean smaller faces where the surface is curved, and fewer long slivers. At each call a
    fresh random sample of the edges is taken, whose mean is an unbiased estimate.

    Formula: (1 / n) sum over n sampled edges (i, j) of |x_i - x_j|.

    YAML to paste, in `configs/regularizer/`:

        _target_: creased.geometry.EdgeLength
        n_edges: 2048

    Args:
        n_edges: edges sampled at each call; None for all.
    """

    def __init__(self, n_edges: int | None = 2048) -> None:
        if n_edges is not None and n_edges < 1:
            raise ValueError(f"EdgeLength: n_edges must be positive or null, got {n_edges}")
        self.n_edges = n_edges

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """Mean edge length, over edges whose two ends can be solved for."""
        edges = level_set.edges
        if edges.shape[0] == 0:
            return torch.zeros((), dtype=program.dtype, device=program.device)
        if self.n_edges is not None and self.n_edges < edges.shape[0]:
            edges = edges[torch.randint(edges.shape[0], (self.n_edges,)).to(edges.device)]
        solved = solve_vertices(level_set, program, edges.reshape(-1))
        pairs = torch.arange(2 * edges.shape[0], device=program.device).reshape(-1, 2)
        is_regular = solved.is_regular[pairs].all(dim=1)
        return edge_lengths(solved.vertices, pairs[is_regular]).sum() / max(int(is_regular.sum()), 1)
