"""The cells of one dimension more around a batch of cells: a code with one of its zeros moved to + or -.

Cells that share such a coface find each other by its code. The cofaces of split edges are the 2-faces in
which new vertices are joined; those of a level set's edges are the regions that hold its polygons.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.pairing import CellCodes, Groups, KeyTable, cell_keys, group_equal, key_table
from creased.core.signs import RowLayout, row_bits, rows_before


class Arrangement(NamedTuple):
    """What one extraction needs to know of its rows, on its device."""

    layout: RowLayout
    bits: Tensor  # (n_rows, W) int64: the bit of each row
    before: Tensor  # (n_rows + 1, W) int64: the bits of all earlier rows
    keys: KeyTable


def arrange(layout: RowLayout, device: torch.device) -> Arrangement:
    """Tables of a row layout on a device."""
    n_rows, n_words = layout.n_rows, layout.n_words
    bits, before = row_bits(n_rows, n_words, device), rows_before(n_rows, n_words, device)
    return Arrangement(layout, bits, before, key_table(n_rows, n_words, device))


class Cofaces:
    """All cofaces that move one of the first ``n_slots`` zeros of each cell, as numbered entries.

    The entries are those of + for all cells and slots, then those of - for the zeros that are not walls:
    outside of a wall there is no cell.
    """

    def __init__(self, codes: CellCodes, n_slots: int, rows: Arrangement) -> None:
        self._codes = codes
        self._rows = rows
        self._n_slots = n_slots
        self._moved = codes.zero_ids[:, :n_slots].long().reshape(-1)  # (n n_slots,)
        self._inside = (self._moved >= rows.layout.n_walls).nonzero()[:, 0]
        self._n_plus = self._moved.shape[0]
        self._place = torch.cat([torch.arange(self._n_plus, device=self._inside.device), self._inside])
        n_zeros = codes.zero_ids.shape[1]
        others = [[column for column in range(n_zeros) if column != slot] for slot in range(n_slots)]
        self._others = torch.tensor(others, dtype=torch.int64, device=self._inside.device)

    def group(self) -> Groups:
        """Entries grouped by equal coface."""
        return group_equal(self._keys, self.codes, self._rows.keys)

    def cells(self, entries: Tensor) -> Tensor:
        """The cell of each entry."""
        return self._place[entries] // self._n_slots

    def zero_ids(self, entries: Tensor) -> Tensor:
        """Zero ids (m, z - 1) of the cofaces of entries (m,)."""
        place = self._place.index_select(0, entries)
        mine = self._codes.zero_ids.index_select(0, place // self._n_slots)
        return mine.gather(1, self._others.index_select(0, place % self._n_slots))

    def codes(self, entries: Tensor) -> CellCodes:
        """Full codes of the cofaces of entries (m,)."""
        place = self._place.index_select(0, entries)
        words = self._codes.words.index_select(0, place // self._n_slots)
        raised = self._rows.bits.index_select(0, self._moved.index_select(0, place))
        words |= raised * (entries < self._n_plus)[:, None]
        return CellCodes(words, self.zero_ids(entries))

    def _keys(self, table: KeyTable) -> Tensor:
        base = cell_keys(self._codes, table)
        if self._n_slots > 1:
            base = base.repeat_interleave(self._n_slots)
        plus = base + table.plus.index_select(0, self._moved)
        minus = base + table.minus.index_select(0, self._moved)
        return torch.cat([plus, minus.index_select(0, self._inside)])
