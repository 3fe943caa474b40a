"""Persistence diagrams of sublevel sets: when components, loops and cavities appear and vanish.

As the level c rises, classes of the homology of {f < c} are born and die at values of f at vertices of the
complex (piecewise-linear Morse theory). Most vertices are regular; what is born and dies at one value is no
class of any sublevel set, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Unpack

import torch
from torch import Tensor

from creased.core.domains.domain import Domain
from creased.core.formatting import format_number_of
from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tensors import map_tensors
from creased.core.numerics.tolerance import get_epsilon
from creased.core.program.program import Program
from creased.topology.persistence import Classes, Filtration
from creased.topology.problem import TopologyKeywords, TopologyOptions, make_problem

SHOWN = 5  # classes of each dimension, in words


class Interval(NamedTuple):
    """Levels between which a homology class exists: birth < level <= death."""

    dim: int
    birth: float
    death: float  # infinity for an essential class


@dataclass(frozen=True)
class PersistenceDiagram:
    """Intervals of the persistent homology of sublevel sets, by dimension, each the longest first."""

    dims: Tensor  # (n,) int64
    births: Tensor  # (n,) float64: -infinity where the function falls without bound
    deaths: Tensor  # (n,) float64: infinity for essential classes
    at_birth: Tensor  # (n, D) float64: vertex with which a class is born; at infinity a direction
    at_death: Tensor  # (n, D) float64: with which it dies; NaN for essential classes
    dim: int  # D
    modulo: int  # the field: Z / p, or 0 for the rationals

    def __len__(self) -> int:
        return len(self.dims)

    def __iter__(self) -> Iterator[Interval]:
        rows = zip(self.dims.tolist(), self.births.tolist(), self.deaths.tolist(), strict=True)
        return (Interval(*row) for row in rows)

    def of_dim(self, dim: int) -> Tensor:
        """Births and deaths (n, 2) of the classes of one dimension."""
        chosen = self.dims == dim
        return torch.stack([self.births[chosen], self.deaths[chosen]], dim=1)

    @property
    def is_essential(self) -> Tensor:
        """True (n,) for classes that never die."""
        return self.deaths == torch.inf

    def betti_numbers(self, level: float) -> tuple[int, ...]:
        """Count the classes of {f < level}, by dimension 0 to D; see `creased.betti_numbers` for its sign."""
        alive = self.dims[(self.births < level) & (level <= self.deaths)]
        return tuple(torch.bincount(alive, minlength=self.dim + 1).tolist())

    def lasting(self, least: float) -> PersistenceDiagram:
        """Keep the classes that exist over at least such a difference of levels."""
        chosen = self.deaths - self.births >= least
        return map_tensors(self, lambda t: t[chosen])

    def __repr__(self) -> str:
        lines = [f"persistence of sublevel sets, {format_number_of(len(self), 'class', 'classes')}"]
        lines += (f"  H{dim}: {self.format_dim(dim)}" for dim in range(self.dim) if len(self.of_dim(dim)))
        return "\n".join(lines)

    def format_dim(self, dim: int) -> str:
        """Format the number of classes of one dimension, and the longest intervals."""
        rows = self.of_dim(dim)
        shown = ", ".join(f"[{a:.4g}, {b:.4g})" for a, b in rows[:SHOWN].tolist())
        return f"{len(rows)}: {shown}{', ...' * (len(rows) > SHOWN)}"


@as_written
@torch.no_grad()
def persistence(
    program: Program, domain: Domain | None = None, **keywords: Unpack[TopologyKeywords]
) -> PersistenceDiagram:
    """Compute the persistent homology of the sublevel sets of a program on a domain.

    Values at vertices are rounded, and births and deaths by no more than these (stability). Everything else
    is computed without rounding. For superlevel sets take ``creased.combine.negative(program)``.

    Args:
        program: with finite weights; detached, and moved to the CPU and to float64.
        domain: where; None for the whole space, or the cube of a network on a grid.
        output: index of the program's output.
        modulo: a prime p, for homology over Z / p, 2 by default; 0 for the rationals. On a grid 2 alone.
        max_cells: cells of all dimensions that are allowed; 5 million by default, on a grid, which is cut
            slab by slab, 40 million.
        memory: bytes that the extraction may take; what is free by default.
        progress: is told the number of cells, before the work on them.

    Raises:
        CellLimitError: there are more cells; the message has the numbers.
        ValueError: another field, no such output, max_cells below 1, or the domain does not fit.
        ArithmeticError: rounding left the complex inconsistent.
    """
    keywords.setdefault("modulo", 2)
    options = TopologyOptions(**keywords)
    if program.grid is not None and options.modulo != 2:
        raise ValueError(f"persistence: on a grid modulo must be 2, got {options.modulo}")
    problem = make_problem(program, domain, 0.0, options)
    (classes,) = Filtration(problem).classes([1], options.modulo)
    return diagram_of(classes, problem.level, options.modulo)


def diagram_of(classes: Classes, level: float, modulo: int = 2) -> PersistenceDiagram:
    """Make the diagram of classes of the sublevel sets of f less a level."""
    births, deaths = classes.births.values + level, classes.deaths.values + level
    noise = get_epsilon(births.dtype) * (classes.largest + abs(level))
    order = (deaths > births + noise).nonzero()[:, 0]
    for key in (-deaths, births - deaths, classes.dims):
        order = order[key[order].argsort(stable=True)]
    return PersistenceDiagram(
        dims=classes.dims[order],
        births=births[order],
        deaths=deaths[order],
        at_birth=classes.births.points[order],
        at_death=classes.deaths.points[order],
        dim=classes.dim,
        modulo=modulo,
    )
