"""What the training module asks of a regularizer."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from creased.core.level_set import LevelSet
from creased.core.program import Program


class Regularizer(Protocol):
    """A measure of a level set."""

    def __call__(self, level_set: LevelSet, program: Program) -> Tensor:
        """A scalar, differentiable in the weights; zero for an empty level set."""
        ...
