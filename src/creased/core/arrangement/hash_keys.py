"""Group cells by 64-bit keys; verify every match.

A cell's code is its packed sign words and its zero ids. Its key is a sum modulo 2^64 of random multiples of
the code's 32-bit halves and of random numbers, one for each zero id. The sum is linear: the key of a coface,
whose code moves one zero to + or -, is the key of the cell plus a table entry.

Entries with equal keys have their full codes compared, and if any two differ the whole batch is keyed again
with another seed, so that a collision costs time and never makes a wrong cell.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.signs import row_bits

TABLES = 32  # that are kept
N_SEEDS = 8  # a collision has probability about n^2 / 2^65; eight mean a defect in the codes


class KeyTable(NamedTuple):
    """Random multipliers and summands of keys; one table serves a whole extraction."""

    multipliers: Tensor  # (2 W,) int64, one for each 32-bit half of a word
    moves: Tensor  # (n_rows, 2) int64: added to a key when a zero of this row moves to -, to +


class CellCodes(NamedTuple):
    """Codes of a batch of cells of one dimension."""

    words: Tensor  # (n, W) int64
    zero_ids: Tensor  # (n, z) int32, ascending

    def choose(self, entries: Tensor) -> CellCodes:
        """Select the codes of entries (m,)."""
        return CellCodes(self.words.index_select(0, entries), self.zero_ids.index_select(0, entries))


class Groups(NamedTuple):
    """Entries grouped by equal code."""

    order: Tensor  # (n,) int64: entries sorted so that equal codes are adjacent, each group ascending
    starts: Tensor  # (n,) bool, in sorted order: True at the first entry of each group

    def numbers(self) -> Tensor:
        """Number the groups: for each entry in sorted order, its group (n,) int64."""
        return self.starts.cumsum(0) - 1

    def firsts(self) -> Tensor:
        """Return the first entry (G,) of each group."""
        return self.order[self.starts]


class CollisionError(RuntimeError):
    """Different codes had equal keys for every seed."""


@lru_cache(TABLES)
def key_table(n_rows: int, n_words: int, device: torch.device, seed: int = 0) -> KeyTable:
    """Draw the table for codes of ``n_rows`` rows in ``n_words`` words."""
    generator = torch.Generator().manual_seed(0x5EED + seed)
    low, high = torch.iinfo(torch.int64).min, torch.iinfo(torch.int64).max
    with torch.inference_mode(mode=False):
        multipliers = torch.randint(low, high, (2 * n_words,), generator=generator)
        zeros = torch.randint(low, high, (n_rows,), generator=generator)
        ones = _weigh(row_bits(n_rows, n_words, zeros.device), multipliers)
        moves = torch.stack([-zeros, ones - zeros], dim=1)
        return KeyTable(multipliers.to(device), moves.to(device))


def cell_keys(codes: CellCodes, table: KeyTable) -> Tensor:
    """Compute the keys (n,) int64 of cells."""
    keys, removed = _weigh(codes.words, table.multipliers), table.moves[:, 0]
    for rows in codes.zero_ids.unbind(1):
        keys -= removed.index_select(0, rows)
    return keys


def _weigh(words: Tensor, multipliers: Tensor) -> Tensor:
    halves = words.contiguous().view(torch.int32)  # sign extension keeps distinct halves distinct
    return (halves.long() * multipliers).sum(1)


def group_equal(
    keys_of: Callable[[KeyTable], Tensor], codes_of: Callable[[Tensor], CellCodes], table: KeyTable
) -> Groups:
    """Group entries whose codes are equal.

    Args:
        keys_of: maps a key table to the keys (n,) of all entries.
        codes_of: maps entry indices (m,) to their full codes.
        table: the table to try first; on a collision others are drawn.

    Raises:
        CollisionError: `N_SEEDS` tables in a row collided.
    """
    for seed in range(1, N_SEEDS + 1):
        keys, order = torch.sort(keys_of(table), stable=True)
        twins = (keys[1:] == keys[:-1]).nonzero()[:, 0]
        if bool(torch.cat(_equalities(codes_of(order[twins]), codes_of(order[twins + 1]))).all()):
            starts = torch.ones_like(keys, dtype=torch.bool)
            starts[twins + 1] = False
            return Groups(order, starts)
        n_rows, n_words = len(table.moves), table.multipliers.shape[0] // 2
        table = key_table(n_rows, n_words, keys.device, seed)
    raise CollisionError(f"group_equal: {N_SEEDS} key tables in a row collided")


def group_codes(codes: CellCodes, table: KeyTable) -> Groups:
    """Group cells by their codes."""
    return group_equal(lambda drawn: cell_keys(codes, drawn), codes.choose, table)


def group_words(words: Tensor) -> Groups:
    """Group sign words (n, W) without zero ids."""
    codes = CellCodes(words, torch.empty((words.shape[0], 0), dtype=torch.int32, device=words.device))
    return group_codes(codes, key_table(1, words.shape[1], words.device))


def find_words(words: Tensor, among: Tensor) -> Tensor:
    """Index (n,) of words (n, W) in distinct ones (m, W); -1 where absent."""
    groups = group_words(torch.cat([among, words]))
    numbers, is_known = groups.numbers(), groups.order < len(among)
    place = torch.full_like(groups.order, -1)
    place[numbers[is_known]] = groups.order[is_known]
    return torch.empty_like(place).index_copy_(0, groups.order, place[numbers])[len(among) :]


def group_exact(keys: Tensor) -> Groups:
    """Group entries by exact keys (n,), which identify them without a check."""
    ordered, order = torch.sort(keys, stable=True)
    starts = torch.ones_like(keys, dtype=torch.bool)
    starts[1:] = ordered[1:] != ordered[:-1]
    return Groups(order, starts)


def _equalities(left: CellCodes, right: CellCodes) -> list[Tensor]:
    """Compare codes (n,) number by number, flat."""
    return [(mine == theirs).flatten() for mine, theirs in zip(left, right, strict=True)]


class Pairs(NamedTuple):
    """Pairs of entries with equal codes."""

    entries: Tensor  # (n, 2) int64
    codes: CellCodes  # (n, ...): of each pair
    n_left: int  # entries in no pair


def pair_equal(
    keys_of: Callable[[KeyTable], Tensor], codes_of: Callable[[Tensor], CellCodes], table: KeyTable
) -> Pairs:
    """Pair entries whose codes are equal; the arguments are those of `group_equal`.

    In a closed complex every group has exactly two entries, which one comparison of the sorted keys confirms.
    An inconsistent face may have one entry, or four; the first two are paired, the others counted.
    """
    keys, order = torch.sort(keys_of(table))
    if keys.shape[0] % 2 == 0:
        twins, strangers = keys[0::2] == keys[1::2], keys[1:-1:2] != keys[2::2]
        codes = codes_of(order)
        first, second = (CellCodes(*(part[side::2] for part in codes)) for side in (0, 1))
        if bool(torch.cat([twins, strangers, *_equalities(first, second)]).all()):
            return Pairs(order.reshape(-1, 2), first, 0)
    return _pair_groups(group_equal(keys_of, codes_of, table), codes_of)


def _pair_groups(groups: Groups, codes_of: Callable[[Tensor], CellCodes]) -> Pairs:
    """Pair the first two entries of each group."""
    first = groups.starts
    second = torch.zeros_like(first)
    second[1:] = first[:-1] & ~first[1:]
    index = second.nonzero()[:, 0]
    pairs = torch.stack([groups.order[index - 1], groups.order[index]], dim=1)
    return Pairs(pairs, codes_of(pairs[:, 0]), groups.order.shape[0] - 2 * pairs.shape[0])
