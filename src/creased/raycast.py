"""What a camera sees of a polygon mesh: first hits, pixels to the next crease, and how light gets there.

Each convex polygon is a fan around its own centroid, so a triangle has exactly one true polygon edge, the one
opposite to the centroid, and diagonals cannot show. Light is one ray a sample, towards the sky or towards the
key light, in directions that are spread over tiles of pixels and averaged over as many (interleaved sampling,
Keller and Heidrich 2001). It is for looking, not for measuring: rays run in float32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from creased.core.domain import Box
from creased.core.tolerance import get_epsilon
from creased.mesh_queries import TriangleIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

AXES = ("x", "y", "z")
TILE = 5  # pixels: directions repeat after a tile, and light is averaged over one
SOFTNESS = 0.2  # radius of the key light as seen from the mesh, a tangent
GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class View:
    """A perspective camera that looks at the middle of a box."""

    azimuth: float = -30.0  # degrees from the front, towards the right
    elevation: float = 20.0  # degrees above the horizon
    up: str = "y"  # the axis that points up: x, y or z; the next one, cyclically, points to the front
    field_of_view: float = 24.0  # degrees
    zoom: float = 1.1  # 1 just holds all of the box; about 1.25 just holds a ball in a cube

    def __post_init__(self) -> None:
        """Check what can be checked."""
        if self.up not in AXES:
            raise ValueError(f"View: up must be x, y or z, got {self.up!r}")
        if not (0 < self.field_of_view < 180 and self.zoom > 0):
            raise ValueError(f"View: needs zoom > 0 and 0 < field_of_view < 180 degrees, got {self}")


class Camera(NamedTuple):
    """A view made definite."""

    eye: NDArray[np.float64]  # (3,)
    axes: NDArray[np.float64]  # (3, 3): rows point right, up and towards the viewer
    focal: float  # pixels
    size: int  # pixels, of width and height


class PolygonArrays(NamedTuple):
    """Cycles of vertices, one behind the other, as in `creased.Polygons`."""

    offsets: NDArray[np.int64]  # (F + 1,)
    indices: NDArray[np.int64]  # (n,)


class Fans(NamedTuple):
    """Polygons as fans around their centroids; triangle i belongs to corner i of the polygons."""

    points: NDArray[np.float64]  # (V + F, 3): vertices, then centroids
    triangles: NDArray[np.int64]  # (n, 3): corner, next corner, centroid
    owners: NDArray[np.int64]  # (n,): the polygon of a triangle
    normals: NDArray[np.float64]  # (F, 3), of unit length; 0 for a polygon without area
    is_boundary: NDArray[np.bool_]  # (n,): the edge bounds one polygon only
    offsets: NDArray[np.int64]  # (F + 1,)


class Fragments(NamedTuple):
    """Where samples of the picture met the mesh."""

    pixel: NDArray[np.int64]  # (m,): row * size + column
    sample: NDArray[np.int64]  # (m,): which sample of its pixel
    triangle: NDArray[np.int32]  # (m,)
    points: NDArray[np.float32]  # (m, 3)
    depth: NDArray[np.float32]  # (m,): distance from the eye
    is_back: NDArray[np.bool_]  # (m,): seen from inside
    crease_distance: NDArray[np.float32]  # (m,): pixels to the polygon's edge in this triangle
    along_crease: NDArray[np.float32]  # (m,): 0 beside the start of that edge, 1 beside its end


def aim(view: View, domain: Box, size: int) -> Camera:
    """The camera of a view for square pictures; it depends on the domain, never on the mesh."""
    azimuth, elevation = math.radians(view.azimuth), math.radians(view.elevation)
    back = np.array([math.sin(azimuth) * math.cos(elevation), math.sin(elevation), 0.0])
    back[2] = math.cos(azimuth) * math.cos(elevation)
    right = np.array([math.cos(azimuth), 0.0, -math.sin(azimuth)])
    axes = np.roll(
        np.stack([right, np.cross(back, right), back]), AXES.index(view.up) - AXES.index("y"), axis=1
    )
    bounds = np.array([domain.lower, domain.upper])
    corners = (np.indices((2, 2, 2)).reshape(3, 8).T - 0.5) * (bounds[1] - bounds[0]) @ axes.T
    slope = math.tan(math.radians(view.field_of_view) / 2)
    spread = np.abs(corners[:, :2]).max(axis=1) / slope
    eye = bounds.mean(axis=0) + axes[2] * (corners[:, 2] + spread).max()
    return Camera(eye, axes, view.zoom * size / (2 * slope), size)


def project(camera: Camera, points: NDArray[Any]) -> NDArray[np.float64]:
    """Pixel coordinates (n, 2) of points (n, 3): right and down from the picture's upper left corner."""
    seen = (points - camera.eye) @ camera.axes.T
    return camera.size / 2 + camera.focal * seen[:, :2] * [1, -1] / -seen[:, 2:]


def fan_out(vertices: NDArray[Any], polygons: PolygonArrays) -> Fans:
    """Fans of convex polygons.

    Raises:
        ValueError: a polygon has fewer than three corners.
    """
    sizes = np.diff(polygons.offsets)
    if sizes.min(initial=3) < 3:
        raise ValueError(f"polygons need three corners or more, got one with {sizes.min()}")
    points, corners = np.asarray(vertices, dtype=np.float64), polygons.indices
    owners, starts = np.repeat(np.arange(len(sizes)), sizes), polygons.offsets[:-1]
    following = np.arange(1, len(corners) + 1)
    following[polygons.offsets[1:] - 1] = starts
    after = corners[following]
    centroids = np.add.reduceat(points[corners], starts) / sizes[:, None]
    spokes = points[corners] - centroids[owners]
    normals = np.add.reduceat(np.cross(spokes, spokes[following]), starts)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)
    triangles = np.stack([corners, after, len(points) + owners], axis=1)
    points = np.concatenate([points, centroids])
    return Fans(points, triangles, owners, normals, _is_single(corners, after), polygons.offsets)


def _is_single(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.bool_]:
    """True (n,) for edges that occur once, whatever their direction."""
    key = np.minimum(start, end) * (max(start.max(), end.max()) + 1) + np.maximum(start, end)
    _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    is_single: NDArray[np.bool_] = counts[inverse] == 1
    return is_single


def see(camera: Camera, fans: Fans, index: TriangleIndex, n_samples: int) -> Fragments:
    """First hits of ``n_samples`` rays through each pixel that the mesh may cover."""
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
    """Points (n_samples, 2) of the unit square, no two in a row or column of an n by n grid."""
    across = np.arange(n_samples)
    down = np.argsort(np.argsort((0.5 + across * GOLDEN) % 1))
    return ((np.stack([across, down], axis=1) + 0.5) / n_samples).astype(np.float32)


def _directions(camera: Camera, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit directions (n, 3) of the rays through pixel coordinates (n, 2)."""
    axes = camera.axes.astype(np.float32)
    middle, focal = np.float32(camera.size / 2), np.float32(camera.focal)
    right, up = (pixels[:, :1] - middle) / focal, (middle - pixels[:, 1:]) / focal
    directions = right * axes[0] + up * axes[1] - axes[2]
    return (directions / np.sqrt(1 + right**2 + up**2)).astype(np.float32, copy=False)


def _distance_to_line(
    at: NDArray[np.float32], flat: NDArray[np.float32], ends: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Distances (n,) of points (n, 2) to the lines through two of the points ``flat`` (m, 2) each."""
    start = flat[ends[:, 0]]
    along, offset = flat[ends[:, 1]] - start, at - start
    area: NDArray[np.float32] = np.abs(along[:, 0] * offset[:, 1] - along[:, 1] * offset[:, 0])
    return area / np.maximum(np.hypot(along[:, 0], along[:, 1]), np.float32(get_epsilon(torch.float32)))


def openness(
    fragments: Fragments,
    camera: Camera,
    fans: Fans,
    index: TriangleIndex,
    *,
    to_key: NDArray[Any],
    reach: float,
) -> NDArray[np.float32]:
    """How open fragments (m, 2) are to the sky within ``reach`` and to the key light: 0 not at all, 1 wholly.

    Samples take turns: one asks for the sky, the next for the key light.
    """
    normals = fans.normals.astype(np.float32)[fans.owners[fragments.triangle]]
    normals[fragments.is_back] *= -1
    n_samples = int(fragments.sample.max()) + 1
    row, column = np.divmod(fragments.pixel, camera.size)
    turn = ((row % TILE) * TILE + column % TILE) * n_samples + fragments.sample
    sphere = _spread_on_sphere((TILE**2 * n_samples + 1) // 2)[turn // 2]
    origins = fragments.points + normals * np.float32(10 * get_epsilon(torch.float32) * reach)
    to_key = to_key.astype(np.float32)
    asks_sky = turn % 2 == 0
    asks_key = ~asks_sky & (normals @ to_key > 0)
    found = np.zeros((len(turn), 2), dtype=np.float32)
    directions = _unit(normals[asks_sky] + sphere[asks_sky])
    found[asks_sky, 0] = np.minimum(index.cast(origins[asks_sky], directions).distance / reach, 1)
    directions = _unit(to_key + np.float32(SOFTNESS) * sphere[asks_key])
    found[asks_key, 1] = index.cast(origins[asks_key], directions).triangle < 0
    return _average_near(found, asks_sky, fragments, normals, camera.size, reach)


def _spread_on_sphere(n: int) -> NDArray[np.float32]:
    """Points (n, 3) of a spiral on the unit sphere, shuffled."""
    step = np.random.default_rng(0).permutation(n) + 0.5
    angle, height = 2 * math.pi * GOLDEN * step, 1 - 2 * step / n
    radius = np.sqrt(1 - height**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1).astype(np.float32)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    unit = vectors / np.maximum(length, np.float32(get_epsilon(torch.float32)))
    return unit.astype(np.float32, copy=False)


def _average_near(
    found: NDArray[np.float32],
    asks_sky: NDArray[np.bool_],
    fragments: Fragments,
    normals: NDArray[np.float32],
    size: int,
    reach: float,
) -> NDArray[np.float32]:
    """Averages (m, 2) over the tile around each fragment, of pixels alike in depth and normal."""
    asked = np.stack([asks_sky, ~asks_sky]).astype(np.float32)
    held = _pixel_sums(np.concatenate([found.T, asked]), fragments.pixel, size)
    looks = _pixel_sums(np.concatenate([fragments.depth[None], normals.T]), fragments.pixel, size)
    looks /= np.maximum(held[2:].sum(axis=0), 1)
    total = np.zeros((4, size, size), dtype=np.float32)
    here = looks[:, _shifted(TILE // 2, size), _shifted(TILE // 2, size)]
    for dy, dx in np.ndindex(TILE, TILE):
        there = looks[:, _shifted(dy, size), _shifted(dx, size)]
        is_alike = np.abs(there[0] - here[0]) < 0.1 * reach
        is_alike &= np.einsum("ijk,ijk->jk", there[1:], here[1:]) > 0.5
        is_alike |= dy == dx == TILE // 2  # where two surfaces share a pixel it may be unlike itself
        total += held[:, _shifted(dy, size), _shifted(dx, size)] * is_alike
    mean = np.divide(total[:2], total[2:], out=np.ones_like(total[:2]), where=total[2:] > 0)
    return mean.reshape(2, -1)[:, fragments.pixel].T


def _pixel_sums(rows: NDArray[np.float32], pixel: NDArray[np.int64], size: int) -> NDArray[np.float32]:
    """Sums (c, size + 4, size + 4) in pixels of rows (c, m), with a border of half a tile."""
    sums = np.stack([np.bincount(pixel, row, minlength=size**2) for row in rows]).reshape(-1, size, size)
    return np.pad(sums.astype(np.float32), ((0, 0), (TILE // 2,) * 2, (TILE // 2,) * 2))


def _shifted(shift: int, size: int) -> slice:
    return slice(shift, shift + size)
