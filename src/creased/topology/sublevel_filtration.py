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

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isqrt, prod
from typing import NamedTuple, TypedDict

import torch
from torch import Tensor

from creased.core.domains.domain import Domain
from creased.core.domains.whole_space import WholeSpace
from creased.core.extract_complex import extract_complex
from creased.core.grids.unweld import Unwelded
from creased.core.numerics.memory import CellLimitError
from creased.core.options import domain_of, require_level
from creased.core.program.combine import minus_level, select
from creased.core.program.program import Program
from creased.topology.cell_complexes import CellComplex, cell_complex
from creased.topology.vertex_values import VertexValues, values_at_vertices

MOST_CELLS = 5_000_000  # of all dimensions; they take some gigabytes
LEAST_BYTES = 1 << 26  # that an extraction may take, however few cells are allowed
CELL_BYTES = 150  # twice what it takes for each cell, beside its signs; measured in 1 to 4 dimensions
OF_CUBE = {1: 2, 2: 6, 3: 26}  # cells of a Kuhn grid for each cube, by dimension
MOST_MODULO = 1 << 20  # sums of products of residues stay exact


class TopologyKeywords(TypedDict, total=False):
    """Keywords of `betti_numbers` and `persistence`, documented there."""

    output: int
    modulo: int
    max_cells: int
    memory: int | None
    progress: Callable[[str], None] | None


class TopologyOptions(NamedTuple):
    """Options of a computation of homology."""

    output: int = 0
    modulo: int = 0  # the prime p of the field Z / p; 0 for the rationals
    max_cells: int = MOST_CELLS  # of all dimensions
    memory: int | None = None  # bytes that the extraction may take; what is free by default
    progress: Callable[[str], None] | None = None  # is told the number of cells before the work on them


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


def filtered_complex(
    program: Program, domain: Domain | None, level: float, options: TopologyOptions
) -> FilteredComplex:
    """Extract the complex of a program, and its values less the level at the vertices.

    Args:
        program: detached; moved to the CPU and to float64.
        domain: None for the whole space, or the cube of a grid.
        level: subtracted from the output.
        options: which output, and limits.

    Raises:
        CellLimitError: there are more cells, or more than memory holds.
        ArithmeticError: rounding left the complex inconsistent.
        LinealityError: the network on the whole space is constant, or has no start there.
        ValueError: there is no such output, the field is none, or the domain does not fit.
    """
    require_level("topology", program, level, options.output)
    require_field(options.modulo)
    if domain is None and program.grid is None:
        domain = WholeSpace(program.in_dim)
    domain = domain_of("topology", program, domain)
    _require_few_simplices(program, domain, options.max_cells)
    program = select(program.detach().to("cpu", torch.float64), options.output)
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
    if options.progress is not None:
        options.progress(words)
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


def require_field(modulo: int) -> None:
    """Refuse numbers that are neither a prime nor 0.

    Raises:
        ValueError: it is another number.
    """
    if modulo and (
        not 2 <= modulo < MOST_MODULO or any(modulo % k == 0 for k in range(2, isqrt(modulo) + 1))
    ):
        raise ValueError(f"topology: modulo must be 0 or a prime below {MOST_MODULO:,}, got {modulo}")


def _memory_for(program: Program, options: TopologyOptions) -> int | None:
    """Limit the memory of the extraction to what the cells that are allowed take, but on a grid."""
    if program.grid is not None:
        return options.memory
    of_cells = max(options.max_cells * (CELL_BYTES + program.n_neurons // 4), LEAST_BYTES)
    return of_cells if options.memory is None else min(options.memory, of_cells)


def _require_few_simplices(program: Program, domain: Domain, max_cells: int) -> None:
    """Refuse a box with more cells of a grid alone, before it is cut."""
    if (grid := program.grid) is not None and grid.section is None and domain.is_box:
        low, high = (
            [(x / grid.half_width + 1) * grid.finest / 2 for x in ends]
            for ends in (domain.lower, domain.upper)
        )
        whole = (max(floor(b) - ceil(a), 0) for a, b in zip(low, high, strict=True))
        n = OF_CUBE[grid.dim] * prod(whole)
        if n > max_cells:
            raise CellLimitError(
                f"topology: the grid alone has {n:,} cells, before neurons cut them; more than "
                f"max_cells={max_cells:,}: take a smaller box, or allow more, a kilobyte each"
            )
