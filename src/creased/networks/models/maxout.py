"""Maxout: neurons that are the largest of several affine functions, convex each (Goodfellow et al. 2013)."""

from __future__ import annotations

from torch import Tensor, nn

from creased.networks.initialise import Initialiser, kaiming
from creased.networks.models.sizes import require_positive


class Maxout(nn.Module):
    """A layer R^n_in -> R^n_out of maxima over ``pieces`` affine functions each."""

    def __init__(self, n_in: int, n_out: int, pieces: int = 2) -> None:
        super().__init__()
        require_positive("Maxout", n_in=n_in, n_out=n_out, pieces=pieces)
        self.pieces = pieces
        self.linear = nn.Linear(n_in, n_out * pieces)

    def forward(self, state: Tensor) -> Tensor:
        """The next state (n, n_out)."""
        return self.linear(state).unflatten(1, (-1, self.pieces)).amax(2)


class MaxoutMLP(nn.Sequential):
    """A network R^in_dim -> R^out_dim of maxout layers, and a linear layer.

    Args:
        in_dim: D, the dimension of the space.
        width: maxout neurons of each hidden layer.
        depth: number of hidden layers.
        out_dim: number of outputs; 1 for a signed distance.
        pieces: affine functions of each neuron; it takes pieces - 1 creases.
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
        pieces: int = 2,
        initialise: Initialiser | None = None,
    ) -> None:
        require_positive("MaxoutMLP", in_dim=in_dim, width=width, depth=depth, out_dim=out_dim)
        sizes = [in_dim, *[width] * depth]
        layers = [Maxout(n, width, pieces) for n in sizes[:-1]]
        super().__init__(*layers, nn.Linear(width, out_dim))
        (initialise or kaiming())(self)
