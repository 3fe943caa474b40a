"""Enumerate the cofaces of cells, by moving one zero of a code to - or +; match cells that share one.

A coface has one dimension more than its cell. The cofaces of split edges are the 2-faces in which new
vertices are joined; those of a level set's edges are the regions that hold its polygons.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import (
    CellCodes,
    Groups,
    KeyTable,
    Pairs,
    cell_keys,
    group_equal,
    key_table,
    pair_equal,
)
from creased.core.arrangement.signs import RowLayout, row_bits, rows_before
from creased.core.numerics.tensors import where_true


class Arrangement(NamedTuple):
    """Tables of the rows of one extraction, on its device."""

    layout: RowLayout
    bits: Tensor  # (n_rows, W) int64: the bit of each row
    before: Tensor  # (n_rows + 1, W) int64: the bits of all earlier rows
    after: Tensor  # (n_rows, W) int64: all bits but those and its own
    numbers: Tensor  # (n_rows + 1,) int32: from -1 on
    keys: KeyTable


def arrange(layout: RowLayout, device: torch.device) -> Arrangement:
    """Build the tables of a row layout on a device."""
    n_rows, n_words = layout.n_rows, layout.n_words
    bits, before = row_bits(n_rows, n_words, device), rows_before(n_rows, n_words, device)
    if layout.on_grid:
        before[:, -1] = -1  # the simplex is part of every code
    numbers = torch.arange(-1, n_rows, dtype=torch.int32, device=device)
    return Arrangement(layout, bits, before, ~before[1:], numbers, key_table(n_rows, n_words, device))


class Cofaces:
    """The existing cofaces of cells, as numbered entries.

    Args:
        codes: of the cells.
        exists: (n, s, 2) bool: True if moving one of the first s zeros of a cell to -, + gives a coface.
        rows: tables of the arrangement.
        n: how many exist, where that is known.
    """

    def __init__(self, codes: CellCodes, exists: Tensor, rows: Arrangement, n: int | None = None) -> None:
        self._codes, self._rows, self._n_slots = codes, rows, exists.shape[1]
        self._place = where_true(exists.reshape(-1), n)  # of each entry in the (n, s, 2) table

    def pair(self) -> Pairs:
        """Pair entries with equal cofaces."""
        return pair_equal(self._keys, self.codes, self._rows.keys)

    def group(self) -> Groups:
        """Group entries with equal cofaces."""
        return group_equal(self._keys, self.codes, self._rows.keys)

    def cells(self, entries: Tensor) -> Tensor:
        """Return the cells (m,) of entries (m,)."""
        return self._place[entries] // (2 * self._n_slots)

    def codes(self, entries: Tensor) -> CellCodes:
        """Return the codes of the cofaces of entries (m,)."""
        place = self._place.index_select(0, entries)
        slot, cell = place >> 1, place // (2 * self._n_slots)
        moved = self._codes.zero_ids[:, : self._n_slots].reshape(-1).index_select(0, slot)
        words = self._codes.words.index_select(0, cell)
        words |= self._rows.bits.index_select(0, moved) * (place & 1)[:, None]
        others = self._codes.zero_ids[
            :, _other_columns(self._codes.zero_ids.shape[1], self._n_slots, place.device)
        ]
        return CellCodes(words, others.flatten(0, 1).index_select(0, slot))

    def _keys(self, table: KeyTable) -> Tensor:
        moves = table.moves[self._codes.zero_ids[:, : self._n_slots]]
        keys = cell_keys(self._codes, table)[:, None, None] + moves
        return keys.reshape(-1).index_select(0, self._place)


@cache
def _other_columns(n_zeros: int, n_slots: int, device: torch.device) -> Tensor:
    """List, for each moved zero, the columns (n_slots, n_zeros - 1) of the others."""
    others = [[column for column in range(n_zeros) if column != slot] for slot in range(n_slots)]
    with torch.inference_mode(mode=False):
        return torch.tensor(others, dtype=torch.int64, device=device).reshape(n_slots, n_zeros - 1)
