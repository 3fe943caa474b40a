"""Betti numbers of both sides of a level set in a box, from the level set alone.

Let S be the level set of f at c, perturbed so that zeros of f - c count as above: a surface in a convex
domain B, or curves in the plane. It parts B into {f < c} and the rest, which is {f >= c} up to homotopy.

Where S does not meet the walls, each of its components is closed, and parts B in two. So n components make
n + 1 regions, which form a tree: one of them is outermost, and each other one has one component of S around
it. A region below the level has an outer component that encloses what is below, and as cavities those that
enclose what is above; handles of S are seen from both sides (Alexander duality). With p components that
enclose what is below, m others and g handles in all {f < c} has p components (one more where it is
outermost), g loops and m cavities, and the rest likewise with p and m exchanged.

Where S meets the walls, the same is done of a closed surface around {f < c} (`creased.topology.capping`). By
Mayer and Vietoris, as B is contractible, the numbers of the two sides sum up to those of S and one component
more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch

from creased.core.certificates.certify import certify
from creased.core.certificates.vertex_errors import sign_in_a_corner, vertex_errors
from creased.core.complexes.level_set import LevelSet
from creased.core.extract_level_set import extract_level_set
from creased.core.formatting import format_number_of
from creased.core.marching.completeness import has_compiled_proof
from creased.core.method_choice import is_large
from creased.core.numerics.memory import CellLimitError
from creased.core.numerics.pointer_doubling import label_components
from creased.core.program.program import Program
from creased.topology.capping import capped, capped_on_grid, first_weight, margin_of
from creased.topology.enclosure import enclosed_signs
from creased.topology.problem import TopologyProblem

DIMENSIONS = (2, 3)
STEEPER = 16.0  # factor for a network outside of a box, where it was not steep enough


class InDoubtError(ArithmeticError):
    """A level set does not tell the topology of its sides; the message says why."""


class Sides(NamedTuple):
    """Betti numbers of dimension 0 to D of both sides of a level."""

    below: tuple[int, ...]  # of {f < level}
    rest: tuple[int, ...]  # of {f >= level}


def do_level_sets_pay(problem: TopologyProblem) -> bool:
    """Tell if level sets take less time than the complex: on grids, and of large networks."""
    program, domain = problem.program, problem.domain
    is_large_one = program.grid is not None or is_large(program)
    return is_large_one and domain.is_bounded and domain.dim in DIMENSIONS


def sides_of_level(problem: TopologyProblem, known: LevelSet | None = None) -> Sides:
    """Find the Betti numbers of both sides of a level.

    Args:
        problem: in a bounded domain of two or three dimensions.
        known: its level set, where that was extracted before; used if its certificate says that it is right.

    Raises:
        InDoubtError: the level set does not tell.
        CellLimitError: memory does not hold the level set.
    """
    found = _checked(known, problem) or _extract(problem)
    parts = [(found.vertices, "vertex", "vertices"), (found.edges, "edge", "edges")]
    counts = [format_number_of(len(cells), one, several) for cells, one, several in parts]
    problem.options.report(f"level set: {', '.join([*counts, *[str(found.polygons)] * (found.dim == 3)])}")
    if not found.is_on_wall().any():
        return _sides_of_closed(found, problem.program)
    if not problem.domain.is_box:
        raise InDoubtError("it meets the walls")
    below, both = _sides_of_closed(*_capped(problem, found)).below, _of_itself(found)
    return Sides(below, (both[0] + 1 - below[0], *(n - b for n, b in zip(both[1:], below[1:], strict=True))))


def _checked(known: LevelSet | None, problem: TopologyProblem) -> LevelSet | None:
    """Return a level set if it is that of the problem, complete and certified."""
    if known is None or not known.is_complete:
        return None
    (program, domain, level, options), found = problem, replace(known, output=0)  # of the program selected
    is_same = (known.output, known.domain, known.level) == (options.output, domain, level)
    return found if is_same and certify(found, program).is_certified else None


def _extract(problem: TopologyProblem) -> LevelSet:
    """Extract a level set, complete and with exact signs."""
    program, domain, level, options = problem
    found = None
    if is_large(program) and has_compiled_proof(program):
        found = extract_level_set(program, domain, level, method="auto", complete=True, memory=options.memory)
    if found is None or found.provenance.signs is None:
        found = _proven(problem) or extract_level_set(
            program, domain, level, exact=True, memory=options.memory
        )
    if not found.provenance.is_whole:
        raise CellLimitError(f"topology: the level set was {found.status}")
    audit = found.audit()
    if not (found.is_complete and audit.is_manifold and audit.is_oriented):
        raise InDoubtError(f"it is {found.guarantee}; {audit}")
    return found


def _proven(problem: TopologyProblem) -> LevelSet | None:
    """Extract a level set in floating point; return it if all its signs are proven to be right.

    On walls many signs are near zero, and are proven in less time than they are decided in rationals.
    """
    program, domain, level, options = problem
    found = extract_level_set(program, domain, level, memory=options.memory)
    if not found.provenance.is_whole or found.n_inconsistent:
        return None
    return found if certify(found, program, count=False).is_certified else None


def _capped(problem: TopologyProblem, found: LevelSet) -> tuple[LevelSet, Program]:
    """Extract a closed surface around what is below the level, and the program that it is of."""
    if problem.program.grid is not None:
        margin = margin_of(found, vertex_errors(found, problem.program))
        if not margin:
            raise InDoubtError("rounding leaves in doubt where it meets the walls")
        program, box = capped_on_grid(problem.program, problem.domain, problem.level, margin)
        return _extract(problem._replace(program=program, domain=box, level=0.0)), program
    weight = first_weight(problem.program, problem.domain, problem.level)
    while True:
        program, box = capped(problem.program, problem.domain, weight)
        found = _extract(problem._replace(program=program, domain=box))
        if not found.is_on_wall().any():
            return found, program
        weight *= STEEPER


def _sides_of_closed(found: LevelSet, program: Program) -> Sides:
    """Find the Betti numbers of both sides of a level set that does not meet the walls."""
    outside, signs = sign_in_a_corner(found, program), found.vertices.new_zeros(0)
    if not found.is_empty:
        signs = enclosed_signs(found, vertex_errors(found, program))
        if not signs.all():
            signs = enclosed_signs(found, vertex_errors(found, program, closely=True))
    if outside == 0 or not signs.all():
        raise InDoubtError("rounding leaves in doubt what it encloses")
    n_below, n_above = int((signs > 0).sum()), int((signs < 0).sum())
    handles = (len(signs) - found.audit().euler_characteristic // 2,) * (found.dim - 2)
    return Sides(
        (n_below + (outside < 0), *handles, n_above, 0), (n_above + (outside > 0), *handles, n_below, 0)
    )


def _of_itself(found: LevelSet) -> tuple[int, ...]:
    """Betti numbers of a level set, with or without a boundary."""
    label, audit = label_components(len(found.vertices), found.edges), found.audit()
    n_closed = audit.n_components - len(torch.unique(label[found.is_on_wall()]))
    loops = (audit.n_components + n_closed - audit.euler_characteristic,) * (found.dim - 2)
    return (audit.n_components, *loops, n_closed, 0)
