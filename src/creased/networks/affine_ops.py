"""Operations that are affine in what depends on the input: each is written as steps that are linear in columns.

Most are linear as they stand (views, sums, averages, permutations, resampling) and are applied to columns
unchanged; products take one factor that does not depend on the input; what is added goes to the constant
column alone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from creased.networks.refusals import Refusal
from creased.networks.tape import BATCH, Slot, Tape, find_slots

Number = int | float
Operation = Callable[..., Any]

AS_THEY_STAND = frozenset(
    """adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d avg_pool1d avg_pool2d avg_pool3d broadcast_to
    channel_shuffle chunk clone contiguous cumsum detach diagonal diff double expand expand_as flatten flip float
    fold getitem index_select interpolate mean moveaxis movedim mT narrow neg negative permute pixel_shuffle
    pixel_unshuffle positive pos ravel repeat repeat_interleave reshape reshape_as roll select split squeeze sum
    swapaxes swapdims take_along_dim tensor_split tile to transpose type type_as unbind unflatten unfold
    unsqueeze upsample view view_as""".split()
)

RENAMED: dict[str, Callable[..., Any]] = {
    "view": torch.Tensor.reshape,  # columns need not lie as the points did
    "view_as": torch.Tensor.reshape_as,
    "neg": torch.neg,
    "negative": torch.neg,
    "pos": torch.clone,
    "positive": torch.clone,
}


def shift(columns: Tensor, amount: Tensor | Number, alpha: Number = 1) -> Tensor:
    """Add what does not depend on the input: to the constant column (1, *shape), broadcast as usual."""
    moved = torch.add(columns[-1:], amount, alpha=alpha)
    if moved.ndim != columns.ndim or moved.shape[0] != 1:
        raise Refusal("what is added has more dimensions than a point")
    linear = columns[:-1]
    return torch.cat([linear.expand(linear.shape[0], *moved.shape[1:]).to(moved.dtype), moved])


def place(amount: Tensor, like: Tensor) -> Tensor:
    """Columns (m + 1, *shape) of a constant (1, *shape), for the coordinates of other columns."""
    zeros = amount.new_zeros((like.shape[0] - 1, *amount.shape[1:]))
    return torch.cat([zeros, amount])


def _one_row(tape: Tape, constant: Slot | Any, ndim: int) -> Slot | Any:
    """A constant that was made for each point of the batch, alike, as (1, *shape); others as they are."""
    if not isinstance(constant, Slot) or constant.sample.ndim != ndim or constant.sample.shape[0] != BATCH:
        return constant
    if not bool((constant.sample == constant.sample[:1]).all()):
        raise Refusal("a tensor that does not depend on the input differs from point to point")
    return tape.apply(operator.getitem, constant, slice(0, 1))


def as_columns(tape: Tape, value: Slot | Any, like: Slot) -> Slot:
    """The value, as one that depends on the input, though perhaps by nothing."""
    if isinstance(value, Slot) and not value.is_constant:
        return value
    if not isinstance(value, Slot):
        value = tape.literal(torch.as_tensor(value, dtype=like.sample.dtype, device=like.sample.device))
    amount = _one_row(tape, value, like.sample.ndim)
    if amount.sample.ndim != like.sample.ndim or amount.sample.shape[0] != 1:
        raise Refusal("a tensor that does not depend on the input has another number of dimensions")
    placed: Slot = tape.apply(place, amount, like)
    return placed


def depends(value: Any) -> bool:
    """Whether it is a value that depends on the input."""
    return isinstance(value, Slot) and not value.is_constant


def require_one_factor(name: str, *factors: Any) -> None:
    """Refuse products of what depends on the input."""
    if sum(depends(factor) for factor in factors) > 1:
        raise Refusal(f"{name} of two values that depend on the input is not piecewise affine")


def add(tape: Tape, x: Any, other: Any, *, alpha: Number = 1) -> Slot:
    """x + alpha other."""
    if depends(x) and depends(other):
        return tape.apply(torch.add, x, other, alpha=alpha)
    if not depends(x):
        x, other = (other if alpha == 1 else mul(tape, other, alpha)), x
        alpha = 1
    if isinstance(other, int | float) and other == 0:
        return x
    return tape.apply(shift, x, _one_row(tape, other, x.sample.ndim), alpha)


def sub(tape: Tape, x: Any, other: Any, *, alpha: Number = 1) -> Slot:
    """x - alpha other."""
    if depends(x) and depends(other):
        return tape.apply(torch.sub, x, other, alpha=alpha)
    return add(tape, x, other, alpha=-alpha)


def mul(tape: Tape, x: Any, other: Any) -> Slot:
    """x other."""
    require_one_factor("a product", x, other)
    x, other = (x, other) if depends(x) else (other, x)
    if isinstance(other, int | float) and other == 1:
        return x
    if isinstance(other, int | float) and other == -1:
        return tape.apply(torch.neg, x)
    return tape.apply(torch.mul, x, _one_row(tape, other, x.sample.ndim))


def div(tape: Tape, x: Any, other: Any, *, rounding_mode: str | None = None) -> Slot:
    """x / other."""
    if depends(other):
        raise Refusal("a quotient by what depends on the input is not piecewise affine")
    if rounding_mode is not None:
        raise Refusal(f"div with rounding_mode={rounding_mode} is not continuous")
    return tape.apply(torch.true_divide, x, _one_row(tape, other, x.sample.ndim))


def matmul(tape: Tape, x: Any, other: Any) -> Slot:
    """Matrix products, of any shapes."""
    require_one_factor("a matrix product", x, other)
    return tape.apply(torch.matmul, x, other)


def einsum(tape: Tape, equation: str, *operands: Any) -> Slot:
    """Sums of products."""
    require_one_factor("a product", *find_slots(operands))
    return tape.apply(torch.einsum, equation, *operands)


def linear(tape: Tape, x: Any, weight: Any, bias: Any = None) -> Slot:
    """A matrix and a bias."""
    require_one_factor("a matrix product", x, weight)
    out = tape.apply(F.linear, x, weight)
    return out if bias is None else add(tape, out, bias)


def addmm(tape: Tape, x: Any, left: Any, right: Any, *, beta: Number = 1, alpha: Number = 1) -> Slot:
    """beta x + alpha left right."""
    return add(tape, mul(tape, matmul(tape, left, right), alpha), _times(tape, x, beta))


def lerp(tape: Tape, x: Any, end: Any, weight: Any) -> Slot:
    """x + weight (end - x)."""
    return add(tape, x, mul(tape, sub(tape, end, x), weight))


def _times(tape: Tape, value: Any, factor: Number) -> Any:
    return value if factor == 1 else tape.apply(torch.mul, value, factor)


def convolution(function: Callable[..., Tensor], n_axes: int) -> Operation:
    """conv or conv_transpose with so many spatial axes."""

    def operation(tape: Tape, x: Any, weight: Any, bias: Any = None, *args: Any, **kwargs: Any) -> Slot:
        require_one_factor("a convolution", x, weight)
        if x.sample.ndim != n_axes + 2:
            raise Refusal(f"a convolution of points with {x.sample.ndim - 1} dimensions, not {n_axes + 1}")
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
    eps: float = 1e-5,
) -> Slot:
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


def _along_channels(tape: Tape, vector: Any, n_axes: int) -> Slot:
    """A vector (C,) as (C, 1, ...), to be broadcast over so many spatial axes."""
    shaped: Slot = tape.apply(torch.reshape, vector, (-1, *[1] * n_axes))
    return shaped


def cat(tape: Tape, tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Slot:
    """Concatenation; constants among the parts are the same for all points."""
    return _join(tape, torch.cat, tensors, dim if axis is None else axis)


def stack(tape: Tape, tensors: Sequence[Any], dim: int = 0) -> Slot:
    """Stacking on a new axis."""
    return _join(tape, torch.stack, tensors, dim)


def _join(tape: Tape, function: Callable[..., Tensor], tensors: Sequence[Any], dim: int) -> Slot:
    like = next(part for part in tensors if depends(part))
    return tape.apply(function, [as_columns(tape, part, like) for part in tensors], dim)


def pad(tape: Tape, x: Slot, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Slot:
    """Padding, by zeros, by a number, or by what is there."""
    if mode != "constant" or not value:
        return tape.apply(F.pad, x, tuple(pad), mode)
    padded = tape.apply(F.pad, x, tuple(pad))
    border = F.pad(torch.zeros_like(x.sample[:1]), tuple(pad), value=value)
    return add(tape, padded, tape.literal(border))


def dropout(tape: Tape, x: Slot, p: float = 0.5, training: bool = True, inplace: bool = False) -> Slot:
    """The identity in eval mode."""
    if training and p > 0:
        raise Refusal("dropout with training=True is random; give it training=self.training")
    return x


def _filled(make: Callable[..., Tensor]) -> Operation:
    """Tensors made in the likeness of a value; of it they know the shape alone."""

    def operation(tape: Tape, x: Slot, *args: Any, **kwargs: Any) -> Slot:
        return tape.literal(make(x.sample, *args, **kwargs))

    return operation


def identity(tape: Tape, x: Slot, *args: Any, **kwargs: Any) -> Slot:
    """What does nothing to values."""
    return x


AFFINE: dict[str, Operation] = {
    "add": add,
    "radd": lambda tape, x, other: add(tape, other, x),
    "sub": sub,
    "subtract": sub,
    "rsub": lambda tape, x, other, *, alpha=1: sub(tape, other, x, alpha=alpha),
    "mul": mul,
    "multiply": mul,
    "rmul": lambda tape, x, other: mul(tape, other, x),
    "div": div,
    "divide": div,
    "truediv": div,
    "true_divide": div,
    "matmul": matmul,
    "rmatmul": lambda tape, x, other: matmul(tape, other, x),
    "mm": matmul,
    "bmm": matmul,
    "mv": matmul,
    "einsum": einsum,
    "linear": linear,
    "addmm": addmm,
    "baddbmm": addmm,
    "lerp": lerp,
    "batch_norm": batch_norm,
    "cat": cat,
    "concat": cat,
    "concatenate": cat,
    "hstack": lambda tape, tensors: cat(tape, tensors, 1),
    "stack": stack,
    "pad": pad,
    "dropout": dropout,
    "dropout1d": dropout,
    "dropout2d": dropout,
    "dropout3d": dropout,
    "alpha_dropout": dropout,
    "feature_dropout": dropout,
    "feature_alpha_dropout": dropout,
    **{
        name: _filled(getattr(torch, name, None) or getattr(torch.Tensor, name))
        for name in "zeros_like ones_like full_like new_zeros new_ones new_full new_tensor".split()
    },
    "cpu": identity,
    "requires_grad": identity,
    **{
        f"conv{'_transpose' * is_transposed}{n}d": convolution(
            getattr(F, f"conv{'_transpose' * is_transposed}{n}d"), n
        )
        for n in (1, 2, 3)
        for is_transposed in (False, True)
    },
}
