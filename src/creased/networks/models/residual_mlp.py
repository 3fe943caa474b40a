"""Residual network: each block adds a function of the stream to the stream (He et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from creased.networks.initialise import Initialiser, kaiming
from creased.networks.models.mlp import require_positive


class ResidualBlock(nn.Module):
    """Add a network with one hidden layer to the stream (n, width).

    Args:
        width: of the stream and of the hidden layer.
        activation: called for the activation.
    """

    def __init__(self, width: int, activation: Callable[[], nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.inner = nn.Linear(width, width)
        self.activation = activation()
        self.outer = nn.Linear(width, width)

    def forward(self, stream: Tensor) -> Tensor:
        """Return the next stream (n, width)."""
        return stream + self.outer(self.activation(self.inner(stream)))


class ResidualMLP(nn.Module):
    """A network R^in_dim -> R^out_dim: a hidden layer, residual blocks, a linear layer.

    Args:
        in_dim: as in `MLP`.
        width: as in `MLP`.
        out_dim: as in `MLP`.
        activation: as in `MLP`.
        depth: number of hidden layers; all but the first are in residual blocks.
        initialise: as in `MLP`. Afterwards the outer layers of the blocks are divided by sqrt(depth), so that
            the stream keeps its size whatever the depth.

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
        """Return values (n, out_dim) at points (n, in_dim)."""
        return self.last(self.blocks(self.first(points)))
