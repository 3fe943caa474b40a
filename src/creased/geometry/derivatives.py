"""Give a value that has right first derivatives in the weights the higher ones too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from creased.core.numerics.surroundings import as_written
from creased.core.program.program import Program


def with_derivatives_of(compute: Callable[[], Tensor], value: Tensor, program: Program) -> Tensor:
    """Return a value of which the first derivatives in the weights are right, with the others right too.

    Args:
        compute: computes the value anew, with derivatives of any order; where a gradient is differentiated.
        value: with right first derivatives.
        program: with live weights.
    """
    weights = [tensor for tensor in program.tensors() if tensor.requires_grad]
    made: Tensor = _WithDerivatives.apply(compute, value, *weights)  # type: ignore[no-untyped-call]
    return made


class _WithDerivatives(torch.autograd.Function):
    """The identity; a gradient that is to be differentiated is that of the value computed anew."""

    @staticmethod
    def forward(ctx: Any, compute: Callable[[], Tensor], value: Tensor, *weights: Tensor) -> Tensor:
        ctx.compute, ctx.weights = compute, weights
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        if not torch.is_grad_enabled():
            return None, gradient, *[None] * len(ctx.weights)
        value = as_written(ctx.compute)() + sum(
            0 * weight.sum() for weight in ctx.weights
        )  # it may depend on none
        of_weights = torch.autograd.grad(value, ctx.weights, gradient, create_graph=True)
        return None, None, *of_weights
