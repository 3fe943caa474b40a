"""Select linearly independent rows; span null spaces."""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.numerics.tolerance import get_epsilon

GOOD_SHARES = (0.2, 1e-3)  # least residual relative to a row's length, tried before the rounding error


def independent_rows(vectors: Tensor) -> list[int]:
    """Select a maximal set of linearly independent rows of (m, D): their indices, ascending.

    Early rows are preferred, as long as they are far from dependent.
    """
    chosen: list[int] = []
    for share in (*GOOD_SHARES, get_epsilon(vectors.dtype)):
        tried = _greedy(vectors, share)
        chosen = tried if len(tried) > len(chosen) else chosen
        if len(chosen) == vectors.shape[1]:
            break
    return chosen


def _greedy(vectors: Tensor, share: float) -> list[int]:
    """Select rows, in order, that leave the span of those before by more than a share of their length."""
    basis, chosen = vectors[:0], []
    for index, vector in enumerate(vectors):
        length = vector.norm()
        rest = vector
        for _ in range(2):  # twice is enough against rounding
            rest = rest - basis.T @ (basis @ rest)
        if float(rest.norm()) > share * float(length):
            basis = torch.cat([basis, (rest / rest.norm())[None]])
            chosen.append(index)
    return chosen


def null_space(vectors: Tensor) -> Tensor:
    """Compute an orthonormal basis (k, D) of the null space of vectors (m, D)."""
    n_spanned = len(independent_rows(vectors))
    return torch.linalg.svd(vectors, full_matrices=True).Vh[n_spanned:]
