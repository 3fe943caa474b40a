"""Prove that a walk found every component of a level set, or continue it where it did not.

Certified subdivision goes through the domain piece by piece. Where a vertex of the level set lies in a cell
that was not visited, the walk continues from there. Every component has a vertex, so that after the last
piece all components have been walked.
"""

from __future__ import annotations

import time

import torch

from creased.core.marching.march import Walker
from creased.core.numerics.memory import Resources
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
    cutter, bits, n_walls = Cutter(problem), problem.rows.bits, problem.rows.layout.n_walls
    n_before, done, n_inconsistent = walker.n_cells, 0.0, 0
    limits = walker.limits = NO_LIMITS if budget is None else Limits(deadline=time.monotonic() + budget)
    while not cutter.is_done and not walker.why_stopped and not limits.is_late():
        piece = cutter.next_piece(limits._replace(n_bytes=walker.spare()))
        if piece is None:
            break
        done, n_inconsistent = done + piece.share, n_inconsistent + piece.n_inconsistent
        found = on_row(piece, problem.rows.layout.first_output).skeleton
        words = found.words
        for zero in found.zero_ids.long().unbind(1):
            words = words | bits[zero] * (zero < n_walls)[:, None]
        missed = (~walker.knows(words)).nonzero()[:, 0]
        walker.walk_on(words[missed], found.vertices[missed])
        n_inconsistent += int(walker.is_empty(words).sum())
        resources.report(f"proven complete in {min(done, 1):.0%} of the domain")
    is_whole = cutter.is_done and n_inconsistent == 0 and not walker.why_stopped
    return CompletenessProof(min(done, 1.0), n_inconsistent, is_whole, walker.n_cells - n_before, budget)
