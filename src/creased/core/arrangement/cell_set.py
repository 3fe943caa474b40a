"""Store a set of cells by sign vector in an open-addressing hash table, in batches.

A slot of the table holds the number of a cell; cells are numbered in order of first appearance. Keys choose
the slot; sign vectors are then compared in full, so that a collision costs a step to another slot and never
identifies two cells. The steps are 1, 2, 3, ..., which lead to all slots of a table of a power of two, and
make no long clusters (Knuth, vol. 3, section 6.4).
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes, KeyTable, cell_keys
from creased.core.numerics.memory import selection_pays
from creased.core.numerics.tensors import Growable

EMPTY = torch.iinfo(torch.int64).max
SLOTS = 1 << 12  # initially; enlarged before more than half are taken
STEPS = 3  # between two looks at what is left, on a device
SPREAD = 0x9E3779B97F4A7C15 - (1 << 64)  # Knuth's multiplicative hashing: 2^64 over the golden ratio


class CellSet:
    """A set of sign vectors in order of first appearance.

    Args:
        like: words (_, W) that give width and device.
        table: of keys.
    """

    def __init__(self, like: Tensor, table: KeyTable) -> None:
        self._table = table
        self._words, self._keys = Growable(like[:0]), Growable(like[:0, 0])
        self._slots = torch.full((SLOTS,), EMPTY, dtype=torch.int64, device=like.device)

    @property
    def n(self) -> int:
        """Number of cells."""
        return self._words.n

    @property
    def words(self) -> Tensor:
        """Sign vectors (n, W) int64 in order of appearance; a view, valid until the next `add`."""
        return self._words.rows

    def add(self, words: Tensor) -> Tensor:
        """Return the numbers (m,) of cells (m, W); new cells get the next numbers, in order."""
        n_known, entries = self.n, self._append(words)
        if 2 * self.n > self._slots.shape[0]:
            self._grow(n_known)
        found, slots = self._seek(entries)
        is_new = found == entries
        numbers = torch.cat([torch.arange(n_known, device=words.device), is_new.cumsum(0) + (n_known - 1)])
        new = is_new.nonzero()[:, 0]
        self._slots[slots[new]] = numbers[entries[new]]
        self._words.keep(n_known + new, n_known)
        self._keys.keep(n_known + new, n_known)
        return numbers[found]

    def find(self, words: Tensor) -> Tensor:
        """Return the numbers (m,) of cells (m, W); -1 for cells that are not in the set."""
        n_known = self.n
        found = self._look_up(self._append(words))
        self._words.n = self._keys.n = n_known
        return found

    def _append(self, words: Tensor) -> Tensor:
        """Append cells (m, W), without entering them in the table; return their entries (m,)."""
        no_zeros = torch.empty((words.shape[0], 0), dtype=torch.int32, device=words.device)
        n_known = self.n
        self._words.append(words)
        self._keys.append(cell_keys(CellCodes(words, no_zeros), self._table))
        return torch.arange(n_known, self.n, device=words.device)

    def _look_up(self, entries: Tensor) -> Tensor:
        """Find the known cell equal to each of entries (m,); -1 where there is none."""
        slots = self._first_slots(self._keys.rows[entries])
        found = torch.full_like(entries, -1)
        pending, step = torch.arange(entries.shape[0], device=entries.device), 0
        while pending.numel():
            there, step = self._slots[slots[pending]], step + 1
            is_taken = there != EMPTY
            pending, there = pending[is_taken], there[is_taken]
            is_equal = self._are_equal(there, entries[pending])
            found[pending[is_equal]] = there[is_equal]
            pending = pending[~is_equal]
            slots[pending] = (slots[pending] + step) & (self._slots.shape[0] - 1)
        return found

    def _seek(self, entries: Tensor) -> tuple[Tensor, Tensor]:
        """Find, for ascending entries (m,), the first entry or known cell equal to each, and its slot.

        Entries at an empty slot claim it; the first of them gets it, and the others compare with that one.
        """
        found, slots = entries.clone(), self._first_slots(self._keys.rows[entries])
        pending, step = torch.arange(entries.shape[0], device=entries.device), 0
        mine, slot, at_once = entries, slots, 1 if selection_pays(entries.device) else STEPS
        while pending.numel():
            is_settled = torch.zeros_like(mine, dtype=torch.bool)
            for _ in range(at_once):
                claims = torch.where(self._slots[slot] == EMPTY, mine, EMPTY)
                self._slots.scatter_reduce_(0, slot, claims, "amin")
                there = self._slots[slot]
                is_settled = is_settled | self._are_equal(there, mine)
                step += 1
                slot = torch.where(is_settled, slot, (slot + step) & (self._slots.shape[0] - 1))
            found[pending], slots[pending] = there, slot
            left = (~is_settled).nonzero()[:, 0]
            pending, mine, slot = pending[left], mine[left], slot[left]
        return found, slots

    def _are_equal(self, first: Tensor, second: Tensor) -> Tensor:
        return (self._words.rows[first] == self._words.rows[second]).all(1)

    def _first_slots(self, keys: Tensor) -> Tensor:
        n_bits = self._slots.shape[0].bit_length() - 1
        return (keys * SPREAD >> (64 - n_bits)) & (self._slots.shape[0] - 1)

    def _grow(self, n_known: int) -> None:
        """Enlarge the table and enter the known cells again."""
        sparsely = 4 if selection_pays(self._slots.device) else 16  # a step costs more on a device
        n_slots = 1 << (sparsely * self.n - 1).bit_length()
        self._slots = torch.full((n_slots,), EMPTY, dtype=torch.int64, device=self._slots.device)
        self._seek(torch.arange(n_known, device=self._slots.device))
