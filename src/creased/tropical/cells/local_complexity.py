"""Local complexity: numbers of neurons that bend near a point, and of cells there.

Humayun, Balestriero and Baraniuk 2024 ("Deep networks always grok and here is why") follow the number of
neurons whose zero set crosses a small cross-polytope around a data point through training. They look at the
signs of preactivations at its corners. That is right for the first layer, where zero sets are hyperplanes,
and misses those of deeper neurons that bend in and out between corners. Here both are counted: the exact
number, from the cells that the engine finds, and the approximation, for comparison.

A neuron *crosses* a ball if it is on in one full-dimensional cell of the open ball and off in another one.
Touching is not crossing. Cells are those of `creased.tropical.cells.engine_cells`, in float64; neurons that
are proven stable on the ball are left out before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from creased.core.domains.polytope import Polytope
from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tensors import Points, as_points
from creased.core.program.program import Program
from creased.networks.as_program import of_networks
from creased.tropical.cells.engine_cells import engine_cells
from creased.tropical.cells.local_programs import Balls, program_on, proven_signs

MOST_DIMENSIONS = 3  # of a ball in which cells are found


@dataclass(frozen=True)
class LocalComplexity:
    """Local complexity around each of P points, for L blocks of neurons."""

    crossing: Tensor  # (P, L) int64: neurons that cross the open ball, exactly
    by_corners: Tensor  # (P, L) int64: neurons with both signs among the ball's 2 d corners
    cells: Tensor  # (P,) int64: full-dimensional cells in the ball
    bases: Tensor  # (P, n, d) float64: the directions of each ball's corners
    radius: float

    @property
    def n_crossing(self) -> Tensor:
        """Crossing neurons (P,) int64 of all blocks."""
        return self.crossing.sum(1)

    def __repr__(self) -> str:
        balls = f"{len(self.cells):,} balls of radius {self.radius:g}"
        return f"local complexity: {float(self.n_crossing.double().mean()):.4g} neurons cross one of {balls}"


@of_networks
@as_written
def local_complexity(
    program: Program,
    points: Points,
    radius: float,
    *,
    directions: Tensor | None = None,
    slice_dim: int = 2,
    seed: int = 0,
    memory: int | None = None,
) -> LocalComplexity:
    """Compute the exact local complexity of a program around points, and its approximation by corners.

    The ball around x is the cross-polytope {x + U t: |t|_1 <= radius}. With up to three inputs it is that of
    the whole space, U = 1; with more, U is a random orthonormal basis of a slice, another one for each point.

    Args:
        program: of n inputs; detached, and moved to the CPU and to float64.
        points: (P, n).
        radius: in the 1-norm of t.
        directions: U instead, (n, d) or one for each point (P, n, d), d <= 3.
        slice_dim: d of random slices, 1 to 3.
        seed: of random slices; one seed gives the same slices to as many points, whatever the network.
        memory: bytes that a complex may take; what is free by default.

    Raises:
        ValueError: shapes do not fit, a number is not finite, or the radius is not positive.
        CellLimitError: there are more cells in a ball than memory holds.
    """
    program.require_no_grid("local_complexity")
    program = program.detach().to("cpu", torch.float64)
    origins = as_points("local_complexity", points, program.in_dim, torch.float64, program.device)
    if origins.dim() != 2:
        raise ValueError(f"local_complexity: needs points (P, {program.in_dim}), got {tuple(origins.shape)}")
    if not 0 < radius < float("inf"):
        raise ValueError(f"local_complexity: radius must be positive, got {radius}")
    program.require_finite("local_complexity")
    balls = Balls(origins, _bases(origins, directions, slice_dim, seed), radius)
    signs = proven_signs(program, balls)
    crossing = torch.zeros_like(signs, dtype=torch.bool)
    cells = torch.ones(len(origins), dtype=torch.int64)
    for i in (signs == 0).any(1).nonzero()[:, 0].tolist():
        small = program_on(program, balls.origins[i], balls.bases[i], signs[i])
        found = engine_cells(small, cross_polytope(small.in_dim, radius), memory=memory)
        masks = found.masks[found.is_cell]
        crossing[i, signs[i] == 0] = masks.any(0) & ~masks.all(0)
        cells[i] = masks.shape[0]
    by_corners = crossing_at_corners(program, balls)
    return LocalComplexity(
        _by_block(program, crossing), _by_block(program, by_corners), cells, balls.bases, radius
    )


def crossing_at_corners(program: Program, balls: Balls) -> Tensor:
    """Tell (P, n_neurons) which neurons are on in one corner of a ball and off in another one."""
    arms = balls.radius * balls.bases.mT
    corners = balls.origins[:, None] + torch.cat([arms, -arms], dim=1)  # (P, 2 d, n)
    is_on = program.preactivations(corners)[..., : program.n_neurons] > 0
    return is_on.any(1) & ~is_on.all(1)


@lru_cache(maxsize=16)
def cross_polytope(dim: int, radius: float) -> Polytope:
    """Return the ball |x|_1 <= radius about the origin."""
    normals = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * dim).reshape(2**dim, dim)
    return Polytope(normals, [radius] * 2**dim)


def _by_block(program: Program, mask: Tensor) -> Tensor:
    return torch.stack([part.sum(1) for part in mask.split(program.widths, dim=1)], dim=1)


def _bases(origins: Tensor, directions: Tensor | None, slice_dim: int, seed: int) -> Tensor:
    """Choose an (n, d) basis for each point."""
    n_points, n = origins.shape
    if directions is not None:
        bases = directions.detach().to(origins)
        if bases.dim() not in (2, 3) or bases.shape[-2] != n or not bool(bases.isfinite().all()):
            shape = tuple(bases.shape)
            raise ValueError(f"local_complexity: directions must be finite, ({n}, d), got {shape}")
        bases = bases.expand(n_points, n, bases.shape[-1])
    elif n <= MOST_DIMENSIONS:
        bases = torch.eye(n).to(origins).expand(n_points, n, n)
    else:
        if not 1 <= slice_dim <= MOST_DIMENSIONS:
            raise ValueError(f"local_complexity: slice_dim must be 1, 2 or 3, got {slice_dim}")
        draws = torch.Generator().manual_seed(seed)
        normal = torch.randn((n_points, n, slice_dim), generator=draws, dtype=torch.float64)
        bases = torch.linalg.qr(normal).Q
    if not 1 <= bases.shape[2] <= MOST_DIMENSIONS:
        raise ValueError(f"local_complexity: directions must be 1, 2 or 3, got {bases.shape[2]}")
    return bases
