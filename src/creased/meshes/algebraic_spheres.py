"""Fit algebraic spheres to oriented points: the local step of algebraic point set surfaces.

After Guennebaud and Gross 2007 and, for the closed form with normals, Guennebaud, Germann and Gross 2008. The
sphere u(x) = c + l.x + q x.x has the weighted normals as its gradients, in the least-squares sense, and
vanishes at the points on average. Unlike a plane it does not shrink what is curved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TINY = np.finfo(np.float64).tiny


class Fitted(NamedTuple):
    """Spheres as seen from the places that they were fitted about."""

    distance: NDArray[np.float64]  # (m,) signed, positive on the side of the normals
    normal: NDArray[np.float64]  # (m, 3) the unit gradient there


def fit_spheres(offsets: NDArray[Any], normals: NDArray[Any], weights: NDArray[Any]) -> Fitted:
    """Fit a sphere about each of m places to k oriented points.

    Args:
        offsets: (m, k, 3) of the points from the place.
        normals: (m, k, 3) of the points, unit.
        weights: (m, k), not negative, of positive sum.
    """
    weights = weights / weights.sum(axis=1, keepdims=True)
    point, normal = (np.einsum("mk,mkd->md", weights, rows) for rows in (offsets, normals))
    along = np.einsum("mk,mkd,mkd->m", weights, offsets, normals) - (point * normal).sum(axis=1)
    spread = np.einsum("mk,mkd,mkd->m", weights, offsets, offsets)
    variance = np.maximum(spread - (point * point).sum(axis=1), TINY)
    quadratic = along / (2 * variance)
    linear = normal - 2 * quadratic[:, None] * point
    constant = -(linear * point).sum(axis=1) - quadratic * spread
    slope = np.linalg.norm(linear, axis=1)
    root = np.sqrt(np.maximum(slope**2 - 4 * quadratic * constant, 0))
    distance = 2 * constant / np.maximum(slope + root, TINY)
    return Fitted(distance, linear / np.maximum(slope, TINY)[:, None])
