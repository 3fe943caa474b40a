"""Triangle waves of the input: a piecewise-linear positional encoding.

    t_1 = 1 - 2 |x / half_width|,    t_(k + 1) = 1 - 2 |t_k|

On [-half_width, half_width] the wave t_k has 2^k linear pieces: k neurons an axis make 2^k - 1 creases
(Telgarsky 2016). Outside of this interval it is linear.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from creased.networks.initialise import Initialiser
from creased.networks.models.mlp import MLP, require_positive


class TriangleWave(nn.Module):
    """Concatenate points (n, D) with their waves: (n, D (1 + octaves)).

    Args:
        octaves: number of waves; each has twice the frequency of the one before.
        half_width: of the box where the waves oscillate.

    Raises:
        ValueError: octaves or half_width is not positive.
    """

    def __init__(self, octaves: int = 3, half_width: float = 0.5) -> None:
        super().__init__()
        require_positive("TriangleWave", octaves=octaves)
        if not 0 < half_width < float("inf"):
            raise ValueError(f"TriangleWave: half_width must be positive and finite, got {half_width}")
        self.octaves, self.half_width = octaves, half_width

    def forward(self, points: Tensor) -> Tensor:
        """Return the encoding (n, D (1 + octaves)) of points (n, D)."""
        waves, wave = [points], points / self.half_width
        for _ in range(self.octaves):
            wave = 1 - 2 * wave.abs()
            waves.append(wave)
        return torch.cat(waves, dim=1)

    def extra_repr(self) -> str:
        """Return the arguments, for repr."""
        return f"octaves={self.octaves}, half_width={self.half_width:g}"


class TriangleMLP(nn.Sequential):
    """A multilayer perceptron on points and their triangle waves.

    Args:
        in_dim: as in `MLP`.
        width: as in `MLP`.
        depth: as in `MLP`.
        out_dim: as in `MLP`.
        initialise: as in `MLP`.
        octaves: as in `TriangleWave`.
        half_width: as in `TriangleWave`.

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
