"""Maxout: each neuron is a maximum of affine functions, so convex in its input (Goodfellow et al. 2013)."""

from __future__ import annotations

from torch import Tensor, nn

from creased.networks.initialise import Initialiser, kaiming
from creased.networks.models.mlp import require_positive


class Maxout(nn.Module):
    """A layer R^n_in -> R^n_out of maxima over ``pieces`` affine functions each."""

    def __init__(self, n_in: int, n_out: int, pieces: int = 2) -> None:
        super().__init__()
        require_positive("Maxout", n_in=n_in, n_out=n_out, pieces=pieces)
        self.pieces = pieces
        self.linear = nn.Linear(n_in, n_out * pieces)

    def forward(self, state: Tensor) -> Tensor:
        """Return the next state (n, n_out)."""
        return self.linear(state).unflatten(1, (-1, self.pieces)).amax(2)


class MaxoutMLP(nn.Sequential):
    """A network R^in_dim -> R^out_dim: maxout layers, then a linear layer.

    Args:
        in_dim: as in `MLP`.
        width: as in `MLP`.
        depth: as in `MLP`.
        out_dim: as in `MLP`.
        initialise: as in `MLP`.
        pieces: affine functions of each neuron; it takes pieces - 1 creases.

    Raises:
        ValueError: a size is not positive.
    """

    def __init__(
        self,
        in_dim: int = 3,
        width: int = 32,
        depth: int = 4,
        out_dim: int = 1,
        pieces: int = 2,
        initialise: Initialiser | None = None,
    ) -> None:
        require_positive("MaxoutMLP", in_dim=in_dim, width=width, depth=depth, out_dim=out_dim)
        layers = [Maxout(n, width, pieces) for n in (in_dim, *[width] * (depth - 1))]
        super().__init__(*layers, nn.Linear(width, out_dim))
        (initialise or kaiming())(self)
