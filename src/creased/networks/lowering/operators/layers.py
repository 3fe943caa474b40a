"""Layers that are affine in eval mode: linear, convolution, batch normalisation, dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.values import Value
from creased.networks.lowering.operators.arithmetic import Operation, add, mul, require_one_factor, sub


def linear(tape: Tape, x: Any, weight: Any, bias: Any = None) -> Any:
    """Record x W^T + b."""
    require_one_factor("a matrix product", x, weight)
    out = tape.apply(functional.linear, x, weight)
    return out if bias is None else add(tape, out, bias)


def _convolution(function: Callable[..., Tensor], n_axes: int) -> Operation:
    """Make the operator of a convolution, plain or transposed, over ``n_axes`` spatial axes."""

    def operation(tape: Tape, x: Any, weight: Any, bias: Any = None, *args: Any, **kwargs: Any) -> Any:
        require_one_factor("a convolution", x, weight)
        if x.sample.ndim != n_axes + 2:
            shape = tuple(x.sample.shape[1:])
            raise Refusal(
                f"a convolution over {n_axes} axes needs points with {n_axes + 1}, got shape {shape}"
            )
        out = tape.apply(function, x, weight, None, *args, **kwargs)
        return out if bias is None else add(tape, out, _along_channels(tape, bias, n_axes))

    return operation


class _BatchNormOptions(NamedTuple):
    """Arguments of `functional.batch_norm` after the running statistics, with its defaults."""

    weight: Any = None
    bias: Any = None
    training: bool = False
    momentum: float = 0.1
    eps: float = 1e-5


def batch_norm(tape: Tape, x: Value, running_mean: Any, running_var: Any, *args: Any, **kwargs: Any) -> Any:
    """Record batch normalisation by running statistics, an affine map."""
    options = _BatchNormOptions(*args, **kwargs)
    if options.training or running_mean is None or running_var is None:
        raise Refusal(
            "batch_norm by the statistics of the batch is not piecewise affine; use running statistics"
        )
    n_axes = x.sample.ndim - 2
    scale = tape.apply(_scale_of, running_var, options.weight, options.eps)
    centred = sub(tape, x, _along_channels(tape, running_mean, n_axes))
    out = mul(tape, centred, _along_channels(tape, scale, n_axes))
    return out if options.bias is None else add(tape, out, _along_channels(tape, options.bias, n_axes))


def _scale_of(variance: Tensor, weight: Tensor | None, eps: float) -> Tensor:
    scale = torch.rsqrt(variance + eps)
    return scale if weight is None else scale * weight


def _along_channels(tape: Tape, vector: Any, n_axes: int) -> Any:
    """Reshape a vector (C,) to (C, 1, ...) for broadcasting over ``n_axes`` spatial axes."""
    return tape.apply(torch.reshape, vector, (-1, *[1] * n_axes))


def dropout(tape: Tape, x: Value, p: float = 0.5, training: bool = True, inplace: bool = False) -> Value:
    """Return x: dropout is the identity in eval mode."""
    if training and p > 0:
        raise Refusal("dropout with training=True is random; pass training=self.training")
    return x


LAYERS: dict[str, Operation] = {
    "linear": linear,
    **{f"conv{n}d": _convolution(getattr(functional, f"conv{n}d"), n) for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _convolution(getattr(functional, f"conv_transpose{n}d"), n) for n in (1, 2, 3)},
    "batch_norm": batch_norm,
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "dropout3d"), dropout),
    **dict.fromkeys(("alpha_dropout", "feature_dropout", "feature_alpha_dropout"), dropout),
}
