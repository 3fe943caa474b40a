"""Largest and smallest entries along an axis, max-pooling and sorting, as tournaments of maxima of two.

The largest of k entries takes k - 1 rectifications in log2(k) blocks. As relu is monotone, the largest of
relu(z) is relu of the largest z, which takes fewer of them and leaves no crease inside flat regions.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from creased.networks.affine_ops import depends
from creased.networks.piecewise_ops import absolute, maximum, minimum
from creased.networks.refusals import Refusal
from creased.networks.tape import Slot, Tape

Pairwise = Callable[[Tape, Any, Any], Slot]


class Extremes(NamedTuple):
    """What torch returns of max, min and sort along an axis."""

    values: Slot
    indices: None = None  # they jump


def reduce_groups(tape: Tape, better: Pairwise, x: Slot, dim: int, groups: Sequence[Sequence[int]]) -> Slot:
    """The best entry of each group of entries of an axis; the axis then has one entry a group."""
    source = tape.source_of(x)
    if source is not None:
        return tape.rectify(reduce_groups(tape, better, source, dim, groups))
    while any(len(group) > 1 for group in groups):
        pairs = _places(pair for group in groups for pair in _pairs(group))
        rest = _places(group[-1] for group in groups if len(group) % 2)
        first, second = (pick(tape, x, dim, tuple(pair[i] for pair in pairs)) for i in (0, 1))
        winners = better(tape, first, second)
        parts = [winners, pick(tape, x, dim, tuple(rest))] if rest else [winners]
        x = tape.apply(torch.cat, parts, dim)
        groups = [
            [pairs[pair] for pair in _pairs(group)] + [len(pairs) + rest[i] for i in group[len(group) & ~1 :]]
            for group in groups
        ]
    return pick(tape, x, dim, tuple(group[0] for group in groups))


def _pairs(group: Sequence[int]) -> Iterator[tuple[int, int]]:
    return zip(group[::2], group[1::2], strict=False)


def _places(entries: Iterator[Any]) -> dict[Any, int]:
    """Where each of some entries stands, counted once."""
    return {entry: place for place, entry in enumerate(dict.fromkeys(entries))}


def pick(tape: Tape, x: Slot, dim: int, index: tuple[int, ...]) -> Slot:
    """Entries of an axis."""
    if index == tuple(range(x.sample.shape[dim])):
        return x
    picked: Slot = tape.apply(_pick, x, dim, index)
    return picked


def _pick(columns: Tensor, dim: int, index: tuple[int, ...]) -> Tensor:
    return columns.index_select(dim, torch.tensor(index, device=columns.device))


def _axes(x: Slot, dim: Any, name: str) -> list[int]:
    """Axes as positive numbers, the last first."""
    chosen = [dim] if isinstance(dim, int) else list(dim or ())
    axes = sorted({axis % x.sample.ndim for axis in chosen}, reverse=True)
    if not axes or axes[-1] == 0:
        raise Refusal(f"{name} over the points of a batch; give it the axes of a point")
    return axes


def _over_axes(name: str, better: Pairwise) -> Callable[..., Slot]:
    def operation(tape: Tape, x: Slot, dim: Any = (), keepdim: bool = False) -> Slot:
        for axis in _axes(x, dim, name):
            x = reduce_groups(tape, better, x, axis, [range(x.sample.shape[axis])])
            x = x if keepdim else tape.apply(torch.squeeze, x, axis)
        return x

    return operation


amax, amin = _over_axes("amax", maximum), _over_axes("amin", minimum)


def _along_or_of_two(over_axes: Callable[..., Slot], better: Pairwise) -> Callable[..., Any]:
    """torch.max and torch.min, which are two functions each."""

    def operation(tape: Tape, x: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        second = other if other is not None else dim
        if isinstance(second, int):
            return Extremes(over_axes(tape, x, second, keepdim))
        if second is None:
            raise Refusal("max or min over all points of a batch; give it an axis of a point")
        return better(tape, x, second)

    return operation


def windows(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> list[list[int]]:
    """The entries that each window of a pooling layer sees of an axis; padding is not among them."""
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    n = (-(-span // stride) if ceil else span // stride) + 1
    if ceil and (n - 1) * stride >= size + padding:
        n -= 1  # the last window would begin in the padding
    starts = (i * stride - padding for i in range(n))
    return [[j for j in range(s, s + dilation * kernel, dilation) if 0 <= j < size] for s in starts]


def _max_pool(n_axes: int) -> Callable[..., Slot]:
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


def _adaptive_max_pool(n_axes: int) -> Callable[..., Slot]:
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


def comparators(n: int) -> Iterator[list[tuple[int, int]]]:
    """Layers of a network that sorts n entries (Knuth, volume 3, 5.2.2, algorithm M)."""
    top = 1 << max((n - 1).bit_length() - 1, 0)
    p = top
    while p:
        q, r, d = top, 0, p
        while True:
            yield [(i, i + d) for i in range(n - d) if i & p == r]
            if q == p:
                break
            q, r, d = q // 2, p, q - p
        p //= 2


def sort(tape: Tape, x: Slot, dim: int = -1, descending: bool = False, stable: bool = False) -> Extremes:
    """The entries of an axis in order."""
    (axis,) = _axes(x, dim, "sort")
    n = x.sample.shape[axis]
    source = tape.source_of(x)
    if source is not None:
        return Extremes(tape.rectify(sort(tape, source, dim, descending).values))
    for layer in filter(None, comparators(n)):
        first, second = (pick(tape, x, axis, tuple(pair[i] for pair in layer)) for i in (0, 1))
        low, high = minimum(tape, first, second), maximum(tape, first, second)
        rest = tuple(sorted(set(range(n)).difference(*layer)))
        ends = [high, low] if descending else [low, high]
        parts = [*ends, pick(tape, x, axis, rest)] if rest else ends
        stands = [pair[0] for pair in layer] + [pair[1] for pair in layer] + list(rest)
        x = pick(tape, tape.apply(torch.cat, parts, axis), axis, tuple(stands.index(i) for i in range(n)))
    return Extremes(x)


def norm(tape: Tape, x: Slot, p: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any) -> Slot:
    """The norms that are piecewise affine: of order 1 and infinity."""
    if p not in (1, math.inf):
        raise Refusal(f"a norm of order {p} is not piecewise affine; the nearest supported are 1 and inf")
    axes = _axes(x, dim, "norm")
    size = absolute(tape, x)
    return tape.apply(torch.sum, size, axes, keepdim) if p == 1 else amax(tape, size, axes, keepdim)


def _vector_norm(tape: Tape, x: Slot, ord: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any) -> Slot:  # noqa: A002
    return norm(tape, x, ord, dim, keepdim)


EXTREMES: dict[str, Callable[..., Any]] = {
    "amax": amax,
    "amin": amin,
    "max": _along_or_of_two(amax, maximum),
    "min": _along_or_of_two(amin, minimum),
    "sort": sort,
    "norm": norm,
    "linalg_norm": _vector_norm,
    "linalg_vector_norm": _vector_norm,
    **{f"max_pool{n}d": _max_pool(n) for n in (1, 2, 3)},
    **{f"max_pool{n}d_with_indices": _max_pool(n) for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": _adaptive_max_pool(n) for n in (1, 2, 3)},
}
