"""Volume and moments of a solid, by the simplices of which it is the union or the boundary."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Moments(NamedTuple):
    """Integrals over a solid of 1, x and x x^T."""

    volume: float
    first: Tensor  # (D,) float64
    second: Tensor  # (D, D) float64


def moments_of_simplices(corners: Tensor) -> Moments:
    """Integrate over simplices (n, D + 1, D)."""
    return _summed(torch.linalg.det(corners[:, 1:] - corners[:, :1]).abs(), corners)


def moments_inside(vertices: Tensor, faces: Tensor) -> Moments:
    """Integrate over what a closed surface of faces (n, D), outward, encloses: cones from the origin."""
    corners = vertices[faces]
    return _summed(torch.linalg.det(corners), torch.nn.functional.pad(corners, (0, 0, 1, 0)))


def _summed(parallelepipeds: Tensor, corners: Tensor) -> Moments:
    """Sum over simplices of volume v, of corners x_i: (sum of x_i x_i^T + s s^T) v / ((D + 1) (D + 2)).

    Here s is the sum of the x_i (Tonon 2004 for D = 3).
    """
    dim = corners.shape[2]
    volumes, sums = parallelepipeds / math.factorial(dim), corners.sum(1)
    squares = torch.einsum("nki,nkj->nij", corners, corners) + sums[:, :, None] * sums[:, None]
    second = torch.einsum("n,nij->ij", volumes, squares) / ((dim + 1) * (dim + 2))
    return Moments(float(volumes.sum()), volumes @ sums / (dim + 1), second)
