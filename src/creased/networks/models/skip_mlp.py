"""Multilayer perceptron with skips from the input to hidden layers, as in DeepSDF (Park et al. 2019)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from creased.networks.initialise import Initialiser, kaiming
from creased.networks.models.mlp import require_positive


class SkipMLP(nn.Module):
    """A network R^in_dim -> R^out_dim with skips, after Park et al. 2019, figure 4.

    Args:
        in_dim: as in `MLP`.
        width: as in `MLP`.
        depth: as in `MLP`.
        out_dim: as in `MLP`.
        activation: as in `MLP`.
        initialise: as in `MLP`.
        skips: hidden layers, counted from 0, whose input is the layer before concatenated with the network's
            input; by default the middle one.

    Raises:
        ValueError: a size is not positive, or a skip is not among 1 ... depth - 1.
    """

    def __init__(
        self,
        in_dim: int = 3,
        width: int = 32,
        depth: int = 4,
        out_dim: int = 1,
        skips: Sequence[int] | None = None,
        activation: Callable[[], nn.Module] = nn.ReLU,
        initialise: Initialiser | None = None,
    ) -> None:
        super().__init__()
        require_positive("SkipMLP", in_dim=in_dim, width=width, depth=depth, out_dim=out_dim)
        self.skips = (max(depth // 2, 1),) if skips is None else tuple(skips)
        if depth > 1 and not all(0 < i < depth for i in self.skips):
            raise ValueError(f"SkipMLP: skips must be among 1..{depth - 1}, got {list(self.skips)}")
        n_inputs = [width * (i > 0) + in_dim * (i == 0 or i in self.skips) for i in range(depth)]
        self.layers = nn.ModuleList(nn.Linear(n, width) for n in n_inputs)
        self.activations = nn.ModuleList(activation() for _ in n_inputs)
        self.last = nn.Linear(width, out_dim)
        (initialise or kaiming())(self)

    def forward(self, points: Tensor) -> Tensor:
        """Return values (n, out_dim) at points (n, in_dim)."""
        state = points
        for i, (layer, activation) in enumerate(zip(self.layers, self.activations, strict=True)):
            if i in self.skips:
                state = torch.cat([state, points], dim=1)
            state = activation(layer(state))
        return self.last(state)
