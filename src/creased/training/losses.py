"""Terms of the training loss. Each is a callable with a ``weight``; `SDFModule` sums them."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn


class LossTerm(Protocol):
    """What the training module asks of a term."""

    weight: float

    def __call__(self, network: nn.Module, points: Tensor, values: Tensor, distances: Tensor) -> Tensor:
        """A scalar, from points (n, D), the network's values (n,) there and the true distances (n,)."""
        ...


class ClampedDistance:
    """Mean absolute error of distances, that stops counting further than ``clamp`` from the surface.

    Where the true distance d is within the clamp the error is |f - d|; beyond, only a value on the wrong side
    of the clamp is an error, max(0, clamp - sign(d) f). Park et al. 2019 (DeepSDF, eq. 4) clamp f everywhere;
    that is the same minimum, but has no gradient where f is far off, and a run can die there.

    Args:
        clamp: in domain units; the smaller, the more the surface counts and the less the volume.
        weight: of the term.
    """

    def __init__(self, clamp: float = 0.1, weight: float = 1.0) -> None:
        if not clamp > 0:
            raise ValueError(f"ClampedDistance: clamp must be positive, got {clamp}")
        self.clamp, self.weight = clamp, weight

    def __call__(self, network: nn.Module, points: Tensor, values: Tensor, distances: Tensor) -> Tensor:
        """Mean error at the points."""
        beyond = torch.relu(self.clamp - distances.sign() * values)
        return torch.where(distances.abs() < self.clamp, (values - distances).abs(), beyond).mean()


class Eikonal:
    """Mean of (|grad f| - 1)^2 at the points (Gropp et al. 2020): the gradient of a distance has length 1.

    Args:
        weight: of the term.
    """

    def __init__(self, weight: float = 0.01) -> None:
        self.weight = weight

    def __call__(self, network: nn.Module, points: Tensor, values: Tensor, distances: Tensor) -> Tensor:
        """Differentiate the network at the points, and compare lengths with 1."""
        with torch.enable_grad():
            points = points.detach().requires_grad_(True)
            (gradient,) = torch.autograd.grad(network(points).sum(), points, create_graph=True)
        return ((gradient.norm(dim=-1) - 1) ** 2).mean()
