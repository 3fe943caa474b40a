"""What is asked of the topology of a network: options, limits, and the program in the form that is used."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import NamedTuple, TypedDict

import torch

from creased.core.domains.domain import Domain
from creased.core.domains.whole_space import WholeSpace
from creased.core.options import domain_of, require_level
from creased.core.program.combine import negative, select
from creased.core.program.program import Program

MOST_CELLS = 5_000_000  # of all dimensions; they take some gigabytes
MOST_ON_GRID = 40_000_000  # held slab by slab; they take some minutes
MOST_MODULO = 1 << 20  # sums of products of residues stay exact


class TopologyKeywords(TypedDict, total=False):
    """Keywords of `betti_numbers` and `persistence`, documented there."""

    output: int
    modulo: int
    max_cells: int | None
    memory: int | None
    progress: Callable[[str], None] | None


class TopologyOptions(NamedTuple):
    """Options of a computation of homology."""

    output: int = 0
    modulo: int = 0  # the prime p of the field Z / p; 0 for the rationals
    max_cells: int | None = None  # of all dimensions; None: `MOST_CELLS`, or `MOST_ON_GRID`
    memory: int | None = None  # bytes that the extraction may take; what is free by default
    progress: Callable[[str], None] | None = None  # is told the number of cells before the work on them

    def report(self, words: str) -> None:
        """Pass words on to the progress callback, where there is one."""
        if self.progress is not None:
            self.progress(words)


class TopologyProblem(NamedTuple):
    """A function, where, and a level."""

    program: Program  # of one output, detached, on the CPU, in float64
    domain: Domain
    level: float
    options: TopologyOptions

    @property
    def most_cells(self) -> int:
        """Number of cells that are allowed."""
        default = MOST_CELLS if self.program.grid is None else MOST_ON_GRID
        return default if self.options.max_cells is None else self.options.max_cells

    def upside_down(self) -> TopologyProblem:
        """Negate the function and the level: what is above comes to be below; without words on progress."""
        options = self.options._replace(progress=None)
        return TopologyProblem(negative(self.program), self.domain, 0 - self.level, options)


def make_problem(
    program: Program, domain: Domain | None, level: float, options: TopologyOptions
) -> TopologyProblem:
    """Check what is asked, and bring the program into the form that is used.

    Args:
        program: detached; moved to the CPU and to float64.
        domain: None for the whole space, or the cube of a grid.
        level: the value.
        options: which output, and limits.

    Raises:
        ValueError: there is no such output, the field is none, no cells are allowed, or the domain does not
            fit.
    """
    require_level("topology", program, level, options.output)
    if options.max_cells is not None and options.max_cells < 1:
        raise ValueError(f"topology: max_cells must be positive, got {options.max_cells}")
    require_field(options.modulo)
    if domain is None and program.grid is None:
        domain = WholeSpace(program.in_dim)
    domain = domain_of("topology", program, domain)
    program = select(program.detach().to("cpu", torch.float64), options.output)
    return TopologyProblem(program, domain, level, options)


def require_field(modulo: int) -> None:
    """Refuse numbers that are neither a prime nor 0.

    Raises:
        ValueError: it is another number.
    """
    if modulo and (
        not 2 <= modulo < MOST_MODULO or any(modulo % k == 0 for k in range(2, isqrt(modulo) + 1))
    ):
        raise ValueError(f"topology: modulo must be 0 or a prime below {MOST_MODULO:,}, got {modulo}")
