"""The multilayer perceptron: linear layers with a piecewise-affine activation between."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import nn

from creased.networks.initialise import Initialiser, kaiming
from creased.networks.models.sizes import require_positive


class MLP(nn.Sequential):
    """A plain network R^in_dim -> R^out_dim; being a Sequential, it is lowered like any other.

    Args:
        in_dim: D, the dimension of the space.
        width: neurons of each hidden layer.
        depth: number of hidden layers.
        out_dim: number of outputs; 1 for a signed distance.
        activation: makes the activation of a hidden layer.
        initialise: sets the initial weights; see `creased.networks.initialise`.

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
