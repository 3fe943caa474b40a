"""Triangle waves of the input: a positional encoding that is piecewise linear.

    t_1 = 1 - 2 |x / half_width|,    t_(k + 1) = 1 - 2 |t_k|

On [-half_width, half_width] the wave t_k has 2^k slopes: k neurons an axis make 2^k - 1 creases, by folding
(Telgarsky 2016). Farther out it goes on straight.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from creased.networks.initialise import Initialiser
from creased.networks.models.mlp import MLP
from creased.networks.models.sizes import require_positive


class TriangleWave(nn.Module):
    """Points (n, D) and their waves: (n, D (1 + octaves)).

    Args:
        octaves: number of waves, each with twice the frequency of the one before.
        half_width: of the box where they oscillate.

    Raises:
        ValueError: a size is not positive.
    """

    def __init__(self, octaves: int = 3, half_width: float = 0.5) -> None:
        super().__init__()
        require_positive("TriangleWave", octaves=octaves)
        if not 0 < half_width < float("inf"):
            raise ValueError(f"TriangleWave: half_width must be positive and finite, got {half_width}")
        self.octaves, self.half_width = octaves, half_width

    def forward(self, points: Tensor) -> Tensor:
        """The encoding."""
        waves, wave = [points], points / self.half_width
        for _ in range(self.octaves):
            wave = 1 - 2 * wave.abs()
            waves.append(wave)
        return torch.cat(waves, dim=1)

    def extra_repr(self) -> str:
        """The arguments, as torch shows them."""
        return f"octaves={self.octaves}, half_width={self.half_width:g}"


class TriangleMLP(nn.Sequential):
    """A multilayer perceptron on points and their triangle waves.

    Args:
        in_dim: D, the dimension of the space.
        width: neurons of each hidden layer.
        depth: number of hidden layers.
        out_dim: number of outputs; 1 for a signed distance.
        octaves: see `TriangleWave`.
        half_width: see `TriangleWave`.
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
        octaves: int = 3,
        half_width: float = 0.5,
        initialise: Initialiser | None = None,
    ) -> None:
        require_positive("TriangleMLP", in_dim=in_dim)
        mlp = MLP(in_dim * (1 + octaves), width, depth, out_dim, initialise=initialise)
        super().__init__(TriangleWave(octaves, half_width), mlp)
