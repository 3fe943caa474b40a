"""A residual network: each block adds to a stream what it makes of it (He et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from creased.networks.initialise import Initialiser, kaiming
from creased.networks.models.sizes import require_positive


class ResidualBlock(nn.Module):
    """The stream (n, width) plus a hidden layer of it.

    Args:
        width: of the stream and of the hidden layer.
        activation: makes the activation.
    """

    def __init__(self, width: int, activation: Callable[[], nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.inner, self.activation, self.outer = (
            nn.Linear(width, width),
            activation(),
            nn.Linear(width, width),
        )

    def forward(self, stream: Tensor) -> Tensor:
        """The next stream (n, width)."""
        return stream + self.outer(self.activation(self.inner(stream)))


class ResidualMLP(nn.Module):
    """A network R^in_dim -> R^out_dim: a hidden layer, residual blocks, a linear layer.

    Args:
        in_dim: D, the dimension of the space.
        width: neurons of each hidden layer.
        depth: number of hidden layers, of which all but the first are in residual blocks.
        out_dim: number of outputs; 1 for a signed distance.
        activation: makes the activation of a hidden layer.
        initialise: sets the initial weights; see `creased.networks.initialise`. What blocks add starts small,
            so that the stream keeps its size whatever the depth.

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
        super().__init__()
        require_positive("ResidualMLP", in_dim=in_dim, width=width, depth=depth, out_dim=out_dim)
        self.first = nn.Sequential(nn.Linear(in_dim, width), activation())
        self.blocks = nn.Sequential(*(ResidualBlock(width, activation) for _ in range(depth - 1)))
        self.last = nn.Linear(width, out_dim)
        (initialise or kaiming())(self)
        with torch.no_grad():
            for block in self.blocks:
                assert isinstance(block, ResidualBlock)
                block.outer.weight.div_(depth**0.5)
                block.outer.bias.zero_()

    def forward(self, points: Tensor) -> Tensor:
        """Values (n, out_dim) at points (n, in_dim)."""
        values: Tensor = self.last(self.blocks(self.first(points)))
        return values
