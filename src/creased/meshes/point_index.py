"""Signed distances to oriented points: near them by fitted spheres, elsewhere to the nearest point.

The sign away from the points is that of the winding number of the oriented points (Barill et al. 2018), each
of which stands for a small triangle of the area that it has to itself, so that the queries to meshes with
holes answer it.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.extras import how_to_install
from creased.meshes.algebraic_spheres import TINY, Fitted, fit_spheres
from creased.meshes.queries import TriangleIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEIGHBOURS = 12  # by whose distance the spacing at a point is measured; of a fit at least
NEAR = 2.0  # spacings from the nearest point within which fitted spheres tell the sign
FITTED = 4.0  # within which they tell the distance: in a gap between points it is smaller than to the nearest
AT_ONCE = 2_000_000  # neighbours of all places in one batch
TURNS = 2 * math.pi * np.arange(3) / 3  # corners of an equilateral triangle


class PointIndex:
    """A tree over points with unit normals.

    Args:
        points: (n, 3), more than `NEIGHBOURS`.
        normals: (n, 3) unit, outward.

    Raises:
        ImportError: scipy is not installed.
        ValueError: the points are too few.
    """

    def __init__(self, points: NDArray[np.float64], normals: NDArray[np.float64]) -> None:
        try:
            from scipy.spatial import cKDTree
        except ImportError as error:
            raise ImportError(f"point clouds need scipy: {how_to_install('shapes')}") from error
        if len(points) <= NEIGHBOURS:
            raise ValueError(f"PointIndex: needs more than {NEIGHBOURS} points, got {len(points)}")
        self.points, self.normals = points, normals
        self._tree = cKDTree(points)
        around = self._tree.query(points, NEIGHBOURS + 1)[0][:, -1]
        # The radius (n,) of the disc that a point has to itself.
        self.spacing = np.maximum(around / math.sqrt(NEIGHBOURS), TINY ** (1 / 4))

    @property
    def areas(self) -> NDArray[np.float64]:
        """The area (n,) that each point has to itself."""
        return np.asarray(math.pi * self.spacing**2)

    def nearest(self, places: NDArray[Any]) -> NDArray[np.float64]:
        """Compute the distances (m,) of places (m, 3) from the nearest point."""
        return np.asarray(self._tree.query(places)[0])

    def fit(self, places: NDArray[Any], width: float = 1.0) -> Fitted:
        """Fit spheres about places (m, 3), with Gaussian weights of that width, in spacings."""
        k = min(max(NEIGHBOURS, math.ceil(4 * width**2)), len(self.points))
        batches = np.array_split(places, max(1, len(places) * k // AT_ONCE))
        return Fitted(*map(np.concatenate, zip(*(self._fit(b, width, k) for b in batches), strict=True)))

    def _fit(self, places: NDArray[Any], width: float, k: int) -> Fitted:
        distance, index = self._tree.query(places, k)
        scale = width * self.spacing[index[:, :1]]
        weights = np.exp(-(distance**2 - distance[:, :1] ** 2) / scale**2)
        return fit_spheres(self.points[index] - places[:, None], self.normals[index], weights)

    def signed_distance(self, places: NDArray[Any]) -> NDArray[np.float64]:
        """Compute distances (m,) of places (m, 3), negative inside."""
        distance, index = self._tree.query(places)
        spacings = distance / self.spacing[index]
        is_far, is_fitted = spacings >= NEAR, spacings < FITTED
        signed = distance.copy()
        if is_fitted.any():
            fitted, most = self.fit(places[is_fitted]).distance, distance[is_fitted]
            signed[is_fitted] = fitted.clip(-most, most)
        if is_far.any():
            signed[is_far] = np.copysign(signed[is_far], self._splats.signed_distance(places[is_far]))
        return signed

    @cached_property
    def _splats(self) -> TriangleIndex:
        """An equilateral triangle across the normal of each point, of its area."""
        axis = np.eye(3)[np.abs(self.normals).argmin(axis=1)]
        first = np.cross(self.normals, axis)
        first /= np.linalg.norm(first, axis=1, keepdims=True)
        second = np.cross(self.normals, first)
        radius = np.sqrt(4 * self.areas / (3 * math.sqrt(3)))[:, None]
        corners = [self.points + radius * (math.cos(a) * first + math.sin(a) * second) for a in TURNS]
        return TriangleIndex(
            np.stack(corners, axis=1).reshape(-1, 3), np.arange(3 * len(radius)).reshape(-1, 3)
        )
