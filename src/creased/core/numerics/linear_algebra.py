"""Which of many vectors span what they all span."""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.numerics.tolerance import get_epsilon

GOOD_SHARES = (
    0.2,
    1e-3,
)  # of a vector's length that others must leave of it; tried before what rounding allows


def independent_rows(vectors: Tensor) -> list[int]:
    """Indices of linearly independent rows of vectors (m, D), ascending, as many as there are.

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
    """Rows, in order, of which those chosen before leave more than a share."""
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
    """An orthonormal basis (k, D) of what is orthogonal to all of vectors (m, D)."""
    n_spanned = len(independent_rows(vectors))
    return torch.linalg.svd(vectors, full_matrices=True).Vh[n_spanned:]
