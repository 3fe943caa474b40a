"""Gather the live regions of a complex while it is pruned, from the corners of its vertices.

A region is a part of a parent, the region of the last pruning whose number its corners carry, and on one side
of each of the neurons of the block so far. Where number and signs fit in 63 bits, as they mostly
do, that is an exact key; else the codes are grouped by hashed keys and verified.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import (
    CellCodes,
    Groups,
    KeyTable,
    cell_keys,
    group_equal,
    group_exact,
    key_table,
)
from creased.core.arrangement.signs import WORD, row_bits
from creased.core.arrangement.skeleton import BlockCut, GrowingSkeleton


class LiveRegions(NamedTuple):
    """Live regions with their vertices."""

    entries: Tensor  # (n,) int64: places in the flattened corners (V, 2^D), region by region
    offsets: Tensor  # (R + 1,) int64 into the entries
    parents: Tensor  # (R,) int64: the numbers that their corners carry

    def rename(self, corners: Tensor, numbers: Tensor) -> None:
        """Write the new number (R,) of each region to its corners (V, 2^D)."""
        renamed = numbers.to(corners.dtype).repeat_interleave(self.offsets.diff())
        corners.reshape(-1).index_copy_(0, self.entries, renamed)


class _Corners(NamedTuple):
    """Live corners, and the parts of their codes."""

    live: Tensor  # (n,) int64: places in the flattened corners (V, 2^D)
    parents: Tensor  # (n,) int64
    words: Tensor  # (V, W') int64: signs of the block's rows so far, in the block's words
    rows: Tensor  # (V, D) int64: zero ids, counted from the first row of those words
    is_own: Tensor  # (V, D) bool: is the zero one of the block's rows?


def gather_regions(skeleton: GrowingSkeleton, cut: BlockCut) -> LiveRegions:
    """Group the live corners of a working state by region."""
    assert skeleton.corners is not None
    n_done = cut.n_done
    before = cut.rows.before[:, cut.words]
    corners = skeleton.corners.rows.reshape(-1)
    live = (corners >= 0).nonzero()[:, 0]
    found = _Corners(
        live=live,
        parents=corners.index_select(0, live).long(),
        words=skeleton.words.rows[:, cut.words] & before[cut.first_row + n_done] & ~before[cut.first_row],
        rows=(skeleton.zero_ids.rows - WORD * cut.words.start).long(),
        is_own=skeleton.zero_ids.rows >= cut.first_row,
    )
    n_parents = int(found.parents.max()) + 1 if live.numel() else 1
    if n_done + n_parents.bit_length() < WORD:
        groups = group_exact(_exact_keys(found, cut.first_row - WORD * cut.words.start, n_done))
    else:
        groups = _group_by_codes(found)
    starts = groups.starts.nonzero()[:, 0]
    offsets = torch.nn.functional.pad(starts, (0, 1), value=live.shape[0])
    return LiveRegions(live[groups.order], offsets, found.parents[groups.order[starts]])


def _exact_keys(found: _Corners, first: int, n_done: int) -> Tensor:
    """Keys (n,) of 63 bits: the parent's number, then a bit for each neuron of the block."""
    low_bits = (1 << (WORD - first)) - 1 if first else -1
    signs = (found.words[:, 0] >> first) & low_bits
    if first and found.words.shape[1] > 1:
        signs = signs | (found.words[:, 1] << (WORD - first))
    keys = signs[:, None]
    for slot in range(found.rows.shape[1]):
        bit = (found.rows[:, slot] - first).clamp(min=0)
        raised = torch.where(found.is_own[:, slot], 1 << bit, 0)[:, None]
        keys = torch.cat([keys, keys + raised], dim=1)
    return keys.reshape(-1).index_select(0, found.live) + (found.parents << n_done)


def _group_by_codes(found: _Corners) -> Groups:
    """Group corners by parent and signs of any number of neurons, by verified hash keys."""
    n_words, n_slots = found.words.shape[1], found.rows.shape[1]
    bits = row_bits(WORD * n_words, n_words, found.words.device)
    none = found.rows.new_empty((1, 0))

    def codes_of(entries: Tensor) -> CellCodes:
        place = found.live.index_select(0, entries)
        vertex, corner = place // 2**n_slots, place % 2**n_slots
        words = found.words.index_select(0, vertex)
        own, rows = found.is_own.index_select(0, vertex), found.rows.index_select(0, vertex).clamp(min=0)
        for slot in range(n_slots):
            raised = own[:, slot] & ((corner >> slot) & 1 == 1)
            words |= bits.index_select(0, rows[:, slot]) * raised[:, None]
        codes = torch.cat([found.parents.index_select(0, entries)[:, None], words], dim=1)
        return CellCodes(codes, none.expand(entries.shape[0], 0))

    def keys_of(table: KeyTable) -> Tensor:
        padded = torch.nn.functional.pad(found.words, (1, 0))
        keys = cell_keys(CellCodes(padded, none.expand(padded.shape[0], 0)), table)[:, None]
        ones = (table.moves[:, 1] - table.moves[:, 0])[WORD:]
        for slot in range(n_slots):
            gain = torch.where(found.is_own[:, slot], ones[found.rows[:, slot].clamp(min=0)], 0)[:, None]
            keys = torch.cat([keys, keys + gain], dim=1)
        return keys.reshape(-1).index_select(0, found.live) + found.parents * table.multipliers[0]

    return group_equal(keys_of, codes_of, key_table(WORD * (1 + n_words), 1 + n_words, bits.device))
