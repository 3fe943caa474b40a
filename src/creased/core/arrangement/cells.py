"""The cells around the vertices of a generic complex: a vertex's code with some of its zeros moved to + or -.

A vertex lies on D rows; moving k of its zeros names a k-cell that it is a vertex of, and every cell of a
bounded domain is found so at each of its vertices. Cells of dimension 2 and more are stored nowhere: they are
found here when asked for, by grouping equal codes.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.hash_keys import CellCodes, Groups, KeyTable, cell_keys, group_equal
from creased.core.arrangement.orthants import DEAD, EARLIER


class _Choices(NamedTuple):
    """The C = binomial(D, k) 2^k ways to move k of D zeros."""

    moved: Tensor  # (C, k) int64: which zeros
    is_plus: Tensor  # (C, k) int64: 1 where the zero moves to +, else 0
    kept: Tensor  # (C, D - k) int64: the other zeros
    corners: Tensor  # (C, 2^(D - k)) int64: the vertex's corners that are in the cell's closed star


@cache
def _choices(dim: int, cell_dim: int, device: torch.device) -> _Choices:
    corners = torch.arange(2**dim)
    moved, is_plus, kept, within = [], [], [], []
    for subset in combinations(range(dim), cell_dim):
        for pattern in range(2**cell_dim):
            signs = [(pattern >> place) & 1 for place in range(cell_dim)]
            agrees = torch.ones_like(corners, dtype=torch.bool)
            for slot, sign in zip(subset, signs, strict=True):
                agrees &= ((corners >> slot) & 1) == sign
            moved.append(subset)
            is_plus.append(signs)
            kept.append([slot for slot in range(dim) if slot not in subset])
            within.append(corners[agrees])
    n = len(moved)
    tables = (
        torch.tensor(moved).reshape(n, cell_dim),
        torch.tensor(is_plus).reshape(n, cell_dim),
        torch.tensor(kept).reshape(n, dim - cell_dim),
        torch.stack(within),
    )
    return _Choices(*(table.long().to(device) for table in tables))


class CellsAround:
    """The k-cells around vertices, one entry for each vertex of each cell.

    Args:
        codes: of the vertices.
        corners: of the vertices, (V, 2^D), where the vertices are those of a piece: then a cell counts if it
            is the piece's own. None: the vertices are those of the whole domain.
        cell_dim: k.
        rows: tables of the arrangement.
    """

    def __init__(self, codes: CellCodes, corners: Tensor | None, cell_dim: int, rows: Arrangement) -> None:
        self._codes = codes
        self._rows = rows
        self._choices = _choices(codes.zero_ids.shape[1], cell_dim, codes.words.device)
        exists = self._inside_walls() if corners is None else self._owned(corners)
        self.place = exists.reshape(-1).nonzero()[:, 0]  # of each entry among V times C choices

    def group(self) -> Groups:
        """Entries grouped by cell."""
        return group_equal(self._keys, self.codes, self._rows.keys)

    def vertices(self, entries: Tensor) -> Tensor:
        """The vertex (n,) of each of some entries (n,)."""
        return self.place.index_select(0, entries) // self._choices.moved.shape[0]

    def count(self) -> int:
        """Number of cells."""
        return int(self.group().starts.sum())

    def codes(self, entries: Tensor) -> CellCodes:
        """Codes of the cells of entries (n,)."""
        n_choices = self._choices.moved.shape[0]
        place = self.place.index_select(0, entries)
        vertex, choice = place // n_choices, place % n_choices
        zero_ids = self._codes.zero_ids.index_select(0, vertex)
        words = self._codes.words.index_select(0, vertex)
        for slot, is_plus in zip(
            self._choices.moved[choice].unbind(1), self._choices.is_plus[choice].unbind(1), strict=True
        ):
            row = zero_ids.gather(1, slot[:, None])[:, 0]
            words = words | self._rows.bits.index_select(0, row) * is_plus[:, None]
        return CellCodes(words, zero_ids.gather(1, self._choices.kept[choice]))

    def _keys(self, table: KeyTable) -> Tensor:
        changes = torch.stack([table.minus, table.plus], dim=1)[self._codes.zero_ids]  # (V, D, 2)
        keys = cell_keys(self._codes, table)[:, None]
        for slot, is_plus in zip(self._choices.moved.unbind(1), self._choices.is_plus.unbind(1), strict=True):
            keys = keys + changes[:, slot, is_plus]
        n_choices = self._choices.moved.shape[0]
        return keys.expand(-1, n_choices).reshape(-1).index_select(0, self.place)

    def _inside_walls(self) -> Tensor:
        """True (V, C) where no wall's zero moves outward: a wall's + side is inside."""
        moved = self._codes.zero_ids[:, self._choices.moved]
        return ((moved >= self._rows.layout.n_walls) | self._choices.is_plus.bool()).all(-1)

    def _owned(self, corners: Tensor) -> Tensor:
        """True (V, C) where a cell has a live corner, and none that an earlier piece holds."""
        around = corners[:, self._choices.corners]
        return (around >= 0).any(-1) & (around != EARLIER).all(-1)


def number_regions(codes: CellCodes, rows: Arrangement) -> tuple[Tensor, Tensor]:
    """The regions around vertices.

    Returns the number of the region in each corner (V, 2^D) int32 of a vertex, `DEAD` outside of the domain,
    and the regions' packed signs (R, W).
    """
    dim = codes.zero_ids.shape[1]
    regions = CellsAround(codes, None, dim, rows)
    groups = regions.group()
    numbers = groups.numbers().to(torch.int32)
    corners = codes.zero_ids.new_full((codes.zero_ids.shape[0], 2**dim), DEAD)
    corners.reshape(-1).index_copy_(0, regions.place.index_select(0, groups.order), numbers)
    return corners, regions.codes(groups.order[groups.starts]).words
