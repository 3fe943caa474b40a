"""Bound how far the vertices of a level set, which are rounded, are from where they are.

Also the sign of the function in a corner of the domain, where rounding leaves no doubt of it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.skeleton import Skeleton
from creased.core.certificates.certify import program_of
from creased.core.certificates.proven_signs import sign_filter_of
from creased.core.certificates.sign_filter import SignFilter
from creased.core.complexes.level_set import LevelSet
from creased.core.grids.unweld import Unwelded
from creased.core.numerics.surroundings import as_written
from creased.core.program.program import Program


@as_written
@torch.no_grad()
def vertex_errors(found: LevelSet, program: Program, *, closely: bool = False) -> Tensor:
    """Bound the errors (V,) of coordinates of vertices, all of whose signs are right; rigorously.

    They are infinite where rows are so nearly parallel that floating point tells nothing, and on a slice of a
    grid.

    Args:
        found: in a bounded domain, not empty.
        program: from which it was extracted.
        closely: as well as is known; takes some times as long.
    """
    points = found.vertices.double()
    proof, codes = _filter_of(found, program, points)
    return proof.distances(points, codes, closely=closely)


@as_written
@torch.no_grad()
def sign_in_a_corner(found: LevelSet, program: Program) -> int:
    """Return the sign of f - level in a corner of the domain; 0 where it is in doubt in all of them.

    Args:
        found: in a bounded domain.
        program: from which it was extracted.
    """
    device = found.vertices.device
    corners = found.domain.skeleton(found.layout.n_words, torch.float64, device).vertices
    values = program_of(found, program, found.level).outputs_at(corners)[:, 0]
    value = float(values[values.abs().argmax()])
    proof, _ = _filter_of(found, program, corners)
    return 0 if abs(value) <= float(proof.bounds.rounding[-1]) else 1 if value > 0 else -1


def _filter_of(found: LevelSet, program: Program, points: Tensor) -> tuple[SignFilter, CellCodes]:
    """The filter of the program less the level, for points (n, D), and codes of the vertices for it."""
    program, layout = program_of(found, program, found.level), found.layout
    codes = CellCodes(found.words, found.zero_ids)
    if program.grid is not None:
        skeleton = Skeleton(found.vertices, found.zero_ids, found.words, found.edges, found.edge_zero_ids)
        unwelded = Unwelded(skeleton, program.grid, found.domain, layout)
        codes, layout = unwelded.codes, unwelded.layout
    return sign_filter_of(program, found.domain, layout, points), codes
