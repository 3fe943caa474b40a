"""Draw training samples of a signed distance, most of them near the surface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from creased.core.domains.box import Box
from creased.shapes.shape import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Samples(NamedTuple):
    """Points of the domain with their signed distances, negative inside."""

    points: NDArray[np.float32]  # (n, 3)
    distances: NDArray[np.float32]  # (n,)


def sample_distances(
    shape: Shape, domain: Box, n: int, near: float, spreads: Sequence[float], rng: np.random.Generator
) -> Samples:
    """Draw points and compute their signed distances.

    Args:
        shape: the shape to sample.
        domain: the box to sample; near points outside it are moved to its walls.
        n: number of points.
        near: share of the points near the surface; the rest is uniform in the domain.
        spreads: standard deviations, in domain units, of the normal offsets of near points from the surface;
            each point draws one of them.
        rng: random number generator.
    """
    n_near = round(near * n)
    surface, _ = shape.sample_surface(n_near, rng)
    spread = rng.choice(np.asarray(spreads), size=(n_near, 1))
    close = surface + spread * rng.standard_normal((n_near, 3))
    everywhere = rng.uniform(domain.lower, domain.upper, (n - n_near, 3))
    points = np.concatenate([close, everywhere]).clip(domain.lower, domain.upper)
    points = points.astype(np.float32)
    return Samples(points, shape.index.signed_distance(points))
