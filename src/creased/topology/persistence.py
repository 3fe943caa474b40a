"""Persistent homology of a filtered complex over a field: reduction of its critical cells' boundary matrix.

Columns are reduced from left to right (Edelsbrunner, Letscher and Zomorodian 2002), of the highest dimension
first, so that cells that are born there to die are not reduced at all (the twist of Chen and Kerber 2011).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor

from creased.topology.critical_cells import CriticalCells, CriticalCellsBySlab
from creased.topology.problem import TopologyProblem
from creased.topology.sublevel_filtration import FilteredComplex, filtered_slabs

Number = int | Fraction
Column = dict[int, Number]  # entries that are not zero, by place in the order of the filtration
NEVER = 2  # in place of the sign of a death


class Pairs(NamedTuple):
    """Critical cells that homology classes are born and die with, by place in the filtration."""

    births: Tensor  # (p,) int64
    deaths: Tensor  # (p,) int64: of one dimension more
    essential: Tensor  # (e,) int64: those with which classes are born that live on


class Ends(NamedTuple):
    """Vertices at which classes (n,) are born, or die."""

    values: Tensor  # (n,) float64: of the function less the level; infinite where a class never dies
    signs: Tensor  # (n,) int8: of the values, exact; `NEVER` where a class never dies
    points: Tensor  # (n, D): NaN where it never dies


class Classes(NamedTuple):
    """Classes of the homology of the sublevel sets of f - c; some are born and die at one vertex."""

    dims: Tensor  # (n,) int64
    births: Ends
    deaths: Ends
    dim: int  # D
    largest: float  # finite absolute value of f - c at any vertex

    def betti_numbers(self, *, is_closed: bool = False) -> tuple[int, ...]:
        """Count the classes of {f < c}, or of {f <= c}, by dimension 0 to D."""
        last = 0 if is_closed else -1
        alive = self.dims[(self.births.signs <= last) & (self.deaths.signs > last)]
        return tuple(torch.bincount(alive, minlength=self.dim + 1).tolist())


class Filtration:
    """The sublevel sets of a problem's function f, and of -f; what was computed is kept."""

    def __init__(self, problem: TopologyProblem) -> None:
        self.problem = problem
        self._single: FilteredComplex | None = None  # all, where that is one slab
        self._known: dict[tuple[int, int], Classes] = {}

    def classes(self, directions: Sequence[int], modulo: int) -> list[Classes]:
        """Compute persistent homology over Z / p, or the rationals, for directions 1, of f, and -1, of -f."""
        missing = [d for d in directions if (d, modulo) not in self._known]
        finders = [CriticalCellsBySlab(direction, modulo) for direction in missing]
        slabs: list[FilteredComplex] = []
        for slab in self._slabs() if missing else ():
            slabs = [slab] if slab.lower is None and slab.upper is None else []
            for finder in finders:
                finder.add(slab)
        self._single = slabs[0] if slabs else self._single
        for direction, finder in zip(missing, finders, strict=True):
            found = classes_of(finder.found(), self.problem.domain.dim, modulo)
            self._known[direction, modulo] = found
        return [self._known[direction, modulo] for direction in directions]

    def _slabs(self) -> Iterable[FilteredComplex]:
        return filtered_slabs(self.problem) if self._single is None else [self._single]


def classes_of(cells: CriticalCells, dim: int, modulo: int) -> Classes:
    """Pair critical cells, and look up the vertices at which they come."""
    pairs = persistent_pairs(cells, modulo)
    births, n = torch.cat([pairs.births, pairs.essential]), len(pairs.essential)
    columns = (cells.values, cells.signs, cells.points)
    ends = [torch.cat([column[pairs.deaths], column[pairs.essential]]) for column in columns]
    for column, value in zip(ends, (torch.inf, NEVER, torch.nan), strict=True):
        column[len(column) - n :] = value
    return Classes(
        cells.dims[births], Ends(*(column[births] for column in columns)), Ends(*ends), dim, cells.largest
    )


def persistent_pairs(cells: CriticalCells, modulo: int) -> Pairs:
    """Pair critical cells; classes that are born and die within one lower star are mostly left out.

    Args:
        cells: in the order of the filtration.
        modulo: the prime p of the field Z / p; 0 for the rationals.
    """
    columns: dict[int, Column] = defaultdict(dict)
    for cell, face, value in zip(*(column.tolist() for column in cells.boundary), strict=True):
        columns[cell][face] = value
    dims = cells.dims.tolist()
    deaths = _reduce(columns, dims, modulo)
    paired = {*deaths, *deaths.values()}
    essential = [cell for cell in range(len(dims)) if cell not in paired]
    return Pairs(*(torch.tensor(list(x), dtype=torch.int64) for x in (deaths, deaths.values(), essential)))


def _reduce(columns: dict[int, Column], dims: list[int], modulo: int) -> dict[int, int]:
    """Reduce columns; map each lowest entry, where a class is born, to the column where it dies."""
    reduced: dict[int, Column] = {}
    deaths: dict[int, int] = {}
    for dim in range(max(dims, default=0), 0, -1):
        for index in (i for i, d in enumerate(dims) if d == dim and i in columns and i not in deaths):
            column = columns[index]
            while column and (lowest := max(column)) in reduced:
                _subtract(column, reduced[lowest], lowest, modulo)
            if column:
                deaths[lowest] = index
                reduced[lowest] = column
    return deaths


def _subtract(column: Column, other: Column, pivot: int, modulo: int) -> None:
    """Subtract, in place, the multiple of another column that clears the pivot."""
    inverse: Number = pow(int(other[pivot]), -1, modulo) if modulo else 1 / Fraction(other[pivot])
    factor = column[pivot] * inverse
    for row, value in other.items():
        left = column.get(row, 0) - factor * value
        left = left % modulo if modulo else left
        if left:
            column[row] = left
        else:
            del column[row]
