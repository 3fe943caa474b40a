"""Distance of a point to many simplices, in the 2-norm, by projection onto all of their faces."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

BATCH = 1 << 14  # simplices that are looked at in one go


def distance_to_simplices(corners: Tensor, point: Tensor) -> Tensor:
    """Compute the distances (T,) of a point (D,) to simplices (T, k, D).

    The nearest point lies inside of one face, where it is the projection onto the space that the face spans.
    """
    return torch.cat([corners.new_zeros(0), *(_distances(part - point) for part in corners.split(BATCH))])


def _distances(arms: Tensor) -> Tensor:
    best = torch.linalg.vector_norm(arms, dim=2).amin(1)
    for size in range(2, arms.shape[1] + 1):
        for face in combinations(range(arms.shape[1]), size):
            first, spans = arms[:, face[0]], arms[:, list(face[1:])] - arms[:, face[:1]]
            gram, right = spans @ spans.mT, -(spans @ first[:, :, None])
            shares, info = torch.linalg.solve_ex(gram, right)
            shares = shares[:, :, 0]
            is_inside = (info == 0) & (shares >= 0).all(1) & (shares.sum(1) <= 1)
            there = torch.linalg.vector_norm(first + (shares[:, :, None] * spans).sum(1), dim=1)
            best = torch.where(is_inside & (there < best), there, best)
    return best
