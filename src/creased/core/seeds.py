"""Points of a level set to walk it from: on each part that a grid can see, or below given points."""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.domain import Box
from creased.core.program import Program
from creased.core.tolerance import get_epsilon

BATCH = 1 << 16  # points that are evaluated in one go
STEPS = 60  # bisections: enough for float64
NEWTON_STEPS = 20  # the function is piecewise affine: few cells away is near enough


def grid_seeds(program: Program, domain: Box, n: int) -> Tensor:
    """Points (m, D) with f = 0 on the lines of a grid of n points an axis, between points of unlike signs.

    Raises:
        ValueError: n < 2.
    """
    if n < 2:
        raise ValueError(f"seeds: a grid needs 2 points an axis or more, got {n}")
    axes = [
        torch.linspace(a, b, n, dtype=program.dtype, device=program.device)
        for a, b in zip(domain.lower, domain.upper, strict=True)
    ]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    values = [program(batch)[:, 0] for batch in points.reshape(-1, domain.dim).split(BATCH)]
    is_plus = torch.cat(values).reshape(points.shape[:-1]) >= 0
    firsts, seconds = [], []
    for axis in range(domain.dim):
        differ = is_plus.narrow(axis, 0, n - 1) != is_plus.narrow(axis, 1, n - 1)
        firsts.append(points.narrow(axis, 0, n - 1)[differ])
        seconds.append(points.narrow(axis, 1, n - 1)[differ])
    return _bisect(program, torch.cat(firsts), torch.cat(seconds))


def _bisect(program: Program, first: Tensor, second: Tensor) -> Tensor:
    """Points of the zero set between pairs of points (m, D) where the signs differ."""
    is_plus = program(first)[:, :1] >= 0
    for _ in range(STEPS):
        middle = (first + second) / 2
        is_same = (program(middle)[:, :1] >= 0) == is_plus
        first, second = torch.where(is_same, middle, first), torch.where(is_same, second, middle)
    return (first + second) / 2


def project(program: Program, domain: Box, points: Tensor) -> Tensor:
    """Points of {f = 0} near the points (m, D), by Newton's method; those that do not arrive are left out."""
    points = points.to(program.head.weight).detach()
    lower, upper = (points.new_tensor(bound) for bound in (domain.lower, domain.upper))
    for _ in range(NEWTON_STEPS):
        values, gradients = _value_and_gradient(program, points)
        steepness = gradients.square().sum(1).clamp(min=torch.finfo(points.dtype).tiny)
        points = points - gradients * (values / steepness)[:, None]
    values, gradients = _value_and_gradient(program, points)
    noise = get_epsilon(points.dtype) * (upper - lower).amax()
    inside = ((points >= lower - noise) & (points <= upper + noise)).all(1)
    return points[inside & (values.abs() <= noise * gradients.norm(dim=1))]


def _value_and_gradient(program: Program, points: Tensor) -> tuple[Tensor, Tensor]:
    rows = program.preactivations(points)
    masks = (rows[:, : program.n_neurons] >= 0).to(points.dtype)
    return rows[:, program.n_neurons], program.gradients_on(masks)
