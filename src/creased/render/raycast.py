"""Ray casting of polygon meshes: first hits, and distances to polygon edges in pixels.

Each convex polygon is a fan around its centroid, so that a triangle has exactly one polygon edge, opposite to
the centroid, and diagonals are never drawn. Rays are float32: for pictures, not for measurements.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from creased.core.numerics.tolerance import get_epsilon
from creased.meshes.polygon_mesh import PolygonMesh
from creased.meshes.queries import TriangleIndex
from creased.render.camera import Camera, project

if TYPE_CHECKING:
    from numpy.typing import NDArray

GOLDEN = (math.sqrt(5) - 1) / 2


class Fans(NamedTuple):
    """Polygons as fans around their centroids; triangle i belongs to corner i of the polygons."""

    points: NDArray[np.float64]  # (V + F, 3): vertices, then centroids
    triangles: NDArray[np.int64]  # (n, 3): corner, next corner, centroid
    owners: NDArray[np.int64]  # (n,): the polygon of a triangle
    normals: NDArray[np.float64]  # (F, 3), of unit length; 0 for a polygon without area
    is_boundary: NDArray[np.bool_]  # (n,): the edge bounds one polygon only
    offsets: NDArray[np.int64]  # (F + 1,)


class Fragments(NamedTuple):
    """Hits of the picture's samples on the mesh."""

    pixel: NDArray[np.int64]  # (m,): row * size + column
    sample: NDArray[np.int64]  # (m,): number within its pixel
    triangle: NDArray[np.int32]  # (m,)
    points: NDArray[np.float32]  # (m, 3)
    depth: NDArray[np.float32]  # (m,): distance from the eye
    is_back: NDArray[np.bool_]  # (m,): seen from inside
    crease_distance: NDArray[np.float32]  # (m,): pixels to the polygon's edge in this triangle
    along_crease: NDArray[np.float32]  # (m,): 0 beside the start of that edge, 1 beside its end


def fan_out(mesh: PolygonMesh) -> Fans:
    """Cut convex polygons into fans.

    Raises:
        ValueError: a polygon has fewer than three corners.
    """
    points, polygons = mesh.vertices, mesh.polygons
    if polygons.n and int(polygons.sizes.min()) < 3:
        raise ValueError(f"polygons need three corners or more, got one with {int(polygons.sizes.min())}")
    corners = polygons.indices
    centroids = polygons.sums(points[corners]) / polygons.sizes[:, None]
    ends = [corners, polygons.heads(), points.shape[0] + polygons.owners()]
    _, edges, counts = torch.unique(polygons.edge_keys(), return_inverse=True, return_counts=True)
    fans = (
        torch.cat([points, centroids]),
        torch.stack(ends, dim=1),
        polygons.owners(),
        mesh.normals(),
        counts[edges] == 1,
        polygons.offsets,
    )
    return Fans(*(part.numpy() for part in fans))


def cast_primary_rays(camera: Camera, fans: Fans, index: TriangleIndex, n_samples: int) -> Fragments:
    """Cast ``n_samples`` rays through each pixel of the mesh's bounding rectangle."""
    flat = project(camera, fans.points)
    low = np.clip(np.floor(flat.min(axis=0)), 0, camera.size).astype(np.int64)
    high = np.clip(np.ceil(flat.max(axis=0)), 0, camera.size).astype(np.int64)
    rows, columns = np.meshgrid(np.arange(low[1], high[1]), np.arange(low[0], high[0]), indexing="ij")
    corner = np.stack([columns, rows], axis=-1).reshape(-1, 1, 2).astype(np.float32)
    at = (corner + _spread_in_pixel(n_samples)).reshape(-1, 2)
    directions = _directions(camera, at)
    hits = index.cast(np.broadcast_to(camera.eye.astype(np.float32), directions.shape), directions)
    hit = np.flatnonzero(hits.triangle >= 0)
    triangle, depth, along = hits.triangle[hit], hits.distance[hit], directions[hit]
    start, end = hits.barycentric[hit, 0], hits.barycentric[hit, 1]
    normals = fans.normals.astype(np.float32)[fans.owners[triangle]]
    return Fragments(
        pixel=(rows * camera.size + columns).reshape(-1)[hit // n_samples],
        sample=hit % n_samples,
        triangle=triangle,
        points=camera.eye.astype(np.float32) + depth[:, None] * along,
        depth=depth,
        is_back=np.einsum("ij,ij->i", normals, along) > 0,
        crease_distance=_distance_to_line(at[hit], flat.astype(np.float32), fans.triangles[triangle, :2]),
        along_crease=end / np.maximum(start + end, np.float32(get_epsilon(torch.float32))),
    )


def _spread_in_pixel(n_samples: int) -> NDArray[np.float32]:
    """Spread points (n_samples, 2) in the unit square as in a Latin square."""
    across = np.arange(n_samples)
    down = np.argsort(np.argsort((0.5 + across * GOLDEN) % 1))
    return ((np.stack([across, down], axis=1) + 0.5) / n_samples).astype(np.float32)


def _directions(camera: Camera, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute unit directions (n, 3) of the rays through pixel coordinates (n, 2)."""
    axes = camera.axes.astype(np.float32)
    middle, focal = np.float32(camera.size / 2), np.float32(camera.focal)
    right, up = (pixels[:, :1] - middle) / focal, (middle - pixels[:, 1:]) / focal
    directions = right * axes[0] + up * axes[1] - axes[2]
    return (directions / np.sqrt(1 + right**2 + up**2)).astype(np.float32, copy=False)


def _distance_to_line(
    at: NDArray[np.float32], flat: NDArray[np.float32], ends: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Compute distances (n,) of points (n, 2) to lines through pairs (n, 2) of the points ``flat`` (m, 2)."""
    start = flat[ends[:, 0]]
    along, offset = flat[ends[:, 1]] - start, at - start
    area: NDArray[np.float32] = np.abs(along[:, 0] * offset[:, 1] - along[:, 1] * offset[:, 0])
    return area / np.maximum(np.hypot(along[:, 0], along[:, 1]), np.float32(get_epsilon(torch.float32)))
