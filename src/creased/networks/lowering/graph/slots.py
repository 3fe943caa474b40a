"""Values while a module is traced, and how they stand among the arguments of functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

BATCH = 5  # points in a sample
CONSTANT = -1  # the level of what does not depend on the input


class BatchSize(int):
    """The number of points, as a module sees it; when the trace is run there are as many as columns."""


@dataclass(frozen=True)
class Ref:
    """Where the result of a step stands in the arguments of another."""

    index: int


@dataclass(frozen=True, eq=False)
class Slot:
    """A value while the module is traced."""

    index: int
    level: int
    sample: Any  # tensor (BATCH, *shape), arbitrary; of a constant its value; or a tuple of them

    @property
    def is_constant(self) -> bool:
        """Whether it does not depend on the input."""
        return self.level == CONSTANT


def fill(structure: Any, value_of: Callable[[Any], Any], count: int | None) -> Any:
    """Arguments with their slots or references replaced, and the number of points too where it is given."""
    if isinstance(structure, Slot | Ref):
        return value_of(structure)
    if isinstance(structure, BatchSize):
        return structure if count is None else count
    if isinstance(structure, list):
        return [fill(part, value_of, count) for part in structure]
    if isinstance(structure, tuple):
        return tuple(fill(part, value_of, count) for part in structure)
    if isinstance(structure, dict):
        return {name: fill(part, value_of, count) for name, part in structure.items()}
    if isinstance(structure, slice):
        return slice(*fill((structure.start, structure.stop, structure.step), value_of, count))
    return structure


def find_slots(structure: Any) -> list[Slot]:
    """All values among some arguments."""
    found: list[Slot] = []
    fill(structure, found.append, None)
    return found


def key_of(structure: Any) -> Any:
    """What tells arguments apart; None where that can't be said."""
    if isinstance(structure, Slot):
        return Slot, structure.index
    if isinstance(structure, list | tuple):
        keys = [key_of(part) for part in structure]
        return None if None in keys else (type(structure), *keys)
    if isinstance(structure, dict):
        return key_of([*structure.items()])
    if isinstance(structure, slice):
        return key_of((slice, structure.start, structure.stop, structure.step))
    if isinstance(structure, Tensor):
        return None
    try:
        hash(structure)
    except TypeError:
        return None
    return type(structure), structure
