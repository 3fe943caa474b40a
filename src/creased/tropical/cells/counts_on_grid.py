"""Counts of a network on a grid by the engine, in the memory of a batch of simplices and a key a cell.

Cells of different simplices belong to one linear region where they meet in a facet and have the same affine
map. Few maps are those of several cells, unless neurons are off: simplices with such cells are cut again, all
at once.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.skeleton import joined
from creased.core.domains.domain import Domain
from creased.core.grids.cut import SimplexCutter
from creased.core.grids.grid_regions import GridRegions
from creased.core.numerics.memory import CellLimitError, Resources, format_bytes, free_bytes
from creased.core.program.program import Program
from creased.core.subdivision.pieces import Piece
from creased.core.subdivision.problem import Numbers, make_problem
from creased.tropical.cells.engine_cells import EngineCells, cells_among
from creased.tropical.cells.fingerprints import map_residues, number_rows

KEYS = 4  # telling keys apart takes so many times their memory
REGIONS = 24  # finding regions takes so many times the memory of the cells that were cut


class GridCells(NamedTuple):
    """Cells of a network on a grid, of which some have the map of another one."""

    n: int
    n_maps: int
    n_flat: int  # regions without volume, which are none of them
    again: EngineCells | None  # in the simplices with maps that several cells have; None: there are none


def cells_on_grid(program: Program, domain: Domain, memory: int | None = None) -> GridCells:
    """Find the activation cells of a program on a grid.

    Args:
        program: moved to the CPU and to float64.
        domain: any bounded domain in the cube of the grid.
        memory: bytes that the work may take; what is free by default.

    Raises:
        CellLimitError: the cells would take more memory than allowed.
        ArithmeticError: rounding left faces open.
    """
    program = program.detach().to("cpu", torch.float64)
    cutter = SimplexCutter(make_problem(program, domain, None, Numbers(torch.float64), Resources(memory)))
    allowed = free_bytes(program.device) if memory is None else memory
    keys, simplices, n_flat, n_bytes = [], [], 0, 0
    for _, piece in cutter.pieces():
        found = _cells_of(program, domain, piece, cutter)
        index = found.is_cell.nonzero()[:, 0]
        simplices.append(found.regions.words[index, -1])
        keys.append(map_residues(program, found.masks[index], simplices[-1]))
        n_flat += found.regions.n - len(index)
        n_bytes += keys[-1].nbytes + simplices[-1].nbytes
        _require(KEYS * n_bytes, allowed)
    number, owner = number_rows(torch.cat(keys)), torch.cat(simplices)
    is_shared = torch.bincount(number)[number] > 1
    n_maps = int(number.max()) + 1
    again = _found_again(program, domain, cutter, owner[is_shared].unique(), allowed)
    return GridCells(len(number), n_maps, n_flat, again)


def _found_again(
    program: Program, domain: Domain, cutter: SimplexCutter, simplices: Tensor, allowed: int | None
) -> EngineCells | None:
    """Find all cells of some simplices at once."""
    if not len(simplices):
        return None
    parts, n_bytes = [], 0
    for _, piece in cutter.pieces_of(simplices):
        parts.append(piece)
        n_bytes += sum(column.nbytes for column in piece.skeleton)
        _require(REGIONS * n_bytes, allowed)
    cells, n_inconsistent = (
        joined([part.skeleton for part in parts]),
        sum(part.n_inconsistent for part in parts),
    )
    return _cells_of(program, domain, Piece(cells, None, 1.0, n_inconsistent), cutter)


def _cells_of(program: Program, domain: Domain, piece: Piece, cutter: SimplexCutter) -> EngineCells:
    if piece.n_inconsistent:
        raise ArithmeticError(f"count: rounding left {piece.n_inconsistent} faces open")
    return cells_among(program, domain, GridRegions.alone(piece.skeleton, cutter), piece.skeleton.vertices)


def _require(n_bytes: int, allowed: int | None) -> None:
    if allowed is not None and n_bytes > allowed:
        raise CellLimitError(
            f"count: the cells would take more than the {format_bytes(allowed)} that are allowed"
        )
