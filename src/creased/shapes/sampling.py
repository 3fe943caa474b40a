"""Draw training samples of a signed distance, most of them near the surface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from creased.core.domains.box import Box
from creased.shapes.target import Target

if TYPE_CHECKING:
    from numpy.typing import NDArray


COARSE = 0.1  # of the samples: grids of at most so many vertices are coarse
EDGE_SPREADS = (0.002, 0.006)  # of samples from sharp edges, in domain units


class Samples(NamedTuple):
    """Points of the domain with their signed distances, negative inside."""

    points: NDArray[np.float32]  # (n, 3)
    distances: NDArray[np.float32]  # (n,)


def sample_distances(
    shape: Target,
    domain: Box,
    n: int,
    near: float,
    spreads: Sequence[float],
    rng: np.random.Generator,
    grid_levels: Sequence[int] = (),
    edge_width: float = 0.0,
) -> Samples:
    """Draw points and compute their signed distances.

    Args:
        shape: the shape to sample.
        domain: the box to sample; near points outside it are moved to its walls.
        n: number of points that are drawn.
        near: share of the points near the surface; the rest is uniform in the domain.
        spreads: standard deviations, in domain units, of the normal offsets of near points from the surface;
            each point draws one of them.
        rng: random number generator.
        grid_levels: cubes an axis of grids over the domain. Functions that are affine on their simplices have
            their extremes at vertices: of the finest those near the surface are added, of coarse ones all.
        edge_width: points near sharp edges are added, as many as near strips of this width; in domain units.
    """
    n_near = round(near * n)
    surface = shape.sample_surface(n_near, rng)
    spread = rng.choice(np.asarray(spreads), size=(n_near, 1))
    close = surface + spread * rng.standard_normal((n_near, 3))
    everywhere = rng.uniform(domain.lower, domain.upper, (n - n_near, 3))
    points = np.concatenate([close, everywhere]).clip(domain.lower, domain.upper)
    if grid_levels:
        coarse = [all_vertices(domain, level) for level in grid_levels if (level + 1) ** 3 <= COARSE * n]
        points = np.concatenate([points, vertices_near(surface, domain, max(grid_levels)), *coarse])
    if len(edges := shape.sample_edges(n_near, edge_width, rng)):
        spread = rng.choice(EDGE_SPREADS, size=(len(edges), 1))
        beside = edges + spread * rng.standard_normal(edges.shape)
        points = np.concatenate([points, beside.clip(domain.lower, domain.upper)])
    points = points.astype(np.float32)
    return Samples(points, shape.signed_distance(points))


def all_vertices(domain: Box, n: int) -> NDArray[np.float64]:
    """List the vertices ((n + 1)^3, 3) of a grid of n cubes an axis."""
    axes = np.linspace(domain.lower, domain.upper, n + 1).T
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def vertices_near(points: NDArray[np.float64], domain: Box, n: int) -> NDArray[np.float64]:
    """List vertices (m, 3) of cubes that hold points (k, 3), and of all next to them.

    The grid has n cubes an axis.
    """
    lower, size = np.asarray(domain.lower), np.subtract(domain.upper, domain.lower)
    cubes = np.floor((points - lower) / size * n).astype(np.int64).clip(0, n - 1)
    is_near = np.zeros((n + 2,) * 3, dtype=bool)  # of cubes; a border on each side
    is_near[tuple(cubes.T + 1)] = True
    for axis in range(3):
        is_near |= np.roll(is_near, 1, axis) | np.roll(is_near, -1, axis)
    for axis in range(3):  # a vertex is between two cubes
        is_near = np.delete(is_near, 0, axis) | np.delete(is_near, -1, axis)
    return lower + np.argwhere(is_near) / n * size
