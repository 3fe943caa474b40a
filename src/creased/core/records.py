"""Frozen dataclasses that hold tensors, moved as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from torch import Tensor

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
