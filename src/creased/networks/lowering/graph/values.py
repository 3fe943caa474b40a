"""Symbolic values of a trace, and their substitution in the arguments of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.fx.node import map_aggregate

BATCH = 5  # points in a sample
CONSTANT = -1  # level of values that do not depend on the input


CASTS = frozenset({"cpu", "cuda", "double", "float", "to", "type", "type_as"})  # methods


def is_cast(function: Any) -> bool:
    """True for methods that convert a tensor to another type or device."""
    return getattr(function, "__name__", "") in CASTS


class BatchSize(int):
    """The number of points in the batch; when the trace is run, the number of columns takes its place."""

    def __mul__(self, other: int) -> int:
        return self if other == 1 else int(self) * other

    __rmul__ = __mul__

    def __floordiv__(self, other: int) -> int:
        return self if other == 1 else int(self) // other


@dataclass(frozen=True)
class Ref:
    """A reference, in the arguments of a step, to the result of an earlier step."""

    index: int


@dataclass(frozen=True, eq=False)
class Value:
    """A symbolic value: the result of one step of a trace."""

    index: int  # of the step
    level: int  # blocks before it; CONSTANT
    sample: Any  # random tensor (BATCH, *shape), of a constant its value; or a tuple of these

    @property
    def is_constant(self) -> bool:
        """True if the value does not depend on the input."""
        return self.level == CONSTANT

    @property
    def shape(self) -> torch.Size:
        """Shape; unless constant it starts with the `BatchSize`."""
        shape: torch.Size = self.sample.shape
        return shape if self.is_constant else torch.Size((BatchSize(shape[0]), *shape[1:]))


def substitute(structure: Any, replace: Callable[[Any], Any], count: int | None) -> Any:
    """Replace the values or references in nested arguments, and each batch size by ``count`` unless None."""

    def replaced(part: Any) -> Any:
        if isinstance(part, Value | Ref):
            return replace(part)
        return count if isinstance(part, BatchSize) and count is not None else part

    return map_aggregate(structure, replaced)


def find_values(structure: Any) -> list[Value]:
    """List the values in nested arguments."""
    found: list[Value] = []
    substitute(structure, found.append, None)
    return found


def structural_key(structure: Any) -> Any:
    """Return a hashable key of nested arguments, equal for equal ones; None where there is none."""
    if isinstance(structure, Value):
        return Value, structure.index
    if isinstance(structure, list | tuple):
        keys = [structural_key(part) for part in structure]
        return None if None in keys else (isinstance(structure, list), *keys)
    if isinstance(structure, dict):
        return structural_key([*structure.items()])
    if isinstance(structure, slice):
        return structural_key((slice, structure.start, structure.stop, structure.step))
    if isinstance(structure, Tensor):
        return None
    try:
        hash(structure)
    except TypeError:
        return None
    return type(structure), structure
