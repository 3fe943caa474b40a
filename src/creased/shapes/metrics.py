"""Compare a reconstructed surface with its shape, in units of the domain.

Distances are from points of one surface to the other *surface*, not to a sample of it: between two samples of
100,000 points the Chamfer distance has a floor of about 0.002 from sampling alone. ``chamfer_l1_mean`` is the
mean of the two directed mean Euclidean distances.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from creased.core.domains.box import Box
from creased.meshes.queries import TriangleIndex
from creased.shapes.shape import Shape, sample_triangles

if TYPE_CHECKING:
    from numpy.typing import NDArray

Function = Callable[["NDArray[Any]"], "NDArray[Any]"]


def compare_meshes(
    shape: Shape, vertices: NDArray[Any], triangles: NDArray[Any], n: int, rng: np.random.Generator
) -> dict[str, float]:
    """Measure Chamfer and Hausdorff distances and normal consistency, by n points on each surface.

    Args:
        shape: the reference.
        vertices: of the reconstruction, (V, 3).
        triangles: of the reconstruction, (T, 3), at least one.
        n: points on each surface; the Hausdorff distance of the points is a lower bound.
        rng: random number generator.
    """
    found = measure_both_ways(shape, vertices, triangles, n, rng)
    return {
        "chamfer_l1_mean": float(found.to_here.mean() + found.to_there.mean()) / 2,
        "hausdorff_sampled": float(max(found.to_here.max(), found.to_there.max())),
        "normal_consistency": found.normal_consistency,
    }


class BothWays(NamedTuple):
    """Distances from points of either surface to the other."""

    to_here: NDArray[np.float32]  # (n,): from points of the shape to the reconstruction
    to_there: NDArray[np.float32]  # (n,): from points of the reconstruction to the shape
    normal_consistency: float  # mean absolute cosine between the normals at a point and at its nearest point


def measure_both_ways(
    shape: Shape, vertices: NDArray[Any], triangles: NDArray[Any], n: int, rng: np.random.Generator
) -> BothWays:
    """Measure distances from n points of each surface to the other; arguments as in `compare_meshes`."""
    corners = np.asarray(vertices)[np.asarray(triangles)]
    there, there_triangle = shape.sample_surface(n, rng)
    here, here_triangle = sample_triangles(corners, n, rng)
    to_here, to_there = TriangleIndex(vertices, triangles).nearest(there), shape.index.nearest(here)
    normals, reference = _unit_normals(corners), _unit_normals(shape.mesh.triangles)
    agreement = [
        _agreement(reference[there_triangle], normals[to_here.triangle]),
        _agreement(normals[here_triangle], reference[to_there.triangle]),
    ]
    return BothWays(to_here.distance, to_there.distance, sum(agreement) / 2)


def compare_functions(
    shape: Shape, domain: Box, function: Function, n_surface: int, n_volume: int, rng: np.random.Generator
) -> dict[str, float]:
    """Estimate the mean of |f| on the shape's surface, and the volumetric intersection over union.

    Args:
        shape: the reference.
        domain: the box in which volumes are compared.
        function: maps points (n, 3) to values (n,), negative inside.
        n_surface: points on the surface.
        n_volume: points in the domain.
        rng: random number generator.
    """
    surface, _ = shape.sample_surface(n_surface, rng)
    points = rng.uniform(domain.lower, domain.upper, (n_volume, 3))
    inside, expected = function(points) < 0, shape.index.contains(points)
    union = int((inside | expected).sum())
    return {
        "surface_error_mean": float(np.abs(function(surface)).mean()),
        "iou": int((inside & expected).sum()) / max(union, 1),
    }


def _unit_normals(triangles: NDArray[Any]) -> NDArray[np.float64]:
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return normals / np.maximum(lengths, np.finfo(np.float64).tiny)


def _agreement(left: NDArray[Any], right: NDArray[Any]) -> float:
    return float(np.abs((left * right).sum(axis=1)).mean())
