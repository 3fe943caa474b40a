"""Terms of the training loss: callables with a ``weight``, which `SDFModule` sums."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn


class LossTerm(Protocol):
    """The interface of a loss term."""

    weight: float

    def __call__(self, network: nn.Module, points: Tensor, values: Tensor, distances: Tensor) -> Tensor:
        """Compute a scalar from points (n, D), the network's values (n,) and the true distances (n,)."""
        ...


class ClampedDistance:
    """Mean absolute error of distances, one-sided further than ``clamp`` from the surface.

    Where the true distance d is within the clamp the error is |f - d|, beyond it max(0, clamp - sign(d) f).
    Park et al. 2019 (DeepSDF, eq. 4) clamp f everywhere, which has the same minimum, but no gradient where f
    is far off, so that training can stall.

    Args:
        clamp: in domain units; a smaller one favours the surface over the volume.
        tolerance: in domain units; as near to the surface as that an error e counts e (1 + e / tolerance), so
            that few large errors, as there are at sharp edges, are not put up with. None: it counts e.
        weight: of the term.
    """

    def __init__(self, clamp: float = 0.1, weight: float = 1.0, tolerance: float | None = None) -> None:
        if not clamp > 0 or not (tolerance is None or tolerance > 0):
            raise ValueError(
                f"ClampedDistance: clamp and tolerance must be positive, got {clamp} and {tolerance}"
            )
        self.clamp, self.weight, self.tolerance = clamp, weight, tolerance

    def __call__(self, network: nn.Module, points: Tensor, values: Tensor, distances: Tensor) -> Tensor:
        """Compute the mean error at the points."""
        beyond = torch.relu(self.clamp - distances.sign() * values)
        errors, far = (values - distances).abs(), distances.abs()
        if self.tolerance is not None:
            errors = torch.where(far < self.tolerance, errors * (1 + errors / self.tolerance), errors)
        return torch.where(far < self.clamp, errors, beyond).mean()


class Eikonal:
    """Mean of (|grad f| - 1)^2 at the points (Gropp et al. 2020): the gradient of a distance has length 1.

    Args:
        weight: of the term.
    """

    def __init__(self, weight: float = 0.01) -> None:
        self.weight = weight

    def __call__(self, network: nn.Module, points: Tensor, values: Tensor, distances: Tensor) -> Tensor:
        """Differentiate the network at the points, and compare the gradients' lengths with 1."""
        with torch.enable_grad():
            points = points.detach().requires_grad_(True)
            (gradient,) = torch.autograd.grad(network(points).sum(), points, create_graph=True)
        return ((gradient.norm(dim=-1) - 1) ** 2).mean()
