"""Betti numbers of {f < level}, {f > level} and {f = level}, exactly.

Of a network on a grid, and of a large one, they follow in two and three dimensions from level sets alone
(`creased.topology.level_set_sides`): {f < level} is what is below, {f > level} what is below if f is turned
upside down. Otherwise, and where a level set leaves them in doubt, the open sets are those of a filtered
complex (`creased.topology.sublevel_filtration`).

For {f = level} a box, or all of space, is the union of A = {f < level + d} and B = {f > level - d}, and is
contractible, so that by Mayer and Vietoris the reduced homology of what they share is the sum of theirs; that
is {f = level} up to homotopy for small d, whether it is a manifold or not, and may hold cells of full
dimension. A and B are {f <= level} and {f >= level} up to homotopy.

Homology of a subset of three dimensions is free, and the same over all fields; in four dimensions fields may
differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Unpack

import torch

from creased.core.complexes.level_set import LevelSet
from creased.core.domains.domain import Domain
from creased.core.numerics.memory import CellLimitError
from creased.core.numerics.surroundings import as_written
from creased.core.program.program import Program
from creased.topology.level_set_sides import InDoubtError, do_level_sets_pay, sides_of_level
from creased.topology.persistence import Classes, Filtration
from creased.topology.problem import (
    TopologyKeywords,
    TopologyOptions,
    TopologyProblem,
    make_problem,
)

SIDES = ("below", "on", "above")
DIRECTIONS = {"below": (1,), "on": (1, -1), "above": (-1,)}  # sublevel sets that tell: of f, of -f
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
        max_cells: cells of all dimensions that are allowed where the complex is needed; 5 million by default,
            on a grid, which is cut slab by slab, 40 million.
        memory: bytes that the extraction may take; what is free by default.
        progress: is told the number of cells, before the work on them.

    Raises:
        CellLimitError: there are more cells, or a level set takes more memory; the message has the numbers.
        ValueError: another side or field, no such output, max_cells below 1, or the domain does not fit.
        ArithmeticError: rounding left the complex inconsistent.
    """
    if side not in SIDES:
        raise ValueError(f"betti_numbers: side must be one of {', '.join(SIDES)}; got {side!r}")
    problem = make_problem(program, domain, level, TopologyOptions(**keywords))
    return betti_by_side(problem, [side], Filtration(problem))[side]


def betti_by_side(
    problem: TopologyProblem, sides: Sequence[str], whole: Filtration, known: LevelSet | None = None
) -> dict[str, tuple[int, ...]]:
    """Compute the Betti numbers of some of `SIDES`; see `betti_numbers`.

    Args:
        problem: what is asked.
        sides: of the level.
        whole: of the problem, where level sets do not tell.
        known: the level set, where it was extracted before.
    """
    if not do_level_sets_pay(problem):
        return _of_complex(whole, sides)
    one, other = (
        cache(lambda: sides_of_level(problem, known)),
        cache(lambda: sides_of_level(problem.upside_down())),
    )
    of_level_sets = {
        "below": lambda: one().below,
        "above": lambda: other().below,
        "on": lambda: _of_what_they_share(other().rest, one().rest),
    }
    try:
        return {side: of_level_sets[side]() for side in sides}
    except InDoubtError as doubt:
        try:
            return _of_complex(whole, sides)
        except CellLimitError as error:
            raise CellLimitError(f"{error}; the level set alone does not do, as {doubt}") from error


def _of_complex(whole: Filtration, sides: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Compute the Betti numbers of some of `SIDES` from the complex."""
    problem = whole.problem
    directions = [d for d in (1, -1) if any(d in DIRECTIONS[side] for side in sides)]
    modulo = problem.options.modulo if problem.domain.dim > FREE else 2
    found = dict(zip(directions, whole.classes(directions, modulo), strict=True))
    return {side: _of_side({d: found[d] for d in DIRECTIONS[side]}) for side in sides}


def _of_side(found: dict[int, Classes]) -> tuple[int, ...]:
    """Read the Betti numbers of what is below off one direction, or of what is on the level off both."""
    if len(found) == 1:
        (classes,) = found.values()
        return classes.betti_numbers()
    at_most, at_least = (classes.betti_numbers(is_closed=True) for classes in found.values())
    if not (any(at_most) and any(at_least)):
        return (0,) * len(at_most)
    return _of_what_they_share(at_most, at_least)


def _of_what_they_share(first: Sequence[int], second: Sequence[int]) -> tuple[int, ...]:
    """Betti numbers of the intersection of two sets whose union is contractible."""
    return tuple(a + b - (k == 0) for k, (a, b) in enumerate(zip(first, second, strict=True)))
