"""Prove that a walk found every component of a level set, or continue it where it did not.

Certified subdivision goes through the domain piece by piece. Where a vertex of the level set lies in a cell
that was not visited, the walk continues from there. Every component has a vertex, so that after the last
piece all components have been walked.

Where compiled kernels are at hand, branch and bound does the same for plain networks, region by region: what
the walk has visited need not be bounded, and nothing need be matched with its neighbours. Where it meets a
region that rounding leaves open, subdivision proves all.
"""

from __future__ import annotations

import sys
import time
from typing import NamedTuple

import torch

from creased.core.marching.march import Walker
from creased.core.native.available import is_native
from creased.core.numerics.memory import Resources
from creased.core.program.program import Program
from creased.core.provenance import CompletenessProof
from creased.core.subdivision.footprint import NO_LIMITS, Limits
from creased.core.subdivision.pieces import Cutter, on_row
from creased.core.subdivision.problem import SubdivisionProblem


@torch.no_grad()
def prove_complete(
    problem: SubdivisionProblem, walker: Walker, budget: float | None, resources: Resources
) -> CompletenessProof:
    """Subdivide the domain and walk missed components, until all is proven or the time budget is spent.

    Args:
        problem: the pruned problem of the walk.
        walker: after its walk from seeds.
        budget: seconds; None: unlimited.
        resources: with the progress callback.
    """
    n_before = walker.n_cells
    limits = walker.limits = NO_LIMITS if budget is None else Limits(deadline=time.monotonic() + budget)
    searched = _search(problem, walker, limits, resources) if is_searchable(problem) else None
    done = _subdivide(problem, walker, limits, resources) if searched is None else searched
    return CompletenessProof(
        min(done.share, 1.0), done.n_inconsistent, done.is_whole, walker.n_cells - n_before, budget
    )


def is_searchable(problem: SubdivisionProblem) -> bool:
    """Return whether the compiled search takes a problem."""
    domain, program = problem.domain, problem.cutting
    is_start_plain = domain.is_bounded and problem.begin.order is None
    return is_start_plain and program.dtype == torch.float64 and has_compiled_proof(program)


def has_compiled_proof(program: Program) -> bool:
    """Return whether there are kernels for the proof of such a network, in double precision."""
    is_plain = program.grid is None and all(block.is_plain for block in program.blocks)
    is_small = program.in_dim in (2, 3) and len(program.blocks) > 0
    return is_plain and is_small and is_native(program.device)


class _Done(NamedTuple):
    share: float  # of the domain
    n_inconsistent: int
    is_whole: bool


def _search(
    problem: SubdivisionProblem, walker: Walker, limits: Limits, resources: Resources
) -> _Done | None:
    """Prove by branch and bound; None where rounding left a region open."""
    if "creased.core.marching.branch_and_bound" not in sys.modules:
        resources.report("loading the compiled search; after an installation it is compiled, in some 15 s")
    from creased.core.marching.branch_and_bound import Search  # needs numba

    search, share, n_inconsistent = Search(problem, walker.finish()), 0.0, 0
    while not search.is_done and not walker.why_stopped and not limits.is_late():
        found, proven = search.advance()
        if search.is_open:
            return None
        share += proven
        if found.words.shape[0]:
            missed = (~walker.knows(found.words)).nonzero()[:, 0]
            walker.walk_on(found.words[missed], found.points[missed])
            n_inconsistent += int(walker.is_empty(found.words).sum())
        resources.report(f"proven complete in {min(share, 1):.0%} of the domain")
    return _Done(share, n_inconsistent, search.is_done and n_inconsistent == 0 and not walker.why_stopped)


def _subdivide(problem: SubdivisionProblem, walker: Walker, limits: Limits, resources: Resources) -> _Done:
    """Prove by certified subdivision."""
    cutter, bits, n_walls = Cutter(problem), problem.rows.bits, problem.rows.layout.n_walls
    share, n_inconsistent = 0.0, 0
    while not cutter.is_done and not walker.why_stopped and not limits.is_late():
        piece = cutter.next_piece(limits._replace(n_bytes=walker.spare()))
        if piece is None:
            break
        share, n_inconsistent = share + piece.share, n_inconsistent + piece.n_inconsistent
        found = on_row(piece, problem.rows.layout.first_output).skeleton
        words = found.words
        for zero in found.zero_ids.long().unbind(1):
            words = words | bits[zero] * (zero < n_walls)[:, None]
        missed = (~walker.knows(words)).nonzero()[:, 0]
        walker.walk_on(words[missed], found.vertices[missed])
        n_inconsistent += int(walker.is_empty(words).sum())
        resources.report(f"proven complete in {min(share, 1):.0%} of the domain")
    return _Done(share, n_inconsistent, cutter.is_done and n_inconsistent == 0 and not walker.why_stopped)
