"""Persistent homology of a filtered complex over a field: reduction of its critical cells' boundary matrix.

Columns are reduced from left to right (Edelsbrunner, Letscher and Zomorodian 2002), of the highest dimension
first, so that cells that are born there to die are not reduced at all (the twist of Chen and Kerber 2011).
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor

from creased.topology.cell_complexes import CellComplex
from creased.topology.discrete_morse import match_lower_stars, morse_boundary

Number = int | Fraction
Column = dict[int, Number]  # entries that are not zero, by place in the order of the filtration


class Pairs(NamedTuple):
    """Cells that homology classes are born and die with."""

    births: Tensor  # (p,) int64: cells
    deaths: Tensor  # (p,) int64: cells of one dimension more
    essential: Tensor  # (e,) int64: cells with which classes are born that live on


def persistent_pairs(complex_: CellComplex, star: Tensor, modulo: int) -> Pairs:
    """Pair critical cells of the filtration by lower stars; pairs within a star are left out.

    Args:
        complex_: any regular cell complex.
        star: rank (n,) int64 of each cell's highest vertex, which are all different.
        modulo: the prime p of the field Z / p; 0 for the rationals.
    """
    matching = match_lower_stars(complex_, star)
    boundary, critical = morse_boundary(complex_, matching, modulo), matching.critical()
    # Within a star faces come before cells, which have higher numbers.
    order = critical[torch.argsort(star[critical], stable=True)]
    place = torch.empty_like(star).index_copy_(0, order, torch.arange(len(order), device=order.device))
    columns: dict[int, Column] = defaultdict(dict)
    entries = (place[boundary.cell].tolist(), place[boundary.face].tolist(), boundary.value.tolist())
    for cell, face, value in zip(*entries, strict=True):
        columns[cell][face] = value
    dims = complex_.dims()[order].tolist()
    deaths = _reduce(columns, dims, modulo)
    paired = {*deaths, *deaths.values()}
    essential = [cell for cell in range(len(order)) if cell not in paired]
    as_cells = (
        order[torch.tensor(list(x), dtype=torch.int64, device=order.device)]
        for x in (deaths, deaths.values(), essential)
    )
    return Pairs(*as_cells)


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
