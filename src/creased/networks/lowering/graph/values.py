"""Symbolic values of a trace, and their substitution in the arguments of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

BATCH = 5  # points in a sample
CONSTANT = -1  # level of values that do not depend on the input


class BatchSize(int):
    """The number of points in the batch; when the trace is run, the number of columns takes its place."""


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


def substitute(structure: Any, replace: Callable[[Any], Any], count: int | None) -> Any:
    """Replace the values or references in nested arguments, and each batch size by ``count`` unless None."""
    if isinstance(structure, Value | Ref):
        return replace(structure)
    if isinstance(structure, BatchSize):
        return structure if count is None else count
    if isinstance(structure, list):
        return [substitute(part, replace, count) for part in structure]
    if isinstance(structure, tuple):
        return tuple(substitute(part, replace, count) for part in structure)
    if isinstance(structure, dict):
        return {name: substitute(part, replace, count) for name, part in structure.items()}
    if isinstance(structure, slice):
        return slice(*substitute((structure.start, structure.stop, structure.step), replace, count))
    return structure


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
        return None if None in keys else (type(structure), *keys)
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
