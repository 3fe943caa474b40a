"""Max-pooling: maxima over windows, axis by axis; padding never counts."""

from __future__ import annotations

from typing import Any, NamedTuple

from creased.networks.lowering.graph.refusals import Refusal
from creased.networks.lowering.graph.tape import Tape
from creased.networks.lowering.graph.values import Value
from creased.networks.lowering.operators.arithmetic import Operation
from creased.networks.lowering.operators.extremes import reduce_groups
from creased.networks.lowering.operators.piecewise import maximum


class _PoolOptions(NamedTuple):
    """Arguments of `functional.max_pool2d` after its input, with its defaults; numbers or one an axis."""

    kernel_size: Any
    stride: Any = None  # None: the kernel size
    padding: Any = 0
    dilation: Any = 1
    ceil_mode: bool = False
    return_indices: bool = False


def windows(
    size: int, kernel: int, stride: int, padding: int, dilation: int, *, ceil: bool
) -> list[list[int]]:
    """List the entries of an axis in each pooling window, padding left out."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    n = (-(-span // stride) if ceil else span // stride) + 1
    if ceil and (n - 1) * stride >= size + padding:
        n -= 1  # the last window would begin in the padding
    starts = (i * stride - padding for i in range(n))
    return [[j for j in range(s, s + dilation * kernel, dilation) if 0 <= j < size] for s in starts]


def _max_pool(n_axes: int) -> Operation:
    def operation(tape: Tape, x: Value, *args: Any, **kwargs: Any) -> Value:
        pool = _PoolOptions(*args, **kwargs)
        _require_plain_pool(x, n_axes, pool.return_indices)
        options = (pool.kernel_size, pool.stride or pool.kernel_size, pool.padding, pool.dilation)
        sizes = zip(*(_for_each_axis(option, n_axes) for option in options), strict=True)
        for axis, per_axis in enumerate(sizes, start=2):
            groups = windows(x.sample.shape[axis], *per_axis, ceil=pool.ceil_mode)
            x = reduce_groups(tape, maximum, x, axis, groups)
        return x

    return operation


def _adaptive_max_pool(n_axes: int) -> Operation:
    def operation(tape: Tape, x: Value, output_size: Any, return_indices: bool = False) -> Value:
        _require_plain_pool(x, n_axes, return_indices)
        for axis, n in enumerate(_for_each_axis(output_size, n_axes), start=2):
            size = x.sample.shape[axis]
            n = size if n is None else n
            groups = [range(i * size // n, -(-(i + 1) * size // n)) for i in range(n)]
            x = reduce_groups(tape, maximum, x, axis, groups)
        return x

    return operation


def _require_plain_pool(x: Value, n_axes: int, return_indices: bool) -> None:
    if return_indices:
        raise Refusal("max-pooling with return_indices=True is not supported: indices are not continuous")
    if x.sample.ndim != n_axes + 2:
        raise Refusal(
            f"max-pooling over {n_axes} axes needs points with {n_axes + 1}, got {x.sample.ndim - 1}"
        )


def _for_each_axis(option: Any, n_axes: int) -> tuple[Any, ...]:
    return tuple(option) if isinstance(option, list | tuple) else (option,) * n_axes


POOLING: dict[str, Operation] = {
    **{f"max_pool{n}d{suffix}": _max_pool(n) for n in (1, 2, 3) for suffix in ("", "_with_indices")},
    **{f"adaptive_max_pool{n}d": _adaptive_max_pool(n) for n in (1, 2, 3)},
}
