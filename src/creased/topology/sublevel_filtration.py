"""The complex of a program filtered by its values: what Betti numbers and persistence are computed from.

The complex is that of the hidden neurons alone, perturbed where it is degenerate (`creased.core.degeneracy`),
so that its cells are those of a network f' that differs from f by arbitrarily little; vertices have the
values of f itself. Levels do not cut it. Let P be a cell on which f' takes values on both sides of c: seen
from a point of P above c, what lies of P below c retracts along rays onto the faces of P, as f' falls along
them. Cell by cell, the largest first, {f' < c} retracts so onto the cells all of whose vertices are below c
(after Grigsby, Lindsey and Masden 2022, section 5). And {f < c} is homotopy equivalent to {f' < c'} for c'
a little below c: both are between sets {f < c - d}, of which small d give the same type. So no network has to
be generic, and signs of f - c at the vertices, zeros included, decide everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, prod

import torch
from torch import Tensor

from creased.core.extract_complex import extract_complex
from creased.core.grids.unweld import Unwelded
from creased.core.numerics.memory import CellLimitError
from creased.core.program.combine import minus_level
from creased.core.program.program import Program
from creased.topology.cell_complexes import CellComplex, cell_complex
from creased.topology.problem import TopologyOptions, TopologyProblem
from creased.topology.vertex_values import VertexValues, values_at_vertices

LEAST_BYTES = 1 << 26  # that an extraction may take, however few cells are allowed
CELL_BYTES = 150  # twice what it takes for each cell, beside its signs; measured in 1 to 4 dimensions
OF_CUBE = {1: 2, 2: 6, 3: 26}  # cells of a Kuhn grid for each cube, by dimension


@dataclass(frozen=True)
class FilteredComplex:
    """The cells of a program on a domain, with its values at their vertices."""

    cells: CellComplex
    at_vertices: VertexValues  # less the level
    level: float
    counts: tuple[int, ...]  # cells of dimension 0, 1, ..., without those at infinity
    points: Tensor  # (V, D): the vertices, in the coordinates of the input; at infinity directions
    dim: int  # D, with directions that the network does not look at

    def sublevel(self, is_below: Tensor, values: Tensor) -> tuple[CellComplex, Tensor, Tensor]:
        """Return the cells whose vertices are all in a set, their stars, and their numbers in the whole.

        Args:
            is_below: the set, (V,) bool.
            values: (V,) by which vertices, and equal ones by number, are ranked.
        """
        order = values.argsort(stable=True)
        ranks = torch.empty_like(order).index_copy_(0, order, torch.arange(len(order), device=order.device))
        ranks = ranks.masked_fill(~is_below, len(order))
        star = self.cells.highest(ranks)
        kept, number = self.cells.subcomplex(star < len(order))
        return kept, star[number], number


def filtered_complex(problem: TopologyProblem) -> FilteredComplex:
    """Extract the complex of a program, and its values less the level at the vertices.

    Raises:
        CellLimitError: there are more cells, or more than memory holds.
        ArithmeticError: rounding left the complex inconsistent.
        LinealityError: the network on the whole space is constant, or has no start there.
    """
    program, domain, level, options = problem
    _require_few_simplices(problem)
    memory = _memory_for(program, options)
    found = extract_complex(program, domain, level=None, exact=True, memory=memory)
    if not found.is_whole:
        limit = f"; max_cells={options.max_cells:,} allow no more" if memory != options.memory else ""
        raise CellLimitError(f"topology: the complex was {found.status}{limit}")
    if found.n_inconsistent:
        raise ArithmeticError(f"topology: rounding left {found.n_inconsistent} faces open")
    counts = found.f_vector()
    words = format_cells(counts)
    if sum(counts) > options.max_cells:
        raise CellLimitError(f"topology: {words}; more than max_cells={options.max_cells:,}")
    options.report(words)
    parts = None
    if program.grid is not None:
        parts = Unwelded(found.skeleton(), program.grid, found.domain, found.layout)
    own, points = program, found.vertices
    if found.part is not None:
        own, points = found.part.program, found.part.slice.lift(points)
    values = values_at_vertices(found, minus_level(own, level), parts)
    return FilteredComplex(cell_complex(found, parts), values, level, counts, points, domain.dim)


def format_cells(counts: Sequence[int]) -> str:
    """Format the number of cells of each dimension."""
    numbers = ", ".join(f"{n:,}" for n in counts)
    return f"{sum(counts):,} cells, of dimension 0 to {len(counts) - 1}: {numbers}"


def _memory_for(program: Program, options: TopologyOptions) -> int | None:
    """Limit the memory of the extraction to what the cells that are allowed take, but on a grid."""
    if program.grid is not None:
        return options.memory
    of_cells = max(options.max_cells * (CELL_BYTES + program.n_neurons // 4), LEAST_BYTES)
    return of_cells if options.memory is None else min(options.memory, of_cells)


def count_grid_cells(problem: TopologyProblem) -> int:
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
    n, most = count_grid_cells(problem), problem.options.max_cells
    if n > most:
        raise CellLimitError(
            f"topology: the grid alone has {n:,} cells, before neurons cut them; more than "
            f"max_cells={most:,}: take a smaller box, or allow more, a kilobyte each"
        )
