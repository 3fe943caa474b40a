"""Nearest point of many segments or triangles to a given one, in the 1, 2 or infinity norm.

In the 2-norm it is a projection. The others are maxima of linear functions of the difference, so that on a
segment or triangle they are least at a corner, where two of those are equal on an edge, or where two such
equalities meet inside: finitely many candidates, all of which are evaluated. In many dimensions those are too
many; there simplices are excluded by bounds of each coordinate, and the others solved as linear programs.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor

from creased.extras import how_to_install

NORMS = (1, 2, math.inf)
BATCH = 1 << 13  # simplices whose candidates are evaluated at once


class Nearest(NamedTuple):
    """The nearest point of a union of simplices."""

    distance: float
    point: Tensor  # (D,)
    simplex: int  # the one that it lies on


def nearest_point(corners: Tensor, point: Tensor, norm: float) -> Nearest | None:
    """Find the nearest point of simplices; None if there are none.

    Args:
        corners: of points, segments or triangles in as many dimensions: (T, k, D), k = 1, 2, 3.
        point: (D,).
        norm: 1, 2 or infinity.

    Raises:
        ValueError: another norm, or simplices with more than three corners.
        ImportError: scipy is needed (norms 1 and infinity in more than three dimensions) and not installed.
    """
    if norm not in NORMS:
        raise ValueError(f"nearest_point: norm must be one of {NORMS}, got {norm}")
    if corners.shape[1] > 3:
        raise ValueError(f"nearest_point: needs up to three corners a simplex, got {corners.shape[1]}")
    if norm != 2 and corners.shape[2] > 3:
        return _by_programs(corners, point, norm)
    best: Nearest | None = None
    for start in range(0, corners.shape[0], BATCH):
        arms = corners[start : start + BATCH] - point
        candidates = _candidates(arms, norm)  # (T, c, D)
        distances = torch.linalg.vector_norm(candidates, norm, dim=-1)
        place = int(distances.argmin())
        simplex, which = divmod(place, candidates.shape[1])
        distance = float(distances[simplex, which])
        if best is None or distance < best.distance:
            best = Nearest(distance, point + candidates[simplex, which], start + simplex)
    return best


def _by_programs(corners: Tensor, point: Tensor, norm: float) -> Nearest | None:
    """Find the nearest point by linear programs, on simplices that bounds do not exclude."""
    if corners.shape[0] == 0:
        return None
    arms = corners - point
    lengths = torch.linalg.vector_norm(arms, norm, dim=-1)
    low, high = arms.amin(1), arms.amax(1)
    gaps = torch.maximum(low, -high).clamp(min=0)  # each coordinate is at least so far from zero
    bounds = torch.linalg.vector_norm(gaps, norm, dim=-1)
    simplex, corner = divmod(int(lengths.argmin()), lengths.shape[1])
    best = Nearest(float(lengths[simplex, corner]), point + arms[simplex, corner], simplex)
    for index in bounds.argsort().tolist():
        if float(bounds[index]) >= best.distance:
            break
        candidate = _shares(arms[index], norm) @ arms[index]
        distance = float(torch.linalg.vector_norm(candidate, norm))
        if distance < best.distance:
            best = Nearest(distance, point + candidate, index)
    return best


def _shares(arms: Tensor, norm: float) -> Tensor:
    """Solve for the barycentric coordinates (k,) of the shortest vector of a simplex (k, D)."""
    try:
        from scipy.optimize import linprog
    except ImportError as error:
        raise ImportError(
            f"nearest_point in more than three dimensions needs scipy: {how_to_install('shapes')}"
        ) from error
    n_corners, dim = arms.shape
    n_slack = dim if norm == 1 else 1
    slack = torch.eye(dim).to(arms) if norm == 1 else arms.new_ones((dim, 1))
    table = torch.cat([torch.cat([arms.mT, -slack], 1), torch.cat([-arms.mT, -slack], 1)])
    cost = torch.cat([arms.new_zeros(n_corners), arms.new_ones(n_slack)])
    total = torch.cat([arms.new_ones(n_corners), arms.new_zeros(n_slack)])[None]
    solved = linprog(cost.numpy(), table.numpy(), [0.0] * (2 * dim), total.numpy(), [1.0], method="highs")
    if solved.x is None:
        raise ArithmeticError(f"nearest_point: the linear program was not solved: {solved.message}")
    shares = torch.tensor(solved.x[:n_corners]).to(arms).clamp(min=0)
    return shares / shares.sum()


def _candidates(arms: Tensor, norm: float) -> Tensor:
    """List points (T, c, D) of simplices (T, k, D) among which the shortest vector is."""
    found = [arms]
    changes = _changes(arms.shape[2], norm).to(arms)
    for i, j in combinations(range(arms.shape[1]), 2):
        start, along = arms[:, i], arms[:, j] - arms[:, i]
        if norm == 2:
            share = -_ratio((start * along).sum(1), (along * along).sum(1))[:, None]
        else:
            share = -_ratio(start @ changes.T, along @ changes.T)
        found.append(start[:, None] + share.clamp(0, 1)[:, :, None] * along[:, None])
    if arms.shape[1] == 3:
        found.append(_inside(arms, norm, changes))
    return torch.cat(found, dim=1)


def _inside(arms: Tensor, norm: float, changes: Tensor) -> Tensor:
    """List candidates inside triangles; the first corner where there is none."""
    start = arms[:, 0]
    sides = arms[:, 1:] - arms[:, :1]  # (T, 2, D)
    if norm == 2:
        matrix = (sides @ sides.mT)[:, None]  # (T, 1, 2, 2)
        values = -(sides @ start[:, :, None])[:, None, :, 0]
    else:
        pairs = torch.combinations(torch.arange(changes.shape[0]), 2).to(arms.device)
        matrix = (changes @ sides.mT)[:, pairs]  # (T, c, 2, 2): rows are changes, columns sides
        values = -(start @ changes.T)[:, pairs]
    share = _solve(matrix, values)  # (T, c, 2)
    is_inside = (share >= 0).all(-1) & (share.sum(-1) <= 1)
    share = torch.where(is_inside[..., None], share, 0.0)
    return start[:, None] + share @ sides


def _changes(dim: int, norm: float) -> Tensor:
    """List functionals (c, D) at whose zeros the norm changes from one linear function to another."""
    axes = torch.eye(dim)
    if norm == 1:
        return axes
    first, second = axes[torch.combinations(torch.arange(dim), 2).T]
    return torch.cat([axes, first - second, first + second])


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Divide, with 0 where the denominator is 0."""
    is_zero = denominator == 0
    return torch.where(is_zero, 0.0, numerator / torch.where(is_zero, 1.0, denominator))


def _solve(matrix: Tensor, values: Tensor) -> Tensor:
    """Solve 2 x 2 systems by Cramer's rule (..., 2); -1, which is outside, where singular."""
    a, b, c, d = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 0], matrix[..., 1, 1]
    determinant = a * d - b * c
    first = values[..., 0] * d - b * values[..., 1]
    second = a * values[..., 1] - values[..., 0] * c
    is_singular = determinant == 0
    solution = torch.stack([first, second], dim=-1) / torch.where(is_singular, 1.0, determinant)[..., None]
    return torch.where(is_singular[..., None], -1.0, solution)
