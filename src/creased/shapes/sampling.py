"""Training samples of a signed distance: many near the surface, some everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from creased.shapes.shape import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

DOMAIN_HALF_WIDTH = 0.5  # samples and extraction live in [-0.5, 0.5]^3


class Samples(NamedTuple):
    """Points of the domain with their signed distances, negative inside."""

    points: NDArray[np.float32]  # (n, 3)
    distances: NDArray[np.float32]  # (n,)


def sample_distances(
    shape: Shape, n: int, near: float, spreads: Sequence[float], rng: np.random.Generator
) -> Samples:
    """Draw points and measure their distances.

    Args:
        shape: what to sample.
        n: how many points.
        near: the share that is drawn near the surface; the rest is uniform in the domain.
        spreads: standard deviations, in domain units, of the normal offsets of near points from the surface;
            each is used for an equal share.
        rng: where randomness comes from.
    """
    n_near = round(near * n)
    surface, _ = shape.sample_surface(n_near, rng)
    spread = rng.choice(np.asarray(spreads), size=(n_near, 1))
    close = surface + spread * rng.standard_normal((n_near, 3))
    everywhere = rng.uniform(-DOMAIN_HALF_WIDTH, DOMAIN_HALF_WIDTH, (n - n_near, 3))
    points = np.concatenate([close, everywhere]).clip(-DOMAIN_HALF_WIDTH, DOMAIN_HALF_WIDTH)
    points = points.astype(np.float32)
    return Samples(points, shape.index.signed_distance(points))
