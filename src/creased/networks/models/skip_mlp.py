"""The network of DeepSDF: a multilayer perceptron that is given its input once more, halfway."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from creased.networks.initialise import Initialiser, kaiming
from creased.networks.models.sizes import require_positive


class SkipMLP(nn.Module):
    """A network R^in_dim -> R^out_dim, after Park et al. 2019 (DeepSDF), figure 4.

    Args:
        in_dim: D, the dimension of the space.
        width: neurons of each hidden layer.
        depth: number of hidden layers.
        out_dim: number of outputs; 1 for a signed distance.
        skips: hidden layers, counted from 0, that get the input beside the layer before; the middle one by
            default.
        activation: makes the activation of a hidden layer.
        initialise: sets the initial weights; see `creased.networks.initialise`.

    Raises:
        ValueError: a size is not positive, or a skip is to none of the layers 1 ... depth - 1.
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
        """Values (n, out_dim) at points (n, in_dim)."""
        state = points
        for i, (layer, activation) in enumerate(zip(self.layers, self.activations, strict=True)):
            if i in self.skips:
                state = torch.cat([state, points], dim=1)
            state = activation(layer(state))
        values: Tensor = self.last(state)
        return values
