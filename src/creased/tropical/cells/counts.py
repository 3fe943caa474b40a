"""Numbers of cells, linear regions and affine pieces of a network, three that are often confused.

    activation_cells  full-dimensional cells of the arrangement of creases
    linear_regions    parts of the domain, connected through facets, with one affine map
    affine_pieces     distinct affine maps

They fall in this order: cells that differ in a neuron without effect are one region, and regions far apart
can have the same map. With several outputs a map is all of them together.

Two ways: ``method="exact"`` enumerates in integers, on a box or on all of space; ``method="engine"`` takes
the regions that the engine finds in float64 and keeps those that have a volume (`engine_cells`), and tells
maps apart modulo primes (`fingerprints`). ``"auto"`` is exact as long as the cells are few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.domains.domain import Domain as Convex
from creased.core.numerics.memory import CellLimitError
from creased.core.numerics.pointer_doubling import label_components
from creased.core.numerics.surroundings import as_written
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program
from creased.networks.as_program import of_networks
from creased.tropical.cells.cells import (
    MOST_CELLS,
    Cell,
    Domain,
    cells,
    domain_within,
    is_bounded,
)
from creased.tropical.cells.counts_on_grid import GridCells, cells_on_grid
from creased.tropical.cells.engine_cells import EngineCells, cones_of, engine_cells
from creased.tropical.cells.fingerprints import number_maps
from creased.tropical.polyhedra.cones import Cone
from creased.tropical.polyhedra.faces import connected_parts, count_faces

METHODS = ("auto", "exact", "engine")
EXACT = "exact: enumerated in integers"  # the guarantee of enumeration
FEW_CELLS = 3000  # tried in integers first; they take some seconds


class Counts(NamedTuple):
    """The three numbers, and a description of how they were found."""

    activation_cells: int
    linear_regions: int
    affine_pieces: int
    guarantee: str


@of_networks
@as_written
def activation_cells(program: Program, domain: Domain = None, *, method: str = "auto") -> int:
    """Count the full-dimensional cells of the arrangement of a program's creases; see `count`."""
    return count(program, domain, method=method).activation_cells


@of_networks
@as_written
def linear_regions(program: Program, domain: Domain = None, *, method: str = "auto") -> int:
    """Count the facet-connected parts on which a program is one affine map; see `count`."""
    return count(program, domain, method=method).linear_regions


@of_networks
@as_written
def affine_pieces(program: Program, domain: Domain = None, *, method: str = "auto") -> int:
    """Count the distinct affine maps of a program; see `count`."""
    return count(program, domain, method=method).affine_pieces


@of_networks
@as_written
def count(
    program: Program,
    domain: Domain = None,
    *,
    method: str = "auto",
    most: int = MOST_CELLS,
    memory: int | None = None,
) -> Counts:
    """Count activation cells, linear regions and affine pieces of a program on a domain.

    Args:
        program: with finite weights; its outputs do not cut.
        domain: a box, or None for all of space, where the enumeration is always exact; on a grid, its cube.
        method: "exact", "engine" (boxes only), or "auto".
        most: cells that exact enumeration may find.
        memory: bytes that the engine's complex may take; what is free by default.

    Raises:
        CellLimitError: there are more cells than allowed, or than memory holds.
        ValueError: another method; the engine without a box; a weight is not finite.
        ArithmeticError: rounding left faces of the engine's complex open.
    """
    if not isinstance(domain, Cone):
        domain = domain_within(program, domain)
    if method not in METHODS:
        raise ValueError(f"count: method must be one of {METHODS}, got {method!r}")
    if method == "engine" and not is_bounded(domain):
        raise ValueError(f"count: method 'engine' needs a bounded domain, got {domain!r}")
    if method != "engine":
        try:
            few = method == "auto" and is_bounded(domain)
            return _count_exactly(cells(program, domain, FEW_CELLS if few else most))
        except CellLimitError:
            if method == "exact" or not is_bounded(domain):
                raise
    assert domain is not None
    assert not isinstance(domain, Cone)
    if program.grid is not None:
        return _count_in_simplices(program, domain, cells_on_grid(program, domain, memory))
    return _count_by_engine(program, domain, engine_cells(program, domain, memory=memory))


@of_networks
def f_vector(
    program: Program, domain: Domain = None, *, with_outputs: bool = False, most: int = MOST_CELLS
) -> tuple[int, ...]:
    """Count the cells of dimension 0, 1, ..., D of the true complex of creases, in integers.

    Where the arrangement is degenerate these are fewer than those of the engine's perturbed complex. Cells
    at infinity are not counted.

    Args:
        program: with finite weights.
        domain: a box, or None for all of space, or the cube of a grid.
        with_outputs: whether the zeros of the outputs cut too.
        most: full-dimensional cells that are allowed.

    Raises:
        CellLimitError: there are more full-dimensional cells than allowed.
    """
    if with_outputs:
        exact, bias = program.exact, program.head.bias
        head = Affine(bias.new_zeros((1, len(bias))), bias[:1])
        program = replace(exact, blocks=(*exact.blocks, Block(exact.head)), head=head)
    return count_faces(cell.cone for cell in cells(program, domain, most))


def _count_exactly(found: Iterable[Cell]) -> Counts:
    by_map: dict[Hashable, list[Cone]] = defaultdict(list)
    for cell in found:
        by_map[cell.outputs].append(cell.cone)
    n_cells = sum(len(cones) for cones in by_map.values())
    n_regions = sum(connected_parts(cones) for cones in by_map.values())
    return Counts(n_cells, n_regions, len(by_map), EXACT)


def _count_by_engine(program: Program, box: Convex, found: EngineCells) -> Counts:
    index = found.is_cell.nonzero()[:, 0]
    number = number_maps(program, found.masks[index], found.regions.words[index, -1])
    n_flat = found.regions.n - len(index)
    n_regions = _linear_regions(program, box, found, number, n_flat)
    return Counts(len(index), n_regions, int(number.max()) + 1, _guarantee(n_flat))


def _count_in_simplices(program: Program, box: Convex, found: GridCells) -> Counts:
    n_regions, again = found.n, found.again
    if again is not None:
        index = again.is_cell.nonzero()[:, 0]
        number = number_maps(program, again.masks[index], again.regions.words[index, -1])
        n_regions += _linear_regions(program, box, again, number, found.n_flat) - len(index)
    return Counts(found.n, n_regions, found.n_maps, _guarantee(found.n_flat))


def _guarantee(n_flat: int) -> str:
    return f"cells of the float64 complex, {n_flat} without volume left out; maps compared mod primes"


def _linear_regions(program: Program, box: Convex, found: EngineCells, number: Tensor, n_flat: int) -> int:
    """Count the facet-connected parts of equal maps, given the numbers of the cells' maps.

    Regions without volume, of which there are n_flat, may lie between cells that share a facet.
    """
    if int(number.max()) + 1 == len(number):  # no two cells to join
        return len(number)
    if not n_flat:
        return _regions_by_neighbours(found, number)
    return _regions_in_integers(program, box, found, number)


def _regions_by_neighbours(found: EngineCells, number: Tensor) -> int:
    """Count the facet-connected parts of equal maps in a generic complex."""
    first, second, _ = found.regions.neighbours().unbind(1)
    is_same = number[first] == number[second]
    pairs = torch.stack([first, second], dim=1)[is_same]
    return int(torch.unique(label_components(found.regions.n, pairs)).shape[0])


def _regions_in_integers(program: Program, box: Convex, found: EngineCells, number: Tensor) -> int:
    """Count the same where regions without volume lie between: facets are compared in integers."""
    index, sizes, n_parts = found.is_cell.nonzero()[:, 0], torch.bincount(number), int(number.max()) + 1
    shared = (sizes[number] > 1).nonzero()[:, 0]
    order = shared[number[shared].argsort()]
    which = index[order]
    cones = cones_of(program, box, found.masks[which], found.regions.words[which, -1])
    first = 0
    for size in sizes[sizes > 1].tolist():
        group = cones[first : first + size]
        n_parts += connected_parts([cone for cone in group if cone is not None]) - 1
        first += size
    return n_parts
