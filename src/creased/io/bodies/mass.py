"""Mass, centre and inertia of convex parts of one density."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from creased.decomposition import ConvexPart


class Mass(NamedTuple):
    """Mass properties of a body."""

    mass: float
    centre: Tensor  # (3,) float64
    inertia: Tensor  # (3, 3) float64, about the centre


def mass_of(parts: Sequence[ConvexPart], density: float) -> Mass:
    """Integrate over the hulls of parts; each is as heavy as its cells are.

    Signed tetrahedra from the origin to the facets have the second moments (sum of x_i x_i^T + s s^T) v / 20,
    with s the sum of the corners x_i (Tonon 2004).
    """
    mass, first, second = 0.0, torch.zeros(3).double(), torch.zeros(3, 3).double()
    for part in parts:
        corners = part.vertices[part.facets]
        weights = torch.linalg.det(corners) / 6 * density * part.volume / part.hull_volume
        sums = corners.sum(1)
        mass += float(weights.sum())
        first += (weights[:, None] * sums).sum(0) / 4
        squares = torch.einsum("nki,nkj->nij", corners, corners) + sums[:, :, None] * sums[:, None]
        second += (weights[:, None, None] * squares).sum(0) / 20
    centre = first / mass
    spread = second - mass * centre[:, None] * centre
    return Mass(mass, centre, spread.trace() * torch.eye(3).double() - spread)
