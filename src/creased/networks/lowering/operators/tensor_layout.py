"""Views, copies, joins, sums and resampling: linear operations, applied to columns unchanged.

Constants that are joined to values that depend on the input are given columns of zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.values import CASTS, Value
from creased.networks.lowering.operators.arithmetic import Operation, add, by_name, depends_on_input, one_row
from creased.networks.lowering.operators.stacked import in_front

VIEWS = (
    "contiguous expand expand_as flatten moveaxis movedim narrow permute ravel reshape reshape_as select "
    "squeeze swapaxes swapdims transpose unflatten unfold unsqueeze view view_as getitem diagonal"
)
PARTS = "chunk split tensor_split unbind"
COPIES = "clone detach flip index_select repeat repeat_interleave roll tile broadcast_to channel_shuffle"
SUMS = (
    "cumsum diff fold mean neg negative pos positive sum interpolate upsample pixel_shuffle pixel_unshuffle "
    "avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d"
)
LINEAR = frozenset(" ".join([VIEWS, PARTS, COPIES, SUMS]).split()) | CASTS


def _squeeze(columns: Tensor, *dims: Any, **named: Any) -> Tensor:
    """Remove axes; without any given, all of a point that have one entry."""
    single = tuple(i for i, n in enumerate(columns.shape) if n == 1 and i > 0)
    return columns.squeeze(*dims, **named) if dims or named else columns.squeeze(single)


COLUMN_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "view": torch.Tensor.reshape,  # columns may not be contiguous where points are
    "view_as": torch.Tensor.reshape_as,
    "squeeze": _squeeze,
    **dict.fromkeys(("neg", "negative"), torch.neg),
    **dict.fromkeys(("pos", "positive"), torch.clone),
}


def _constant_columns(constant: Tensor, like: Tensor) -> Tensor:
    """Return columns (m + 1, *shape) of a constant (1, *shape), over the coordinates of ``like``."""
    zeros = constant.new_zeros((like.shape[0] - 1, *constant.shape[1:]))
    return torch.cat([zeros, constant])


def _as_columns(tape: Tape, value: Any, like: Value) -> Any:
    """Widen a constant to the columns of ``like``, all but the last zero; return others as they are."""
    if depends_on_input(value):
        return value
    row = one_row(tape, value, like.sample.ndim)
    if row.sample.ndim != like.sample.ndim or row.sample.shape[0] != 1:
        raise Refusal(
            f"a joined constant of shape {tuple(row.sample.shape)} does not have one entry for each point"
        )
    return tape.apply(_constant_columns, row, like)


def _join(tape: Tape, function: Callable[..., Tensor], tensors: Sequence[Any], dim: int) -> Any:
    like = next(part for part in tensors if depends_on_input(part))
    return tape.apply(function, [_as_columns(tape, part, like) for part in tensors], dim)


def cat(tape: Tape, tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """Record a concatenation; constant parts are the same for all points."""
    return _join(tape, torch.cat, tensors, dim if axis is None else axis)


def stack(tape: Tape, tensors: Sequence[Any], dim: int = 0) -> Any:
    """Record a stack along a new axis, which may stand in front of the points."""
    if dim in (0, -1 - max(part.sample.ndim for part in tensors)):
        return in_front(_join(tape, torch.stack, tensors, 1))
    return _join(tape, torch.stack, tensors, dim)


def hstack(tape: Tape, tensors: Sequence[Any]) -> Any:
    """Record a concatenation along the first axis of a point."""
    return _join(tape, torch.cat, tensors, 1)


def pad(tape: Tape, x: Value, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """Record padding by a number, or by entries of the tensor (reflect, replicate, circular)."""
    padded = tape.apply(functional.pad, x, tuple(pad), mode)
    if mode != "constant" or not value:
        return padded
    border = functional.pad(torch.zeros_like(x.sample[:1]), tuple(pad), value=value)
    return add(tape, padded, tape.literal(border))


def _made_like(make: Callable[..., Tensor]) -> Operation:
    """Make the operator of a constructor that takes shape and dtype from a value."""

    def operation(tape: Tape, x: Value, *args: Any, **kwargs: Any) -> Value:
        return tape.literal(make(x.sample, *args, **kwargs))

    return operation


def requires_grad(tape: Tape, x: Value, requires_grad: bool = True) -> Value:
    """Return the value: what is differentiated is no part of the function."""
    return x


def _everywhere(answer: bool) -> Operation:
    """Make the operator of a check of numbers, which are finite wherever a program is evaluated."""

    def operation(tape: Tape, x: Value) -> Value:
        return tape.literal(torch.full_like(x.sample, answer, dtype=torch.bool))

    return operation


TENSOR_LAYOUT: dict[str, Operation] = {
    **by_name(cat, stack, hstack, pad, requires_grad),
    "isfinite": _everywhere(True),
    "isnan": _everywhere(False),
    "isinf": _everywhere(False),
    **dict.fromkeys(("concat", "concatenate"), cat),
    **{name: _made_like(getattr(torch, name)) for name in ("zeros_like", "ones_like", "full_like")},
    **{
        name: _made_like(getattr(Tensor, name))
        for name in ["new_zeros", "new_ones", "new_full", "new_tensor"]
    },
}
