"""Training samples of a signed distance: many near the surface, some everywhere."""

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
    """Draw points and measure their distances.

    Args:
        shape: what to sample.
        domain: where; near points outside of it are moved to its walls.
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
    everywhere = rng.uniform(domain.lower, domain.upper, (n - n_near, 3))
    points = np.concatenate([close, everywhere]).clip(domain.lower, domain.upper)
    points = points.astype(np.float32)
    return Samples(points, shape.index.signed_distance(points))
