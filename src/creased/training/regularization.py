"""A geometric regularizer in training: how much it counts, when, and against what it is balanced."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from creased.core.complexes.level_set import LevelSet
from creased.core.program.program import Program
from creased.geometry.regularizers import Regularizer
from creased.training.distributed import mean_over_ranks
from creased.training.schedules import Schedule, constant

REBALANCED = 20  # steps that a measured ratio of gradients is kept for


class Regularization:
    """A weighted regularizer. Several stand side by side in `SDFModule`, by name.

    Args:
        term: what is made small.
        weight: of the term in the loss; where ``balanced``, the size of its gradient as a share of that of
            the distance loss. At 0 the term is not even looked at.
        schedule: factor on the weight, from the share of the run done; constant by default.
        every_n_steps: how often it is looked at; in these steps its weight is multiplied by this number.
        balanced: measure gradients now and then, and hold their ratio.
    """

    def __init__(
        self,
        term: Regularizer,
        weight: float,
        schedule: Schedule | None = None,
        every_n_steps: int = 1,
        *,
        balanced: bool = False,
    ) -> None:
        if not 0 <= weight < float("inf"):
            raise ValueError(f"Regularization: weight must be 0 or more, and finite, got {weight}")
        if every_n_steps < 1:
            raise ValueError(f"Regularization: every_n_steps must be 1 or more, got {every_n_steps}")
        self.term, self.weight, self.schedule = term, weight, schedule or constant()
        self.every_n_steps, self.balanced = every_n_steps, balanced
        self._ratio, self._measured_at = 1.0, -1

    def weight_at(self, step: int, n_steps: int) -> float:
        """What counts in a step of so many."""
        if step % self.every_n_steps:
            return 0.0
        return self.weight * self.every_n_steps * self.schedule(step / n_steps)

    def __call__(
        self, level_set: LevelSet, program: Program, loss: Tensor, network: nn.Module, step: int
    ) -> tuple[Tensor, Tensor]:
        """The term, and its factor for the ratio of gradients, 1 where it is not balanced.

        Args:
            level_set: where the term was extracted.
            program: with live weights.
            loss: the distance loss of this step, its graph still there.
            network: the parameters with respect to which gradients are compared.
            step: of the run.
        """
        value = self.term(level_set, program)
        if self.balanced and (self._measured_at < 0 or step - self._measured_at >= REBALANCED):
            parameters = [p for p in network.parameters() if p.requires_grad]
            ours, theirs = (_gradient_norm(scalar, parameters) for scalar in (value, loss))  # of all ranks
            if 0 < ours < float("inf"):
                self._ratio, self._measured_at = theirs / ours, step
        return value, torch.as_tensor(self._ratio).to(value) if self.balanced else torch.ones_like(value)


def _gradient_norm(scalar: Tensor, parameters: Sequence[Tensor]) -> float:
    if not scalar.requires_grad:
        return 0.0
    gradients = torch.autograd.grad(scalar, parameters, retain_graph=True, allow_unused=True)
    return sum(float(mean_over_ranks(g).square().sum()) for g in gradients if g is not None) ** 0.5
