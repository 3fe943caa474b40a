"""GroupSort: an activation that sorts neurons in groups and keeps gradient norms (Anil et al. 2019)."""

from __future__ import annotations

from torch import Tensor, nn

from creased.networks.models.mlp import require_positive


class GroupSort(nn.Module):
    """Sort each group of consecutive neurons; a group of two takes one crease.

    Args:
        size: neurons in a group; must divide the width of the layer.

    Raises:
        ValueError: the size is not positive.
    """

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        require_positive("GroupSort", size=size)
        self.size = size

    def forward(self, state: Tensor) -> Tensor:
        """Return the sorted state (n, width)."""
        return state.unflatten(1, (-1, self.size)).sort(2).values.flatten(1)

    def extra_repr(self) -> str:
        """Return the size, for repr."""
        return f"size={self.size}"
