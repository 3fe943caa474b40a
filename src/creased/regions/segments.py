"""Follow a straight segment from region to region: the cells that it passes, and the neurons it crosses.

The network on the segment is a network of one input, of which the engine finds the complex.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import find_words
from creased.core.arrangement.signs import RowLayout, pack_rows
from creased.core.complexes.complex import PolyhedralComplex, find_regions
from creased.core.complexes.locate import regions_at
from creased.core.complexes.regions import Regions
from creased.core.domains.box import Box
from creased.core.extract_complex import extract_complex
from creased.core.numerics.tensors import Points, as_points
from creased.core.numerics.tolerance import get_epsilon
from creased.core.program.affine_slice import slice_program
from creased.core.program.program import Program
from creased.regions.rows import name_row


@dataclass(frozen=True)
class SegmentPath:
    """Regions along a segment, in order, and the rows that are crossed between them."""

    regions: Tensor  # (k,) int64
    shares: Tensor  # (k - 1,) float64: where it crosses from one to the next, in [0, 1] from its start
    points: Tensor  # (k - 1, D) float64: the same as points
    rows: tuple[tuple[int, ...], ...]  # k - 1: the rows whose signs change there, mostly one
    layout: RowLayout  # how rows are numbered

    @property
    def n_crossings(self) -> int:
        """Number of places where a row is crossed."""
        return len(self.rows)

    def __repr__(self) -> str:
        steps = [f"region {int(self.regions[0])}"]
        for share, rows, region in zip(self.shares, self.rows, self.regions[1:], strict=True):
            names = ", ".join(name_row(self.layout, row) for row in rows) or name_row(self.layout, -1)
            steps.append(f"at {float(share):.4f} across {names} to region {int(region)}")
        return "\n".join(steps)


def follow_segment(
    start: Points, end: Points, regions: Regions, program: Program, level: float | None
) -> SegmentPath:
    """Find the regions that a segment passes; see `RegionGraph.path`.

    Crossings nearer to each other than rounding tells apart count as one.
    """
    start, end = (as_points("path", x, regions.dim, program.dtype, program.device) for x in (start, end))
    if start.dim() != 1 or end.dim() != 1 or bool((start == end).all()):
        raise ValueError(
            f"path: needs two different points ({regions.dim},), got {start.tolist()}, {end.tolist()}"
        )
    if bool((regions_at(torch.stack([start, end]), regions, program, level) < 0).any()):
        raise ValueError(f"path: a point is outside of the domain: {start.tolist()}, {end.tolist()}")
    segment = slice_program(program, start, (end - start)[:, None]).program
    found = extract_complex(segment, Box([0.0], [1.0]), level=level, exact=True)
    shares = found.vertices[:, 0].sort().values.clamp(0, 1)
    kept = torch.ones_like(shares, dtype=torch.bool)
    kept[1:] = shares.diff() > get_epsilon(shares.dtype)
    shares = torch.cat([shares[kept][:-1], shares.new_ones(1)])  # from 0 to 1, both among them
    middles = (shares[1:] + shares[:-1]) / 2
    along = torch.full_like(middles, -1, dtype=torch.int64)
    if program.grid is None:
        along = find_words(_words(found, middles, regions.layout), regions.words)
    lost = along < 0
    along[lost] = regions_at(start + middles[lost, None] * (end - start), regions, program, level)
    moves = (along[1:] != along[:-1]).nonzero()[:, 0]
    passed = along[torch.cat([moves, moves.new_tensor([len(along) - 1])])]
    signs = torch.stack([regions.sign_vectors(slice(r, r + 1))[0] for r in passed.tolist()])
    crossed = tuple(tuple(step.nonzero()[:, 0].tolist()) for step in signs[1:] != signs[:-1])
    places = shares[1:-1][moves]
    return SegmentPath(passed, places, start + places[:, None] * (end - start), crossed, regions.layout)


def _words(found: PolyhedralComplex, shares: Tensor, layout: RowLayout) -> Tensor:
    """Packed signs (k, W) of the regions at shares of a segment, as its complex has them.

    Points of a segment along a crease are rounded to either side of it; a row that vanishes on all of the
    segment is + there.
    """
    pieces = find_regions(found)
    ends = found.vertices[pieces.vertices()[1], 0].view(-1, 2)
    low, order = ends.amin(1).sort(stable=True)
    long = (ends.diff(dim=1).abs() > get_epsilon(ends.dtype))[order, 0]
    at = order[long][torch.searchsorted(low[long], shares, right=True) - 1]
    is_plus = pieces.sign_vectors()[at, pieces.layout.n_walls :] > 0
    walls = is_plus.new_ones((len(shares), layout.n_walls))
    return pack_rows(torch.cat([walls, is_plus], dim=1), 0, layout.n_words)
