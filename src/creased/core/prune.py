"""Pruning: regions on which the output provably keeps its sign are dropped, unseen by all later neurons.

After each block, and within one when cells multiply, the regions of the live complex are gathered from the
corners of its vertices. A region goes only if a bound proves that the output has no zero in it, so the bound
itself is the certificate that nothing of the level set is lost; a vertex goes when all regions around it are
gone. Since a corner carries the number of its region, what a dropped region leaves behind in its neighbours'
vertices is dead at once.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.bounds import advance_maps, excludes_zero, prepare_tail
from creased.core.cofaces import Arrangement
from creased.core.corners import DEAD
from creased.core.growable import Growable
from creased.core.program import Program
from creased.core.regions import Regions, gather_regions
from creased.core.signs import unpack_rows
from creased.core.skeleton import BlockCut, GrowingSkeleton

GROWTH = 4.0  # live vertices may multiply by this within a block before it is pruned again
FEWEST = 20_000  # live vertices below which pruning within a block does not pay
BATCH = 1 << 15  # numbers in one matrix of a batch of regions: what is computed stays in the cache
ROUND_UP = 4  # cells are batched by their number of corners, rounded up to a multiple of this


class Pruner:
    """Drops regions of a growing skeleton.

    Args:
        program: with one output, whose zeros are wanted.
        magnitude: bound (D,) on the absolute coordinates of the domain.
        rows: tables of the arrangement.
    """

    def __init__(self, program: Program, magnitude: Tensor, rows: Arrangement) -> None:
        self.program = program
        self.rows = rows
        self.magnitude = magnitude
        self.most_vertices = FEWEST  # pruned within a block when there are more
        self.history: list[tuple[int, int]] = []  # regions before and after each pruning

    def within_block(self, index: int, skeleton: GrowingSkeleton, cut: BlockCut, n_done: int) -> None:
        """Prune within block ``index``, after ``n_done`` of its neurons, if cells have multiplied."""
        if skeleton.vertices.n <= self.most_vertices or n_done == cut.n_neurons:
            return
        regions = gather_regions(skeleton, cut, n_done)
        block, carried = self.program.blocks[index], cut.carried.rows
        state = block.advance(carried[:, cut.n_neurons :], torch.relu(carried[:, : cut.n_neurons]))
        outputs = self.program.tail(index + 1)(state)[:, 0]
        self._drop(index, skeleton, regions, outputs, cut)

    def after_block(self, index: int, skeleton: GrowingSkeleton, cut: BlockCut, state: Tensor) -> Tensor:
        """Prune between blocks ``index`` and ``index + 1``, whose state (V, S) is given; the state kept."""
        regions = gather_regions(skeleton, cut, cut.n_neurons)
        outputs = self.program.tail(index + 1)(state)[:, 0]
        passed_on = BlockCut(cut.rows, cut.first_row, cut.n_neurons, Growable(state), [])
        self._drop(index + 1, skeleton, regions, outputs, passed_on)
        return passed_on.carried.rows

    def _drop(
        self, first_block: int, skeleton: GrowingSkeleton, regions: Regions, outputs: Tensor, cut: BlockCut
    ) -> None:
        """Drop what the bounds of the blocks from the first on exclude, and renumber."""
        kept = self._find_kept(first_block, skeleton, regions, outputs)
        numbers = torch.where(kept, kept.long().cumsum(0) - 1, DEAD)
        assert skeleton.corners is not None
        corners = skeleton.corners.rows
        renumbered = torch.repeat_interleave(numbers.to(corners.dtype), regions.offsets.diff())
        corners.reshape(-1).index_copy_(0, regions.entries, renumbered)
        skeleton.keep((corners != DEAD).any(1), cut)
        self.history.append((kept.shape[0], int(kept.sum())))
        self.most_vertices = max(FEWEST, int(GROWTH * skeleton.vertices.n))

    def _find_kept(
        self, first_block: int, skeleton: GrowingSkeleton, regions: Regions, outputs: Tensor
    ) -> Tensor:
        """True (R,) for regions whose vertices have outputs (V,) of both signs, or that are in doubt."""
        tail = prepare_tail(self.program, first_block, self.magnitude)
        n_corners = 2**self.program.in_dim
        vertices = regions.entries // n_corners
        sizes = regions.offsets.diff()
        owner = torch.repeat_interleave(torch.arange(sizes.shape[0], device=sizes.device), sizes)
        is_plus = (outputs >= 0).long().index_select(0, vertices)
        n_plus = torch.zeros_like(sizes).index_add_(0, owner, is_plus)
        kept = (n_plus > 0) & (n_plus < sizes)
        rounded = (sizes + ROUND_UP - 1) // ROUND_UP * ROUND_UP
        batch_size = max(BATCH // max(tail.program.widths), 1)
        for size in torch.unique(rounded[~kept]).tolist():
            for batch in ((rounded == size) & ~kept).nonzero()[:, 0].split(batch_size):
                place = torch.arange(size, device=batch.device).clamp(max=sizes[batch][:, None] - 1)
                chosen = vertices[regions.offsets[batch][:, None] + place].reshape(-1)
                points = skeleton.vertices.rows.index_select(0, chosen)
                corners = torch.nn.functional.pad(points, (0, 1), value=1).reshape(len(batch), size, -1)
                side = torch.where(n_plus[batch] > 0, 1.0, -1.0).to(outputs.dtype)
                maps = self._maps(first_block, skeleton, regions.entries[regions.offsets[batch]])
                kept[batch] = ~excludes_zero(tail, maps, corners, side)
        return kept

    def _maps(self, first_block: int, skeleton: GrowingSkeleton, entries: Tensor) -> Tensor:
        """The state of a block as an affine function (R, D + 1, S) of the position, on regions.

        Args:
            first_block: the block.
            skeleton: cut by all blocks before.
            entries: for each region, the place of one of its vertices in the flattened corners.
        """
        dim, layout = self.program.in_dim, self.rows.layout
        vertex, corner = entries // 2**dim, entries % 2**dim
        words = skeleton.words.rows.index_select(0, vertex)
        zero_ids = skeleton.zero_ids.rows.index_select(0, vertex)
        for slot in range(dim):
            is_plus = (corner >> slot) & 1
            words |= self.rows.bits.index_select(0, zero_ids[:, slot]) * is_plus[:, None]
        maps = torch.eye(dim + 1, dim, dtype=self.program.dtype, device=words.device).expand(
            len(vertex), -1, -1
        )
        blocks = self.program.blocks[:first_block]
        n_rows = sum(block.n_neurons for block in blocks)
        masks = unpack_rows(words, layout.n_walls, n_rows).to(self.program.dtype)
        for block, mask in zip(blocks, masks.split([b.n_neurons for b in blocks], dim=1), strict=True):
            maps = advance_maps(block, maps, mask)
        return maps
