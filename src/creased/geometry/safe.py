"""Lengths, directions and angles of vectors, with zero gradient where a vector is zero."""

from __future__ import annotations

import torch
from torch import Tensor


def lengths_of(vectors: Tensor) -> Tensor:
    """Compute lengths (...) of vectors (..., D); the gradient at zero is zero."""
    squares = vectors.square().sum(-1)
    is_zero = squares <= torch.finfo(squares.dtype).tiny
    return torch.where(is_zero, torch.zeros_like(squares), torch.where(is_zero, 1, squares).sqrt())


def directions_of(vectors: Tensor) -> Tensor:
    """Normalise vectors (..., D); zero, with zero gradient, where a vector is zero."""
    squares = vectors.square().sum(-1, keepdim=True)
    is_zero = squares <= torch.finfo(squares.dtype).tiny
    return torch.where(is_zero, torch.zeros_like(vectors), vectors / torch.where(is_zero, 1, squares).sqrt())


def angles_between(first: Tensor, second: Tensor) -> Tensor:
    """Compute angles (...) in [0, pi] between vectors (..., 3); zero, without gradient, where one is zero."""
    sine, cosine = lengths_of(torch.linalg.cross(first, second)), (first * second).sum(-1)
    is_flat = (sine == 0) & (cosine == 0)
    return torch.where(is_flat, 0, torch.atan2(sine, torch.where(is_flat, 1, cosine)))
