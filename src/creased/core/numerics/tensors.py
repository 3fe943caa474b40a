"""Frozen dataclasses that hold tensors, moved as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from creased.core.numerics.memory import room

Record = TypeVar("Record")


def map_tensors(record: Record, move: Callable[[Tensor], Tensor]) -> Record:
    """A copy of a dataclass with ``move`` applied to its tensors, and to those of the records it holds."""
    entries = {f.name: _moved(getattr(record, f.name), move) for f in fields(record)}  # type: ignore[arg-type]
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


class Growable:
    """Rows of one tensor, with room for more behind them."""

    def __init__(self, rows: Tensor) -> None:
        self._buffer = rows
        self.n = rows.shape[0]

    @staticmethod
    def with_room(n: int, like: Tensor) -> Growable:
        """Unwritten rows, n of them, of the shape and type of those of ``like``, with room for more."""
        grown = Growable(like.new_empty((_capacity(n, like), *like.shape[1:])))
        grown.n = n
        return grown

    @property
    def rows(self) -> Tensor:
        """The rows (n, ...) so far; a view, valid until the next append."""
        return self._buffer[: self.n]

    def extend(self, n: int) -> Tensor:
        """Add n rows at the end and return them, not yet written."""
        needed = self.n + n
        if needed > self._buffer.shape[0]:
            grown = self._buffer.new_empty((_capacity(needed, self._buffer), *self._buffer.shape[1:]))
            grown[: self.n] = self.rows
            self._buffer = grown
        self.n = needed
        return self._buffer[needed - n : needed]

    def select(self, chosen: Tensor) -> Growable:
        """The rows chosen (m,) alone, with room for more."""
        kept = Growable.with_room(chosen.shape[0], self._buffer)
        torch.index_select(self.rows, 0, chosen, out=kept.rows)
        return kept

    def keep(self, chosen: Tensor, start: int) -> None:
        """Of the rows from start on keep those chosen (m,), ascending; forget the others."""
        self._buffer[start : start + chosen.shape[0]] = self._buffer.index_select(0, chosen)
        self.n = start + chosen.shape[0]

    def append(self, rows: Tensor) -> None:
        """Add rows (m, ...) at the end."""
        self.extend(rows.shape[0]).copy_(rows)


def _capacity(n: int, like: Tensor) -> int:
    return room(like.device) * n
