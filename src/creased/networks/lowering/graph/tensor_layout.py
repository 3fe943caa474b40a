"""Operations that arrange, average or resample numbers: linear as they stand, applied to columns unchanged.

Where constants are arranged together with what depends on the input they get columns of zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.slots import Slot
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.operators.arithmetic import Operation, add, depends, one_row

VIEWS = (
    "contiguous expand expand_as flatten moveaxis movedim narrow permute ravel reshape reshape_as select "
    "squeeze swapaxes swapdims transpose unflatten unfold unsqueeze view view_as getitem diagonal"
)
PARTS = "chunk split tensor_split unbind"
COPIES = "clone detach flip index_select repeat repeat_interleave roll tile broadcast_to channel_shuffle"
CASTS = "cpu cuda double float to type type_as"
SUMS = (
    "cumsum diff fold mean neg negative pos positive sum interpolate upsample pixel_shuffle pixel_unshuffle "
    "avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d"
)
AS_THEY_STAND = frozenset(" ".join([VIEWS, PARTS, COPIES, CASTS, SUMS]).split())
RENAMED: dict[str, Callable[..., Any]] = {
    "view": torch.Tensor.reshape,  # columns need not lie as the points did
    "view_as": torch.Tensor.reshape_as,
    "neg": torch.neg,
    "negative": torch.neg,
    "pos": torch.clone,
    "positive": torch.clone,
}


def _place(amount: Tensor, like: Tensor) -> Tensor:
    """Columns (m + 1, *shape) of a constant (1, *shape), for the coordinates of other columns."""
    zeros = amount.new_zeros((like.shape[0] - 1, *amount.shape[1:]))
    return torch.cat([zeros, amount])


def _as_columns(tape: Tape, value: Any, like: Slot) -> Any:
    """The value, as one that depends on the input, though perhaps by nothing."""
    if depends(value):
        return value
    amount = one_row(tape, value, like.sample.ndim)
    if amount.sample.ndim != like.sample.ndim or amount.sample.shape[0] != 1:
        raise Refusal(
            f"joined to a tensor of shape {tuple(amount.sample.shape)} that is not one for each point"
        )
    return tape.apply(_place, amount, like)


def _join(tape: Tape, function: Callable[..., Tensor], tensors: Sequence[Any], dim: int) -> Any:
    like = next(part for part in tensors if depends(part))
    return tape.apply(function, [_as_columns(tape, part, like) for part in tensors], dim)


def cat(tape: Tape, tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """Concatenation; constants among the parts are the same for all points."""
    return _join(tape, torch.cat, tensors, dim if axis is None else axis)


def stack(tape: Tape, tensors: Sequence[Any], dim: int = 0) -> Any:
    """Stacking on a new axis."""
    return _join(tape, torch.stack, tensors, dim)


def hstack(tape: Tape, tensors: Sequence[Any]) -> Any:
    """Concatenation along the first axis of a point."""
    return _join(tape, torch.cat, tensors, 1)


def pad(tape: Tape, x: Slot, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """Padding by zeros, by a number, or by what is there."""
    padded = tape.apply(functional.pad, x, tuple(pad), mode)
    if mode != "constant" or not value:
        return padded
    border = functional.pad(torch.zeros_like(x.sample[:1]), tuple(pad), value=value)
    return add(tape, padded, tape.literal(border))


def _made_like(make: Callable[..., Tensor]) -> Operation:
    """A tensor made in the likeness of a value, of which it needs the shape alone."""

    def operation(tape: Tape, x: Slot, *args: Any, **kwargs: Any) -> Slot:
        return tape.literal(make(x.sample, *args, **kwargs))

    return operation


ARRANGEMENT: dict[str, Operation] = {
    "cat": cat,
    "concat": cat,
    "concatenate": cat,
    "stack": stack,
    "hstack": hstack,
    "pad": pad,
    "zeros_like": _made_like(torch.zeros_like),
    "ones_like": _made_like(torch.ones_like),
    "full_like": _made_like(torch.full_like),
    "new_zeros": _made_like(torch.Tensor.new_zeros),
    "new_ones": _made_like(torch.Tensor.new_ones),
    "new_full": _made_like(torch.Tensor.new_full),
    "new_tensor": _made_like(torch.Tensor.new_tensor),
}
