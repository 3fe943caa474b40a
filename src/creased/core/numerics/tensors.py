"""Records of tensors mapped as one, ranges in one tensor, tensors whose rows grow, and points of any kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from creased.core.numerics.memory import room, selection_pays

Record = TypeVar("Record")
Points = Tensor | Sequence[Any]  # a tensor, numbers in lists, or a NumPy array


def map_tensors(record: Record, move: Callable[[Tensor], Tensor]) -> Record:
    """Copy a dataclass with ``move`` applied to the tensors of its arguments, and of nested records."""
    made_of = [f.name for f in fields(record) if f.init]  # type: ignore[arg-type]
    entries = {name: _moved(getattr(record, name), move) for name in made_of}
    copy: Record = replace(record, **entries)  # type: ignore[type-var]
    return copy


def _moved(value: Any, move: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return move(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_moved(entry, move) for entry in value))
    if isinstance(value, tuple):
        return tuple(_moved(entry, move) for entry in value)
    return map_tensors(value, move) if is_dataclass(value) else value


def places_of(*masks: Tensor) -> list[Tensor]:
    """Return where masks (n, ...) are True, each as the columns (d, m) of indices.

    The host waits for a device once, for how many there are.
    """
    is_device = not selection_pays(masks[0].device)
    sizes = torch.stack([mask.sum() for mask in masks]).tolist() if is_device else [None] * len(masks)
    return [_indices(mask, n).T for mask, n in zip(masks, sizes, strict=True)]


def where_true(mask: Tensor, n: int | None) -> Tensor:
    """Return where a mask (m,) is True; the host does not wait for a device where the number n is known."""
    return _indices(mask, n)[:, 0]


def _indices(mask: Tensor, n: int | None) -> Tensor:
    """Return the indices (n, d) of True entries."""
    if n is None or selection_pays(mask.device):
        return mask.nonzero()
    return torch.nonzero_static(mask, size=n)


def ranges_of(starts: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
    """List the numbers of ranges, one range behind the other.

    Args:
        starts: of the ranges, (n,) int64.
        sizes: (n,) int64.

    Returns:
        Of each number its range (m,), and the number (m,).
    """
    owner = torch.repeat_interleave(sizes)
    return owner, torch.arange(len(owner), device=owner.device) + (starts - sizes.cumsum(0) + sizes)[owner]


class Growable:
    """A tensor with spare capacity for more rows."""

    def __init__(self, rows: Tensor) -> None:
        self._buffer = rows
        self.n = rows.shape[0]

    @staticmethod
    def with_room(n: int, like: Tensor) -> Growable:
        """Allocate n unwritten rows like those of ``like``, with spare capacity."""
        grown = Growable(like.new_empty((room(like.device) * n, *like.shape[1:])))
        grown.n = n
        return grown

    @property
    def rows(self) -> Tensor:
        """The rows (n, ...) so far; a view, valid until the next append."""
        return self._buffer[: self.n]

    def extend(self, n: int) -> Tensor:
        """Append n unwritten rows and return them."""
        needed = self.n + n
        if needed > self._buffer.shape[0]:
            grown = Growable.with_room(needed, self._buffer)._buffer
            grown[: self.n] = self.rows
            self._buffer = grown
        self.n = needed
        return self._buffer[needed - n : needed]

    def select(self, chosen: Tensor) -> Growable:
        """Copy the chosen rows (m,), with spare capacity."""
        kept = Growable.with_room(chosen.shape[0], self._buffer)
        torch.index_select(self.rows, 0, chosen, out=kept.rows)
        return kept

    def keep(self, chosen: Tensor, start: int) -> None:
        """Keep of the rows from ``start`` on the chosen ones (m,), ascending."""
        self._buffer[start : start + chosen.shape[0]] = self._buffer.index_select(0, chosen)
        self.n = start + chosen.shape[0]

    def append_chosen(self, rows: Tensor, chosen: Tensor) -> None:
        """Append the chosen (m,) of rows (n, ...)."""
        torch.index_select(rows, 0, chosen, out=self.extend(chosen.shape[0]))

    def append(self, *parts: Tensor) -> None:
        """Append rows (m, ...), one part behind the other."""
        torch.cat(parts, out=self.extend(sum(map(len, parts))))


def as_points(call: str, points: Points, dim: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Convert finite points (..., D) to a tensor, detached.

    Raises:
        TypeError: they are no numbers.
        ValueError: they have another shape, or are not finite.
    """
    try:
        found = torch.as_tensor(points, dtype=dtype, device=device).detach()
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{call}: needs points (..., {dim}), got {points!r:.60}") from None
    if found.dim() == 0 or found.shape[-1] != dim:
        raise ValueError(f"{call}: needs points (..., {dim}), got {tuple(found.shape)}")
    if not bool(found.isfinite().all()):
        raise ValueError(f"{call}: needs finite points, got NaN or infinity")
    return found
