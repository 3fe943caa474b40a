"""GroupSort: sorts the neurons of a layer in groups, which keeps the size of gradients (Anil et al. 2019)."""

from __future__ import annotations

from torch import Tensor, nn

from creased.networks.models.sizes import require_positive


class GroupSort(nn.Module):
    """An activation that sorts each group of consecutive neurons; in pairs it takes a crease for two neurons.

    Args:
        size: neurons in a group; the width of the layer is a multiple of it.

    Raises:
        ValueError: the size is not positive.
    """

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        require_positive("GroupSort", size=size)
        self.size = size

    def forward(self, state: Tensor) -> Tensor:
        """The sorted state (n, width)."""
        return state.unflatten(1, (-1, self.size)).sort(2).values.flatten(1)

    def extra_repr(self) -> str:
        """The size, as torch shows it."""
        return f"size={self.size}"
