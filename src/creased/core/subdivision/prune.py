"""Prune regions on which a bound proves that the output keeps its sign.

After each block, and within one when cells multiply, the regions of the live complex are gathered from the
corners of its vertices. A region goes only if a bound proves that the output has no zero in it, so the bound
itself is the certificate that nothing of the level set is lost; a vertex goes when all regions around it are
gone. Since a corner carries the number of its region, what a dropped region leaves behind in its neighbours'
vertices is dead at once.

With the number go the affine forms that the network's state has on the region: its children inherit them,
and add one block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from creased.core.arrangement.buckets import Batches
from creased.core.arrangement.orthants import DEAD, any_corner
from creased.core.arrangement.signs import masks_of
from creased.core.arrangement.skeleton import BlockCut, GrowingSkeleton, subcomplex
from creased.core.numerics.memory import rows_at_once
from creased.core.numerics.tensors import Growable
from creased.core.program.affine_arithmetic import AffineForms, advance_forms, input_forms
from creased.core.program.bounds import Cells, Tail, excludes_zero
from creased.core.program.layers import Block
from creased.core.program.program import Program
from creased.core.subdivision.live_regions import LiveRegions, gather_regions
from creased.core.subdivision.subproblem import Subproblem

FormsOf = Callable[[Tensor], AffineForms]

GROWTH = 4.0  # live vertices may multiply by this within a block before it is pruned again
FEWEST = 20_000  # live vertices below which pruning within a block does not pay
BATCH = 1 << 15  # numbers in one matrix of a batch of regions: what is computed stays in the cache
ROUND_UP = 4  # cells are batched by their number of corners, rounded up to a multiple of this
SYMBOLS = 16  # errors kept apart in a second look at cells that a first one left in doubt
DEEP = 4  # blocks to come from which on that look is worth it


class Pruner:
    """Prunes regions of subproblems.

    Args:
        program: with one output, whose zeros are wanted.
        magnitude: bound (D,) on the absolute coordinates of the domain.
    """

    def __init__(self, program: Program, magnitude: Tensor) -> None:
        self.program = program
        reach = torch.nn.functional.pad(magnitude, (0, 1), value=1)
        self.tails = [Tail(program.tail(index), reach) for index in range(len(program.blocks))]

    def whole(self) -> AffineForms:
        """Affine forms of the input on the one region of an uncut domain."""
        return input_forms(self.program.in_dim, self.program.dtype, self.program.device)

    def within_block(self, part: Subproblem) -> None:
        """Prune a part within its block, if its cells have multiplied."""
        if part.skeleton.vertices.n <= part.prune_above or part.cut.is_done:
            return
        block, carried = self.program.blocks[part.index], part.cut.carried.rows
        z, passthrough = carried.tensor_split([part.cut.n_neurons], dim=1)
        regions = gather_regions(part.skeleton, part.cut)
        assert part.forms is not None
        forms = partial(_inherited_forms, part.forms, regions)
        self._drop(part, regions, forms, block.advance(passthrough, torch.relu(z)), part.index + 1)

    def after_block(self, part: Subproblem, state: Tensor) -> Tensor:
        """Prune a part that its block has cut; return the next state (V, S) at what is kept."""
        regions = gather_regions(part.skeleton, part.cut)
        assert part.forms is not None
        block, reach = self.program.blocks[part.index], self.tails[0].reach
        forms = partial(_advanced_forms, part.forms, regions, block, reach, part.skeleton, part.cut)
        part.index += 1
        part.cut = replace(part.cut, carried=Growable(state), buckets=Batches.of(0))
        self._drop(part, regions, forms, state, part.index)
        return part.cut.carried.rows

    def _drop(
        self, part: Subproblem, regions: LiveRegions, forms: FormsOf, state: Tensor, block: int
    ) -> None:
        """Drop regions that bounds exclude; renumber the others.

        Args:
            part: of the domain; bounds are those of its block and what follows.
            regions: of the part.
            forms: gives those of its block's state on regions (m,).
            state: a state (V, S') at the vertices.
            block: the block whose state that is.
        """
        outputs = self.program.tail(block)(state)[:, 0]
        kept = self._find_kept(part, regions, forms, outputs)
        corners = part.skeleton.corners
        assert corners is not None
        regions.rename(corners.rows, torch.where(kept, kept.cumsum(0) - 1, DEAD))
        found = [forms(chosen) for chosen in kept.nonzero()[:, 0].split(self._batch(part))]
        part.forms = AffineForms(*(torch.cat(column) for column in zip(*found, strict=True)))
        part.skeleton, part.cut = subcomplex(part.skeleton, part.cut, any_corner(corners.rows >= 0))
        part.prune_above = max(min(FEWEST, part.split_above), int(GROWTH * part.skeleton.vertices.n))

    def _batch(self, part: Subproblem) -> int:
        """Number of regions in a batch."""
        n_numbers = rows_at_once(BATCH, self.program.device)
        return max(n_numbers // max(self.program.widths[part.index :]), 1)

    def _find_kept(self, part: Subproblem, regions: LiveRegions, forms: FormsOf, outputs: Tensor) -> Tensor:
        """True (R,) for regions whose vertices have outputs (V,) of both signs, or that are in doubt."""
        vertices = regions.entries // 2**self.program.in_dim
        sizes = regions.offsets.diff()
        owner = torch.repeat_interleave(torch.arange(sizes.shape[0], device=sizes.device), sizes)
        is_plus = (outputs >= 0).long().index_select(0, vertices)
        n_plus = torch.zeros_like(sizes).index_add_(0, owner, is_plus)
        kept = (n_plus > 0) & (n_plus < sizes)
        rounded = (sizes + ROUND_UP - 1) // ROUND_UP * ROUND_UP
        for size in torch.unique(rounded[~kept]).tolist():
            for batch in ((rounded == size) & ~kept).nonzero()[:, 0].split(self._batch(part)):
                place = torch.arange(size, device=batch.device).clamp(max=sizes[batch][:, None] - 1)
                chosen = vertices[regions.offsets[batch][:, None] + place].reshape(-1)
                points = part.skeleton.vertices.rows.index_select(0, chosen)
                corners = torch.nn.functional.pad(points, (0, 1), value=1).reshape(len(batch), size, -1)
                side = torch.where(n_plus[batch] > 0, 1.0, -1.0).to(outputs.dtype)
                kept[batch] = ~self._excludes_zero(part, Cells(corners, forms(batch), side))
        return kept

    def _excludes_zero(self, part: Subproblem, cells: Cells) -> Tensor:
        """True (R,) where the output keeps its sign: by a cheap bound, then by a tighter one."""
        tail = self.tails[part.index]
        excluded = excludes_zero(tail, cells)
        if len(tail.program.blocks) >= DEEP:
            doubt = (~excluded).nonzero()[:, 0]
            if doubt.shape[0]:
                excluded[doubt] = excludes_zero(tail, cells.choose(doubt), SYMBOLS)
        return excluded


def _inherited_forms(forms: AffineForms, regions: LiveRegions, chosen: Tensor) -> AffineForms:
    """Affine forms of the regions' parents."""
    return forms.choose(regions.parents.index_select(0, chosen))


def _advanced_forms(
    forms: AffineForms,
    regions: LiveRegions,
    block: Block,
    reach: Tensor,
    skeleton: GrowingSkeleton,
    cut: BlockCut,
    chosen: Tensor,
) -> AffineForms:
    """Affine forms of the parents, propagated through the block on the region's side of its neurons."""
    dim = skeleton.zero_ids.rows.shape[1]
    entries = regions.entries.index_select(0, regions.offsets.index_select(0, chosen))
    vertex, corner = entries // 2**dim, entries % 2**dim
    words = skeleton.words.rows.index_select(0, vertex)
    zero_ids = skeleton.zero_ids.rows.index_select(0, vertex)
    for slot in range(dim):
        is_plus = (corner >> slot) & 1
        words |= cut.rows.bits.index_select(0, zero_ids[:, slot]) * is_plus[:, None]
    masks = masks_of(words, cut.first_row, cut.n_neurons, forms.error.dtype)
    return advance_forms(block, _inherited_forms(forms, regions, chosen), masks, reach)
