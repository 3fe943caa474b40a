"""Mass, centre and inertia of a solid of one density."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.decomposition.moments import Moments
from creased.io.similarity import Similarity


class Mass(NamedTuple):
    """Mass properties of a body."""

    mass: float
    centre: Tensor  # (3,) float64
    inertia: Tensor  # (3, 3) float64, about the centre


def mass_of(moments: Moments, to_domain: Similarity, density: float) -> Mass:
    """Find those of a solid of three dimensions, in the coordinates that a similarity maps from."""
    mass, mean = density * moments.volume / to_domain.scale**3, moments.first / moments.volume
    spread = mass * (moments.second / moments.volume - mean[:, None] * mean) / to_domain.scale**2
    inertia = spread.trace() * torch.eye(3).double() - spread
    return Mass(mass, to_domain.invert(mean[None])[0], inertia)
