"""Layers that are affine in eval mode: linear ones, convolutions, batch normalisation, dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.slots import Slot
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.operators.arithmetic import Operation, add, mul, require_one_factor, sub


def linear(tape: Tape, x: Any, weight: Any, bias: Any = None) -> Any:
    """A matrix and a bias."""
    require_one_factor("a matrix product", x, weight)
    out = tape.apply(functional.linear, x, weight)
    return out if bias is None else add(tape, out, bias)


def _convolution(function: Callable[..., Tensor], n_axes: int) -> Operation:
    """A convolution, or a transposed one, with so many spatial axes."""

    def operation(tape: Tape, x: Any, weight: Any, bias: Any = None, *args: Any, **kwargs: Any) -> Any:
        require_one_factor("a convolution", x, weight)
        if x.sample.ndim != n_axes + 2:
            raise Refusal(f"a convolution over {n_axes} axes of points of shape {tuple(x.sample.shape[1:])}")
        out = tape.apply(function, x, weight, None, *args, **kwargs)
        return out if bias is None else add(tape, out, _along_channels(tape, bias, n_axes))

    return operation


def batch_norm(
    tape: Tape,
    x: Slot,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,  # torch's own
) -> Any:
    """The affine map that batch normalisation is in eval mode."""
    if training or running_mean is None or running_var is None:
        raise Refusal("batch_norm by the statistics of the batch is not piecewise affine; track them")
    n_axes = x.sample.ndim - 2
    scale = tape.apply(_scale_of, running_var, weight, eps)
    centred = sub(tape, x, _along_channels(tape, running_mean, n_axes))
    out = mul(tape, centred, _along_channels(tape, scale, n_axes))
    return out if bias is None else add(tape, out, _along_channels(tape, bias, n_axes))


def _scale_of(variance: Tensor, weight: Tensor | None, eps: float) -> Tensor:
    scale = torch.rsqrt(variance + eps)
    return scale if weight is None else scale * weight


def _along_channels(tape: Tape, vector: Any, n_axes: int) -> Any:
    """A vector (C,) as (C, 1, ...), to be broadcast over so many spatial axes."""
    return tape.apply(torch.reshape, vector, (-1, *[1] * n_axes))


def dropout(tape: Tape, x: Slot, p: float = 0.5, training: bool = True, inplace: bool = False) -> Slot:
    """The identity in eval mode."""
    if training and p > 0:
        raise Refusal("dropout with training=True is random; give it training=self.training")
    return x


LAYERS: dict[str, Operation] = {
    "linear": linear,
    "conv1d": _convolution(functional.conv1d, 1),
    "conv2d": _convolution(functional.conv2d, 2),
    "conv3d": _convolution(functional.conv3d, 3),
    "conv_transpose1d": _convolution(functional.conv_transpose1d, 1),
    "conv_transpose2d": _convolution(functional.conv_transpose2d, 2),
    "conv_transpose3d": _convolution(functional.conv_transpose3d, 3),
    "batch_norm": batch_norm,
    "dropout": dropout,
    "dropout1d": dropout,
    "dropout2d": dropout,
    "dropout3d": dropout,
    "alpha_dropout": dropout,
    "feature_dropout": dropout,
    "feature_alpha_dropout": dropout,
}
