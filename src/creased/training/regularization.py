"""Weight a geometric regularizer in training: by a schedule, and relative to the distance loss's gradient."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from creased.core.complexes.level_set import LevelSet
from creased.core.program.program import Program
from creased.geometry import Regularizer
from creased.training.distributed import mean_over_ranks
from creased.training.schedules import Schedule, constant

REBALANCE_STEPS = 20  # after which the ratio of gradients is measured again


class Regularization:
    """A weighted regularizer; `SDFModule` takes several, by name.

    Args:
        term: the measure to minimise.
        weight: of the term in the loss; if ``balanced``, the norm of its gradient as a share of that of the
            distance loss. At 0 the term is not evaluated.
        schedule: factor on the weight as a function of the share of the run done; constant by default.
        every_n_steps: interval of evaluation; in these steps the weight is multiplied by this number.
        balanced: hold the ratio of the two gradients' norms, measured every 20 steps.
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
        """Compute the weight in a step of ``n_steps``; 0 in steps without evaluation."""
        if step % self.every_n_steps:
            return 0.0
        return self.weight * self.every_n_steps * self.schedule(step / n_steps)

    def __call__(
        self, level_set: LevelSet, program: Program, loss: Tensor, network: nn.Module, step: int
    ) -> tuple[Tensor, float]:
        """Compute the term and its balancing factor, 1 unless ``balanced``.

        Args:
            level_set: the latest one extracted.
            program: with live weights.
            loss: the distance loss of this step, with its graph.
            network: the module whose parameters the gradients are taken in.
            step: of the run.
        """
        value = self.term(level_set, program)
        if self.balanced and (self._measured_at < 0 or step - self._measured_at >= REBALANCE_STEPS):
            parameters = [p for p in network.parameters() if p.requires_grad]
            norms = torch.stack([_gradient_norm(scalar, parameters) for scalar in (value, loss)])
            of_term, of_loss = norms.tolist()
            if 0 < of_term < float("inf"):
                self._ratio, self._measured_at = of_loss / of_term, step
        return value, self._ratio if self.balanced else 1.0


def _gradient_norm(scalar: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    """Compute the norm () of the gradient averaged over the ranks, in double precision; a collective."""
    squares = scalar.new_zeros((), dtype=torch.float64)
    if scalar.requires_grad:
        gradients = torch.autograd.grad(scalar, parameters, retain_graph=True, allow_unused=True)
        for gradient in gradients:
            if gradient is not None:
                squares = squares + mean_over_ranks(gradient).square().sum()
    return squares.sqrt()
