"""Integrals of a network over a box: volumes, mean, total variation, without samples.

The complex is cut by the level, so that f is affine, and f - level has one sign, on every region. On a
simplex of volume v with vertices x_0, ..., x_D an affine f has the integral v (f(x_0) + ... + f(x_D)) /
(D + 1). Sums are compensated, and signs exact (`creased.regions.level_sides`). Only the vertices and the
values there are rounded; ``exact=True`` has them in rationals.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import compress
from typing import Any, TypeVar

import torch

from creased.core.certificates.proven_signs import exact_rows_of
from creased.core.domains.domain import Domain
from creased.core.exact.integer_program import IntegerProgram
from creased.core.numerics.surroundings import as_written
from creased.core.options import domain_of
from creased.core.program.combine import minus_level
from creased.core.program.program import Program
from creased.regions.level_sides import sides_of_regions
from creased.regions.region_graph import RegionGraph, region_graph
from creased.regions.triangulation import Triangulation, simplex_volumes, triangulate

Number = TypeVar("Number", float, Fraction)


@dataclass(frozen=True)
class Integrals:
    """Integrals over a domain of D dimensions, in its units; rationals where that was asked for."""

    volume: float | Fraction  # of the domain
    volume_below: float | Fraction  # of {f < level}
    volume_on: float | Fraction  # of {f = level}
    volume_above: float | Fraction  # of {f > level}
    integral: float | Fraction  # of f
    integral_below: float | Fraction  # of f, over {f < level}
    total_variation: float  # integral of the 2-norm of the gradient
    level: float

    @property
    def mean(self) -> float | Fraction:
        """Mean of f: its expected value at a point drawn evenly."""
        return self.integral / self.volume

    def __repr__(self) -> str:
        lines = {
            "volume": self.volume,
            f"volume of f < {self.level:g}": self.volume_below,
            f"volume of f = {self.level:g}": self.volume_on,
            f"volume of f > {self.level:g}": self.volume_above,
            "integral of f": self.integral,
            "mean of f": self.mean,
            "total variation": self.total_variation,
        }
        return "\n".join(f"{name:<22} {float(value):.12g}" for name, value in lines.items())


@as_written
@torch.no_grad()
def integrate(
    program: Program,
    domain: Domain | None = None,
    level: float = 0.0,
    *,
    output: int = 0,
    exact: bool = False,
    memory: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Integrals:
    """Integrate a program over a bounded domain, region by region.

    Args:
        program: with finite weights; detached, and moved to the CPU and to float64.
        domain: bounded; None for the cube of a network on a grid.
        level: the value that tells below from above.
        output: index of the program's output.
        exact: compute volumes and integrals of f in rationals, but for the total variation; takes a
            millisecond or more for each vertex, and is not for networks on a grid.
        memory: bytes that the extraction may take; what is free by default.
        progress: is told the number of regions and vertices, before the work on them.

    Raises:
        CellLimitError: the complex takes more memory than allowed.
        ValueError: the domain is not bounded, dimensions differ, or ``exact`` on a grid.
    """
    domain = domain_of("integrate", program, domain)
    if not domain.is_bounded:
        raise ValueError(f"integrate: needs a bounded domain, got {domain}")
    if exact:
        program.require_no_grid("integrate(exact=True)")
    graph = region_graph(program, domain, level=level, output=output, memory=memory, progress=progress)
    vertices, parts = graph.complex.vertices, triangulate(graph.complex, graph.regions, graph.program.grid)
    volumes = simplex_volumes(vertices, parts.simplices)
    slopes = graph.maps[:, :-1, 0].norm(dim=1)[parts.region]
    variation, sides = math.fsum((volumes * slopes).tolist()), sides_of_regions(graph)[parts.region].tolist()
    if exact:
        return _summed(*_in_rationals(graph, parts), sides, Fraction(level), variation)
    values = graph.program.outputs_at(vertices)[:, 0]
    heights = values[parts.simplices].mean(1) - level
    return _summed(volumes.tolist(), heights.tolist(), sides, level, variation)


def _summed(
    volumes: Sequence[Number],
    heights: Sequence[Number],
    sides: Sequence[int],
    level: Number,
    total_variation: float,
) -> Integrals:
    """Sum over simplices, given their volumes, the means of f - level on them, and their sides of it."""
    moments = [v * h for v, h in zip(volumes, heights, strict=True)]
    below, on, above = ([s == side for s in sides] for side in (-1, 0, 1))
    whole, low = _sum(volumes), _sum(compress(volumes, below))
    return Integrals(
        volume=whole,
        volume_below=low,
        volume_on=_sum(compress(volumes, on)),
        volume_above=_sum(compress(volumes, above)),
        integral=_sum(moments) + level * whole,
        integral_below=_sum(compress(moments, below)) + level * low,
        total_variation=total_variation,
        level=float(level),
    )


def _sum(numbers: Iterable[Any]) -> Any:
    """Sum fractions exactly, and floats rounded once."""
    listed = list(numbers)
    return sum(listed, Fraction(0)) if listed and isinstance(listed[0], Fraction) else math.fsum(listed)


def _in_rationals(graph: RegionGraph, parts: Triangulation) -> tuple[list[Fraction], list[Fraction]]:
    """Volumes (T,) of simplices, and means (T,) of f - level on them."""
    found, level = graph.complex, graph.level or 0.0
    exact = exact_rows_of(minus_level(graph.program, level), found.domain, found.layout)
    network, points, heights = IntegerProgram.of(graph.program), [], []
    for codes in zip(found.zero_ids.tolist(), found.words.tolist(), found.vertices.tolist(), strict=True):
        *place, scale = exact.vertex(*codes)
        points.append([Fraction(int(x), int(scale)) for x in place])
        heights.append(network.rows_at(points[-1])[-1] - Fraction(level))
    volumes, means, dim = [], [], found.dim
    for simplex in parts.simplices.tolist():
        first, *others = (points[vertex] for vertex in simplex)
        arms = [[a - b for a, b in zip(other, first, strict=True)] for other in others]
        volumes.append(abs(_determinant(arms)) / math.factorial(dim))
        means.append(sum((heights[vertex] for vertex in simplex), Fraction(0)) / (dim + 1))
    return volumes, means


def _determinant(rows: Sequence[Sequence[Fraction]]) -> Fraction:
    """Expand a small determinant along its first row."""
    if not rows:
        return Fraction(1)
    minors = ([[*row[:k], *row[k + 1 :]] for row in rows[1:]] for k in range(len(rows)))
    terms = (
        x * _determinant(minor) * (-1) ** k for k, (x, minor) in enumerate(zip(rows[0], minors, strict=True))
    )
    return sum(terms, Fraction(0))
