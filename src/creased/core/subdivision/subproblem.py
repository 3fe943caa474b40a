"""A part of a domain that is being cut, and how it is divided further."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from creased.core.arrangement.cells import number_regions
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.orthants import EARLIER, LATER, NOWHERE, any_corner
from creased.core.arrangement.skeleton import BlockCut, GrowingSkeleton, corners_of_edges, subcomplex
from creased.core.numerics.tensors import Growable
from creased.core.program.affine_arithmetic import AffineForms
from creased.core.subdivision.live_regions import gather_regions

N_PARTS = 4  # that a part is divided in


@dataclass
class Subproblem:
    """A part of a domain, cut by all blocks before one and by the first neurons of that."""

    skeleton: GrowingSkeleton
    cut: BlockCut  # the block at hand
    index: int  # of that block; the outputs come after the last
    split_above: int  # vertices from which on the part is divided
    share: float = 1.0  # of the whole domain, as far as vertices tell
    prune_above: int = 0  # vertices from which on the part is pruned within a block
    forms: AffineForms | None = None  # of the block's state on the regions that corners name, if it is pruned


def divide(whole: Subproblem) -> list[Subproblem]:
    """Divide a part into about equal ones by regions; a single region is returned, to grow further.

    A region goes to one part, a cell between parts to each. The cuts are across the longest side, so that
    little lies between.
    """
    corners = _number_corners(whole)
    part_of = _choose_parts(whole, corners)
    parts: list[Subproblem] = []
    for index in torch.unique(part_of[part_of >= 0]).tolist():
        is_mine = part_of == index
        elsewhere = torch.where(part_of < index, EARLIER, LATER)
        numbers = torch.where(is_mine, is_mine.cumsum(0) - 1, elsewhere).to(corners.dtype)
        table = torch.cat([numbers.new_tensor(sorted(NOWHERE)), numbers])  # these stay what they are
        mine = table.index_select(0, corners.reshape(-1) - min(NOWHERE)).reshape(corners.shape)
        n_inconsistent = 0 if parts else whole.skeleton.n_inconsistent
        skeleton = replace(whole.skeleton, corners=Growable(mine), n_inconsistent=n_inconsistent)
        kept, cut = subcomplex(skeleton, whole.cut, *_live_cells(skeleton, whole.cut))
        forms = None if whole.forms is None else whole.forms.choose(is_mine.nonzero()[:, 0])
        parts.append(replace(whole, skeleton=kept, cut=cut, share=float(kept.vertices.n), forms=forms))
    if len(parts) == 1:
        return [replace(whole, split_above=2 * whole.split_above)]
    n_vertices = sum(part.share for part in parts)
    return [replace(part, share=whole.share * part.share / n_vertices) for part in parts]


def _choose_parts(part: Subproblem, corners: Tensor) -> Tensor:
    """Part (R,) of each region, in order along the longest side; -1 for unused numbers."""
    vertices = part.skeleton.vertices.rows
    place = (corners >= 0).reshape(-1).nonzero()[:, 0]
    region = corners.reshape(-1).index_select(0, place)
    longest = int((vertices.amax(0) - vertices.amin(0)).argmax())
    along = vertices[:, longest].index_select(0, place // corners.shape[1])
    loads = torch.bincount(region)
    start = torch.full_like(loads, torch.inf, dtype=along.dtype)
    start.scatter_reduce_(0, region.long(), along, "amin")
    order = torch.argsort(start, stable=True)
    heaped = loads[order].cumsum(0)
    part_of = torch.empty_like(loads)
    part_of[order] = (N_PARTS * (heaped - 1)) // heaped[-1]
    return torch.where(loads > 0, part_of, -1)


def _number_corners(part: Subproblem) -> Tensor:
    """Corners (V, 2^D) with at least two region numbers, if there are two regions."""
    skeleton, cut = part.skeleton, part.cut
    corners = None if skeleton.corners is None else skeleton.corners.rows
    if corners is not None and (part.forms is not None or int(corners.max()) > 0):
        return corners
    numbered, _ = number_regions(CellCodes(cut.words_so_far(skeleton), skeleton.zero_ids.rows), cut.rows)
    return numbered if corners is None else torch.where(corners >= 0, numbered, corners)


def renumber(part: Subproblem) -> None:
    """Number the regions that the block has made, and write the numbers to corners."""
    regions = gather_regions(part.skeleton, part.cut)
    assert part.skeleton.corners is not None
    numbers = torch.arange(regions.parents.shape[0], device=regions.parents.device)
    regions.rename(part.skeleton.corners.rows, numbers)


def _live_cells(skeleton: GrowingSkeleton, cut: BlockCut) -> tuple[Tensor, Tensor]:
    """True (V,), (E,) for vertices and edges with a region around them."""
    assert skeleton.corners is not None
    corners = skeleton.corners.rows
    is_live = corners >= 0
    has_live, all_live = any_corner(is_live), ~any_corner(~is_live)
    first, second = skeleton.edges.rows.unbind(1)
    alive = has_live.index_select(0, first) & has_live.index_select(0, second)
    whole = all_live.index_select(0, first) | all_live.index_select(0, second)
    doubt = (alive & ~whole).nonzero()[:, 0]
    alive[doubt] = any_corner(corners_of_edges(skeleton.freeze(), corners, doubt, cut.rows) >= 0)
    return has_live, alive
