"""Betti numbers of {f < level}, {f > level} and {f = level}, exactly.

The open sets are those of a filtered complex (`creased.topology.sublevel_filtration`). For {f = level} no
surface is needed: a box, or all of space, is the union of A = {f < level + d} and B = {f > level - d}, and is
contractible, so that by Mayer and Vietoris the reduced homology of what they share is the sum of theirs; that
is {f = level} up to homotopy for small d, whether it is a manifold or not, and may hold cells of full
dimension. A and B are those cells whose vertices all have f <= level, or f >= level.

Homology of a subset of three dimensions is free, and the same over all fields; in four dimensions fields may
differ.
"""

from __future__ import annotations

from typing import Unpack

import torch
from torch import Tensor

from creased.core.domains.domain import Domain
from creased.core.numerics.surroundings import as_written
from creased.core.program.program import Program
from creased.topology.persistence import persistent_pairs
from creased.topology.sublevel_filtration import (
    FilteredComplex,
    TopologyKeywords,
    TopologyOptions,
    filtered_complex,
)

SIDES = ("below", "on", "above")
FREE = 3  # dimensions up to which homology is the same over all fields


@as_written
@torch.no_grad()
def betti_numbers(
    program: Program,
    domain: Domain | None = None,
    level: float = 0.0,
    side: str = "below",
    **keywords: Unpack[TopologyKeywords],
) -> tuple[int, ...]:
    """Compute the Betti numbers of {f < level}, {f = level} or {f > level}: one for each dimension 0 to D.

    That of dimension 0 counts components, of 1 independent loops, such as those around handles, of 2
    cavities. They are those of the network as it is, in exact arithmetic, however degenerate: {f < level} and
    {f > level} are open in the domain, and {f = level} is the closed set itself, not one perturbed.

    Args:
        program: with finite weights; detached, and moved to the CPU and to float64.
        domain: where; None for the whole space, or the cube of a network on a grid.
        level: the value.
        side: "below", "on" or "above".
        output: index of the program's output.
        modulo: a prime p, for homology over Z / p; 0, by default, for the rationals. They are equal in up to
            three dimensions.
        max_cells: cells of all dimensions that are allowed; 5 million by default.
        memory: bytes that the extraction may take; what is free by default.
        progress: is told the number of cells, before the work on them.

    Raises:
        CellLimitError: there are more cells; the message has the numbers.
        LinealityError: the network on the whole space is constant, or has no start there.
        ValueError: another side or field, no such output, or the domain does not fit.
        ArithmeticError: rounding left the complex inconsistent.
    """
    if side not in SIDES:
        raise ValueError(f"betti_numbers: side must be one of {', '.join(SIDES)}; got {side!r}")
    options = TopologyOptions(**keywords)
    return betti_of_side(filtered_complex(program, domain, level, options), side, options.modulo)


def betti_of_side(found: FilteredComplex, side: str, modulo: int = 0) -> tuple[int, ...]:
    """Compute the Betti numbers of one of `SIDES`; see `betti_numbers`."""
    values, signs = found.at_vertices
    if side == "below":
        return _betti(found, signs < 0, values, modulo)
    if side == "above":
        return _betti(found, signs > 0, -values, modulo)
    if bool((signs > 0).all()) or bool((signs < 0).all()):
        return (0,) * (found.dim + 1)
    at_most = _betti(found, signs <= 0, values, modulo)
    at_least = _betti(found, signs >= 0, -values, modulo)
    return tuple(a + b - (k == 0) for k, (a, b) in enumerate(zip(at_most, at_least, strict=True)))


def _betti(found: FilteredComplex, is_inside: Tensor, values: Tensor, modulo: int) -> tuple[int, ...]:
    """Count classes of the cells whose vertices are all in a set (V,), by the order of values (V,)."""
    cells, star, _ = found.sublevel(is_inside, values)
    essential = persistent_pairs(cells, star, modulo if found.dim > FREE else 2).essential
    return tuple(torch.bincount(cells.dims()[essential], minlength=found.dim + 1).tolist())
