"""Multilayer perceptron: linear layers with a piecewise-affine activation between."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import nn

from creased.networks.initialise import Initialiser, kaiming


def require_positive(call: str, **sizes: int) -> None:
    """Refuse sizes below 1.

    Raises:
        ValueError: a size is below 1.
    """
    if min(sizes.values()) < 1:
        given = ", ".join(f"{name}={size}" for name, size in sizes.items())
        raise ValueError(f"{call}: all sizes must be positive, got {given}")


class MLP(nn.Sequential):
    """A plain network R^in_dim -> R^out_dim: hidden layers of linear map and activation, then a linear layer.

    Args:
        in_dim: D, the input dimension.
        width: neurons of each hidden layer.
        depth: number of hidden layers.
        out_dim: number of outputs; 1 for a signed distance.
        activation: called for the activation of each hidden layer.
        initialise: sets the initial weights, see `creased.networks.initialise`; by default `kaiming()`.

    Raises:
        ValueError: a size is not positive.
    """

    def __init__(
        self,
        in_dim: int = 3,
        width: int = 32,
        depth: int = 4,
        out_dim: int = 1,
        activation: Callable[[], nn.Module] = nn.ReLU,
        initialise: Initialiser | None = None,
    ) -> None:
        require_positive("MLP", in_dim=in_dim, width=width, depth=depth, out_dim=out_dim)
        widths = [in_dim, *[width] * depth]
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), activation()]
        super().__init__(*layers, nn.Linear(widths[-1], out_dim))
        (initialise or kaiming())(self)
