"""Max-pooling: the largest entry of each window, axis by axis; padding is never the largest."""

from __future__ import annotations

from typing import Any

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.slots import Slot
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.operators.arithmetic import Operation
from creased.networks.lowering.operators.extremes import reduce_groups
from creased.networks.lowering.operators.piecewise import maximum


def windows(
    size: int, kernel: int, stride: int, padding: int, dilation: int, *, ceil: bool
) -> list[list[int]]:
    """The entries that each window of a pooling layer sees of an axis; padding is not among them."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    n = (-(-span // stride) if ceil else span // stride) + 1
    if ceil and (n - 1) * stride >= size + padding:
        n -= 1  # the last window would begin in the padding
    starts = (i * stride - padding for i in range(n))
    return [[j for j in range(s, s + dilation * kernel, dilation) if 0 <= j < size] for s in starts]


def _max_pool(n_axes: int) -> Operation:
    def operation(
        tape: Tape,
        x: Slot,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Slot:
        _require_plain_pool(x, n_axes, return_indices)
        sizes = [_each(option, n_axes) for option in (kernel_size, stride or kernel_size, padding, dilation)]
        for axis, options in enumerate(zip(*sizes, strict=True), start=2):
            groups = windows(x.sample.shape[axis], *options, ceil=ceil_mode)
            x = reduce_groups(tape, maximum, x, axis, groups)
        return x

    return operation


def _adaptive_max_pool(n_axes: int) -> Operation:
    def operation(tape: Tape, x: Slot, output_size: Any, return_indices: bool = False) -> Slot:
        _require_plain_pool(x, n_axes, return_indices)
        for axis, n in enumerate(_each(output_size, n_axes), start=2):
            size = x.sample.shape[axis]
            n = size if n is None else n
            groups = [range(i * size // n, -(-(i + 1) * size // n)) for i in range(n)]
            x = reduce_groups(tape, maximum, x, axis, groups)
        return x

    return operation


def _require_plain_pool(x: Slot, n_axes: int, return_indices: bool) -> None:
    if return_indices:
        raise Refusal("max-pooling with return_indices=True: indices are not continuous")
    if x.sample.ndim != n_axes + 2:
        raise Refusal(f"max-pooling of points with {x.sample.ndim - 1} dimensions, not {n_axes + 1}")


def _each(option: Any, n_axes: int) -> tuple[Any, ...]:
    return tuple(option) if isinstance(option, list | tuple) else (option,) * n_axes


POOLING: dict[str, Operation] = {
    **{f"max_pool{n}d": _max_pool(n) for n in (1, 2, 3)},
    **{f"max_pool{n}d_with_indices": _max_pool(n) for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": _adaptive_max_pool(n) for n in (1, 2, 3)},
}
