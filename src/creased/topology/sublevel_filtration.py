"""The complex of a program filtered by its values: what Betti numbers and persistence are computed from.

The complex is that of the hidden neurons alone, perturbed where it is degenerate (`creased.core.degeneracy`),
so that its cells are those of a network f' that differs from f by arbitrarily little; vertices have the
values of f itself. Levels do not cut it. Let P be a cell on which f' takes values on both sides of c: seen
from a point of P above c, what lies of P below c retracts along rays onto the faces of P, as f' falls along
them. Cell by cell, the largest first, {f' < c} retracts so onto the cells all of whose vertices are below c
(after Grigsby, Lindsey and Masden 2022, section 5). And {f < c} is homotopy equivalent to {f' < c'} for c'
a little below c: both are between sets {f < c - d}, of which small d give the same type. So no network has to
be generic, and signs of f - c at the vertices, zeros included, decide everything.

In all of space coordinate hyperplanes may cut the complex, too (`creased.core.domains.coordinate_start`).
On a grid a box is cut in slabs, of which one is held at a time (`creased.topology.critical_cells`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, prod

from torch import Tensor

from creased.core.complexes.complex import PolyhedralComplex
from creased.core.domains.coordinate_start import with_start
from creased.core.domains.whole_space import WholeSpace
from creased.core.extract_complex import extract_complex, extract_skeleton_on_grid
from creased.core.grids.slabs import AXIS, slabs_of
from creased.core.grids.unweld import Unwelded
from creased.core.numerics.memory import CellLimitError, Resources
from creased.core.program.combine import minus_level
from creased.topology.cell_complexes import CellComplex, cell_complex
from creased.topology.plane_cells import PlaneCells, cells_in_plane
from creased.topology.problem import TopologyProblem
from creased.topology.vertex_values import VertexValues, values_at_vertices

LEAST_BYTES = 1 << 26  # that an extraction may take, however few cells are allowed
CELL_BYTES = 150  # twice what it takes for each cell, beside its signs; measured in 1 to 4 dimensions
OF_CUBE = {1: 2, 2: 6, 3: 26}  # cells of a Kuhn grid for each cube, by dimension


@dataclass(frozen=True)
class FilteredComplex:
    """The cells of a program on a domain, or on a slab of it, with its values at their vertices."""

    cells: CellComplex
    at_vertices: VertexValues  # less the level
    points: Tensor  # (V, D): the vertices, in the coordinates of the input; at infinity directions
    lower: PlaneCells | None = None  # cells that the slab before has too
    upper: PlaneCells | None = None  # cells that the next slab has too


def filtered_slabs(problem: TopologyProblem) -> Iterator[FilteredComplex]:
    """Extract the complex of a program, and its values less the level at the vertices, slab by slab.

    Where there is no grid, or a small one, it is all one slab.

    Raises:
        CellLimitError: there are more cells, or more than memory holds.
        ArithmeticError: rounding left the complex inconsistent.
    """
    grid, options = problem.program.grid, problem.options
    if grid is None:
        yield _of_all(problem)
        return
    _require_few_simplices(problem)
    slabs = slabs_of(grid, problem.domain)
    if len(slabs) > 1:
        options.report(f"{len(slabs)} slabs of a grid of {grid.finest} cubes an axis, one after the other")
    counts = [0] * (problem.domain.dim + 1)
    for index, domain in enumerate(slabs):
        slab = _of_slab(problem._replace(domain=domain), is_first=index == 0, is_last=domain is slabs[-1])
        met = (0,) * len(counts) if slab.lower is None else (*slab.lower.cells.counts, 0)
        counts = [n + more - less for n, more, less in zip(counts, slab.cells.counts, met, strict=True)]
        _require_few_cells(counts, problem, " or more" * (domain is not slabs[-1]))
        if domain is slabs[-1]:
            options.report(format_cells(counts))
        yield slab


def _of_all(problem: TopologyProblem) -> FilteredComplex:
    """Extract the complex of a program without a grid."""
    program, domain, level, options = problem
    memory, part = _memory_for(problem), None
    if not domain.is_bounded:
        program, part = with_start(program)
        domain = WholeSpace(program.in_dim)
    found = extract_complex(program, domain, level=None, exact=True, memory=memory)
    _require_whole(found, f"; max_cells={problem.most_cells:,} allow no more" * (memory != options.memory))
    counts = found.f_vector()
    _require_few_cells(counts, problem)
    options.report(format_cells(counts))
    values = values_at_vertices(found, minus_level(program, level))
    points = found.vertices if part is None else part.lift(found.vertices)
    return FilteredComplex(cell_complex(found), values, points)


def _of_slab(problem: TopologyProblem, *, is_first: bool, is_last: bool) -> FilteredComplex:
    """Extract the complex of a program on a grid in a slab between two planes, or walls at the ends."""
    program, domain, level, options = problem
    assert program.grid is not None
    found = extract_skeleton_on_grid(program, domain, Resources(memory=options.memory))
    _require_whole(found)
    parts = Unwelded(found.skeleton(), program.grid, found.domain, found.layout)
    cells, names = cell_complex(found, parts), parts.names
    if cells.euler_characteristic != 1:
        raise ArithmeticError("topology: rounding left faces between simplices open")
    lower, upper = (
        None if is_end else cells_in_plane(cells, (found.zero_ids == 2 * AXIS + side).any(1), names)
        for side, is_end in enumerate((is_first, is_last))
    )
    values = values_at_vertices(found, minus_level(program, level), parts)
    return FilteredComplex(cells, values, found.vertices, lower, upper)


def format_cells(counts: Sequence[int]) -> str:
    """Format the number of cells of each dimension."""
    numbers = ", ".join(f"{n:,}" for n in counts)
    return f"{sum(counts):,} cells, of dimension 0 to {len(counts) - 1}: {numbers}"


def _require_whole(found: PolyhedralComplex, limit: str = "") -> None:
    if not found.is_whole:
        raise CellLimitError(f"topology: the complex was {found.status}{limit}")
    if found.n_inconsistent:
        raise ArithmeticError(f"topology: rounding left {found.n_inconsistent} faces open")


def _require_few_cells(counts: Sequence[int], problem: TopologyProblem, more: str = "") -> None:
    if sum(counts) > problem.most_cells:
        raise CellLimitError(
            f"topology: {format_cells(counts)}{more}; more than max_cells={problem.most_cells:,}"
        )


def _memory_for(problem: TopologyProblem) -> int:
    """Limit the memory of the extraction to what the cells that are allowed take."""
    of_cells = max(problem.most_cells * (CELL_BYTES + problem.program.n_neurons // 4), LEAST_BYTES)
    return of_cells if problem.options.memory is None else min(problem.options.memory, of_cells)


def _count_grid_cells(problem: TopologyProblem) -> int:
    """Count the cells of a box that a grid alone makes, about; 0 without a grid."""
    grid, domain = problem.program.grid, problem.domain
    if grid is None or grid.section is not None or not domain.is_box:
        return 0
    low, high = (
        [(x / grid.half_width + 1) * grid.finest / 2 for x in ends] for ends in (domain.lower, domain.upper)
    )
    whole = (max(floor(b) - ceil(a), 0) for a, b in zip(low, high, strict=True))
    return OF_CUBE[grid.dim] * prod(whole)


def _require_few_simplices(problem: TopologyProblem) -> None:
    """Refuse a box with more cells of a grid alone, before it is cut."""
    n, most = _count_grid_cells(problem), problem.most_cells
    if n > most:
        raise CellLimitError(
            f"topology: the grid alone has {n:,} cells, before neurons cut them; more than "
            f"max_cells={most:,}: take a smaller box, or allow more, some microseconds each"
        )
