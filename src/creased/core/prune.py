"""Pruning: regions on which the output provably keeps its sign are dropped, unseen by all later neurons.

After each block, and within one when cells multiply, the regions of the live complex are gathered from the
corners of its vertices. A region goes only if a bound proves that the output has no zero in it, so the bound
itself is the certificate that nothing of the level set is lost; a vertex goes when all regions around it are
gone. Since a corner carries the number of its region, what a dropped region leaves behind in its neighbours'
vertices is dead at once, and the affine map of a region is that of its parent, one block further.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.bounds import Tail, advance_maps, excludes_zero, prepare_tail
from creased.core.cofaces import Arrangement
from creased.core.corners import DEAD
from creased.core.pairing import CellCodes, KeyTable, group_equal, key_table
from creased.core.program import Program
from creased.core.signs import WORD, row_bits, unpack_rows
from creased.core.subdivide import BlockCut, GrowingSkeleton

GROWTH = 2.0  # live vertices may multiply by this within a block before it is pruned again
FEWEST = 20_000  # live vertices below which pruning within a block does not pay
BATCH = 1 << 16  # numbers in one matrix of a batch of regions: what is computed stays in the cache
ROUND_UP = 4  # cells are batched by their number of corners, rounded up to a multiple of this


class Regions(NamedTuple):
    """The live regions, each with its vertices."""

    parent: Tensor  # (R,) int64: the region of the last pruning that it is a part of
    words: Tensor  # (R, W') int64: signs of the block's rows so far, in the block's words
    entries: Tensor  # (n,) int64: places in the flattened corners (V, 2^D), region by region
    offsets: Tensor  # (R + 1,) int64 into the entries


class Pruner:
    """Drops regions of a growing skeleton; keeps their affine maps from block to block.

    Args:
        program: with one output, whose zeros are wanted.
        magnitude: bound (D,) on the absolute coordinates of the domain.
        rows: tables of the arrangement.
    """

    def __init__(self, program: Program, magnitude: Tensor, rows: Arrangement) -> None:
        self.program = program
        self.rows = rows
        self.magnitude = magnitude
        dim = program.in_dim
        identity = torch.eye(dim, dtype=program.dtype, device=program.device)
        constant = torch.zeros_like(identity[:1])
        self.maps = torch.cat([identity, constant])[:, None, :]  # (D + 1, R, S): the state on each region
        self.most_vertices = FEWEST  # pruned within a block when there are more
        self.history: list[tuple[int, int]] = []  # regions before and after each pruning

    def within_block(self, index: int, skeleton: GrowingSkeleton, cut: BlockCut, n_done: int) -> None:
        """Prune within block ``index``, after ``n_done`` of its neurons, if cells have multiplied."""
        if skeleton.vertices.n <= self.most_vertices or n_done == cut.n_neurons:
            return
        regions = gather_regions(skeleton, cut, n_done, self.rows)
        self.maps = self.maps.index_select(1, regions.parent)
        values = cut.carried.rows[:, : cut.n_neurons]
        passengers = (
            cut.carried.rows[:, cut.n_neurons :] if self.program.blocks[index].skip is not None else None
        )
        self._drop(index, skeleton, regions, (values, passengers), cut)

    def after_block(self, index: int, skeleton: GrowingSkeleton, cut: BlockCut, state: Tensor) -> Tensor:
        """Prune between blocks ``index`` and ``index + 1``, whose state (V, S) is given; the state kept."""
        regions = gather_regions(skeleton, cut, cut.n_neurons, self.rows)
        first = cut.first_row - WORD * cut.words.start
        masks = unpack_rows(regions.words, first, cut.n_neurons).to(self.program.dtype)
        self.maps = advance_maps(self.program.blocks[index], self.maps.index_select(1, regions.parent), masks)
        holder = BlockCut.of_state(cut, state)
        self._drop(index + 1, skeleton, regions, None, holder)
        return holder.carried.rows

    def _drop(
        self,
        first_block: int,
        skeleton: GrowingSkeleton,
        regions: Regions,
        computed: tuple[Tensor, Tensor | None] | None,
        cut: BlockCut,
    ) -> None:
        """Drop what the bounds exclude, and renumber."""
        tail = prepare_tail(self.program, first_block, self.magnitude)
        outputs = evaluate_tail(tail.program, cut.carried.rows, computed)
        kept = self._decide(tail, skeleton, regions, outputs)
        numbers = torch.where(kept, kept.long().cumsum(0) - 1, DEAD)
        n_regions = kept.shape[0]
        sizes = regions.offsets.diff()
        corners = skeleton.corners.rows
        flat = corners.reshape(-1)
        flat[regions.entries] = torch.repeat_interleave(numbers, sizes).to(corners.dtype)
        is_alive = (corners != DEAD).any(1)
        skeleton.keep(is_alive, cut)
        self.maps = self.maps[:, kept]
        self.history.append((n_regions, self.maps.shape[1]))
        self.most_vertices = max(FEWEST, int(GROWTH * skeleton.vertices.n))

    def _decide(self, tail: Tail, skeleton: GrowingSkeleton, regions: Regions, outputs: Tensor) -> Tensor:
        """True (R,) for regions to keep: those whose vertices have both signs, and those in doubt."""
        n_corners = skeleton.corners.rows.shape[1]
        vertices = regions.entries // n_corners
        sizes = regions.offsets.diff()
        owner = torch.repeat_interleave(torch.arange(sizes.shape[0], device=sizes.device), sizes)
        n_plus = torch.zeros_like(sizes).index_add_(0, owner, (outputs[vertices] >= 0).long())
        kept = (n_plus > 0) & (n_plus < sizes)
        rounded = (sizes + ROUND_UP - 1) // ROUND_UP * ROUND_UP
        widest = max(*tail.program.widths, self.maps.shape[2]) if tail.program.blocks else 1
        for size in torch.unique(rounded[~kept]).tolist():
            for batch in ((rounded == size) & ~kept).nonzero()[:, 0].split(max(BATCH // widest, 1)):
                place = torch.arange(size, device=batch.device).clamp(max=sizes[batch][:, None] - 1)
                chosen = vertices[regions.offsets[batch][:, None] + place]
                corners = skeleton.vertices.rows[chosen].permute(2, 0, 1).contiguous()
                side = torch.where(n_plus[batch] > 0, 1.0, -1.0).to(outputs.dtype)
                maps = self.maps.index_select(1, batch)
                kept[batch] = ~excludes_zero(tail, maps, corners, side)
        return kept


def gather_regions(skeleton: GrowingSkeleton, cut: BlockCut, n_done: int, rows: Arrangement) -> Regions:
    """The live regions after ``n_done`` neurons of a block.

    A region is its parent and its signs with respect to the block's neurons so far.
    """
    before = rows.before[:, cut.words]
    done = before[cut.first_row + n_done] & ~before[cut.first_row]
    words = skeleton.words.rows[:, cut.words] & done
    corners = skeleton.corners.rows
    n_corners = corners.shape[1]
    local = (skeleton.zero_ids.rows - WORD * cut.words.start).long()
    is_own = skeleton.zero_ids.rows >= cut.first_row
    n_words = words.shape[1]
    bits = row_bits(WORD * n_words, n_words, words.device)
    live = (corners.reshape(-1) != DEAD).nonzero()[:, 0]
    parents = corners.reshape(-1).index_select(0, live).long()

    def codes_of(entries: Tensor) -> CellCodes:
        place = live.index_select(0, entries)
        vertex, corner = place // n_corners, place % n_corners
        found = words.index_select(0, vertex)
        own, at = is_own.index_select(0, vertex), local.index_select(0, vertex)
        for slot in range(local.shape[1]):
            raised = own[:, slot] & ((corner >> slot) & 1 == 1)
            found |= bits.index_select(0, at[:, slot].clamp(min=0)) * raised[:, None]
        codes = torch.cat([parents.index_select(0, entries)[:, None], found], dim=1)
        return CellCodes(codes, local.new_empty((entries.shape[0], 0)))

    def keys_of(table: KeyTable) -> Tensor:
        zeros = local.new_empty((words.shape[0], 0))
        padded = torch.nn.functional.pad(words, (1, 0))
        keys = _sum_keys(CellCodes(padded, zeros), table)[:, None]
        ones = (table.plus - table.minus)[WORD:]
        for slot in range(local.shape[1]):
            gain = torch.where(is_own[:, slot], ones[local[:, slot].clamp(min=0)], 0)[:, None]
            keys = torch.cat([keys, keys + gain], dim=1)
        return keys.reshape(-1).index_select(0, live) + parents * table.multipliers[0]

    table = key_table(WORD * (1 + n_words), 1 + n_words, words.device)
    groups = group_equal(keys_of, codes_of, table)
    starts = groups.starts.nonzero()[:, 0]
    first = codes_of(groups.order[starts]).words
    offsets = torch.nn.functional.pad(starts, (0, 1), value=groups.order.shape[0])
    return Regions(first[:, 0], first[:, 1:], live[groups.order], offsets)


def _sum_keys(codes: CellCodes, table: KeyTable) -> Tensor:
    from creased.core.pairing import cell_keys

    return cell_keys(codes, table)


def evaluate_tail(tail: Program, state: Tensor, computed: tuple[Tensor, Tensor | None] | None) -> Tensor:
    """Outputs (V,) of the last blocks, from the first one's state, or from its preactivations if computed."""
    blocks = tail.blocks
    if computed is not None:
        values, passengers = computed
        state = blocks[0].advance(passengers, torch.relu(values))
        blocks = blocks[1:]
    for block in blocks:
        state = block.advance(state, block.affine(state).relu_())
    return tail.head(state)[:, 0]
