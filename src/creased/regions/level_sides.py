"""Tell on which side of a level each region of a complex is, without rounding.

The complex is cut by the level, its signs exact, and zeros count as +. So a region of sign - is below, and
one of sign + is above where f exceeds the level at one of its vertices; else f is the level on all of it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import unpack_rows
from creased.core.certificates.proven_signs import exact_rows_of, sign_filter_of
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.grids.unweld import Unwelded
from creased.core.program.combine import minus_level
from creased.core.program.program import Program
from creased.regions.region_graph import RegionGraph

AT_ONCE = 1 << 26  # signs that are proven in one go


def sides_of_regions(graph: RegionGraph) -> Tensor:
    """Return -1, 0 or 1 (R,) int64 for regions below, on and above the level of a graph of one output."""
    regions = graph.regions
    is_high = unpack_rows(regions.words, regions.layout.first_output, 1)[:, 0]
    offsets, corners = regions.vertices()
    owner = torch.repeat_interleave(torch.arange(regions.n), offsets.diff())
    chosen = is_high[owner]
    owner, corners = owner[chosen], corners[chosen]
    vertices, place = corners.unique(return_inverse=True)
    exceeds = _exceeds(graph.complex, minus_level(graph.program, graph.level or 0.0), vertices)[place]
    sides = is_high.long() - 1
    return sides.index_fill_(0, owner[exceeds], 1)


def _exceeds(complex_: PolyhedralComplex, program: Program, vertices: Tensor) -> Tensor:
    """True (n,) at vertices (n,) where the output is above 0, given that it is nowhere below."""
    codes, layout = CellCodes(complex_.words, complex_.zero_ids), complex_.layout
    if program.grid is not None:
        parts = Unwelded(complex_.skeleton(), program.grid, complex_.domain, layout)
        codes, layout = parts.codes, parts.layout
    points, row = complex_.vertices[vertices], layout.first_output
    codes = codes.choose(vertices)
    proof = sign_filter_of(program, complex_.domain, layout, complex_.vertices)
    batches = torch.arange(len(points)).split(max(AT_ONCE // layout.n_rows, 1))
    unsure = [proof.by_slopes(points[batch], codes.choose(batch))[:, row] for batch in batches]
    exceeds = ~(codes.zero_ids == row).any(1)
    in_doubt = (torch.cat([exceeds[:0], *unsure]) & exceeds).nonzero()[:, 0]
    if in_doubt.numel():
        every, rows = torch.arange(len(in_doubt)), torch.full_like(in_doubt, row)
        exact = exact_rows_of(program, complex_.domain, layout)
        decided = exact.signs_at(codes.choose(in_doubt), points[in_doubt], every, rows)
        exceeds[in_doubt] = decided.signs > 0
    return exceeds
