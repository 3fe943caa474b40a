"""Enumerate the k-cells of a generic complex from its vertices, by moving k zeros of a vertex to + or -.

A vertex lies on D rows; moving k of its zeros gives the code of a k-cell at the vertex, and every cell of a
bounded domain is found so at each of its vertices. Cells of dimension 2 and more are not stored: they are
enumerated here by grouping equal codes.
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
from creased.core.native.available import is_native


class _Choices(NamedTuple):
    """The C = binomial(D, k) 2^k ways to move k of D zeros."""

    moved: Tensor  # (C, k) int64: positions of the moved zeros
    is_plus: Tensor  # (C, k) int64: 1 where the zero moves to +, else 0
    kept: Tensor  # (C, D - k) int64: positions of the other zeros
    corners: Tensor  # (C, 2^(D - k)) int64: the vertex's corners that are in the cell's closed star


@cache
def _choices(dim: int, cell_dim: int, device: torch.device) -> _Choices:
    moved, is_plus, kept, within = [], [], [], []
    for subset in combinations(range(dim), cell_dim):
        for pattern in range(2**cell_dim):
            signs = [(pattern >> place) & 1 for place in range(cell_dim)]
            fixed = list(zip(subset, signs, strict=True))
            moved.append(subset)
            is_plus.append(signs)
            kept.append([slot for slot in range(dim) if slot not in subset])
            within.append([p for p in range(2**dim) if all(p >> slot & 1 == sign for slot, sign in fixed)])
    tables = (moved, is_plus, kept, within)
    return _Choices(*(torch.tensor(table, dtype=torch.int64).to(device) for table in tables))


class CofaceChoices(NamedTuple):
    """For each of C choices of k zeros of D to move, the m = 2 (D - k) choices that move one more."""

    choice: Tensor  # (C, m) int64
    sign: Tensor  # (C, m) int64: its incidence number, see `creased.core.arrangement.facets`


@cache
def _cofaces(dim: int, cell_dim: int, device: torch.device) -> CofaceChoices:
    lower, upper = (_choices(dim, k, torch.device("cpu")) for k in (cell_dim, cell_dim + 1))
    keys = [
        tuple(zip(*columns, strict=True)) for columns in zip(*(x.tolist() for x in upper[:2]), strict=True)
    ]
    number = {key: index for index, key in enumerate(keys)}
    choice, sign = [], []
    for moved, is_plus, kept in zip(*(x.tolist() for x in lower[:3]), strict=True):
        own = list(zip(moved, is_plus, strict=True))
        more = [(place, slot, plus) for place, slot in enumerate(kept) for plus in (0, 1)]
        choice.append([number[tuple(sorted([*own, (slot, plus)]))] for _, slot, plus in more])
        sign.append([(2 * plus - 1) * (-1) ** place for place, _, plus in more])
    shape = (len(choice), 2 * (dim - cell_dim))
    return CofaceChoices(*(torch.tensor(table).reshape(shape).to(device) for table in (choice, sign)))


class CellsAround:
    """The k-cells around vertices, one entry for each vertex of each cell.

    Args:
        codes: of the vertices.
        corners: of the vertices of a piece, (V, 2^D); only cells that belong to the piece are counted. None:
            the vertices are those of the whole domain.
        cell_dim: k.
        rows: tables of the arrangement.
    """

    def __init__(self, codes: CellCodes, corners: Tensor | None, cell_dim: int, rows: Arrangement) -> None:
        self._codes = codes
        self._rows = rows
        self._choices = _choices(codes.zero_ids.shape[1], cell_dim, codes.words.device)
        exists = self._inside_walls() if corners is None else self._owned(corners)
        self.place = exists.reshape(-1).nonzero()[:, 0]  # of each entry in the (V, C) table of choices

    @property
    def n_choices(self) -> int:
        """Number of ways C to move k zeros of a vertex."""
        return self._choices.moved.shape[0]

    @property
    def cofaces(self) -> CofaceChoices:
        """Choices of the cells of one dimension more of which a choice is a facet."""
        dim, cell_dim = self._codes.zero_ids.shape[1], self._choices.moved.shape[1]
        return _cofaces(dim, cell_dim, self.place.device)

    def group(self) -> Groups:
        """Group entries by cell."""
        return group_equal(self._keys, self.codes, self._rows.keys)

    def vertices(self, entries: Tensor) -> Tensor:
        """Return the vertices (n,) of entries (n,)."""
        return self.place.index_select(0, entries) // self._choices.moved.shape[0]

    def number(self) -> tuple[Tensor, Tensor]:
        """Number the cells: return that of each entry's (n,) int32, and the first entry (G,) of each."""
        if is_native(self.place.device):
            from creased.core.arrangement.compiled_numbers import number_cells

            moves = self._choices.moved, self._choices.is_plus
            return number_cells(self._codes, moves, self.place, self._rows.keys)
        groups = self.group()
        numbers = torch.empty_like(self.place, dtype=torch.int32)
        return numbers.index_copy_(0, groups.order, groups.numbers().to(torch.int32)), groups.firsts()

    def count(self) -> int:
        """Count the cells."""
        return self.number()[1].shape[0]

    def codes(self, entries: Tensor) -> CellCodes:
        """Return the codes of the cells of entries (n,)."""
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
        changes = table.moves[self._codes.zero_ids]  # (V, D, 2)
        keys = cell_keys(self._codes, table)[:, None]
        for slot, is_plus in zip(self._choices.moved.unbind(1), self._choices.is_plus.unbind(1), strict=True):
            keys = keys + changes[:, slot, is_plus]
        n_choices = self._choices.moved.shape[0]
        return keys.expand(-1, n_choices).reshape(-1).index_select(0, self.place)

    def _inside_walls(self) -> Tensor:
        """True (V, C) for cells inside all walls: no zero of a wall moves to its outer side, -."""
        moved = self._codes.zero_ids[:, self._choices.moved]
        return ((moved >= self._rows.layout.n_walls) | self._choices.is_plus.bool()).all(-1)

    def _owned(self, corners: Tensor) -> Tensor:
        """True (V, C) for cells with a live corner and none in an earlier piece."""
        around = corners[:, self._choices.corners]
        return (around >= 0).any(-1) & (around != EARLIER).all(-1)


def number_regions(codes: CellCodes, rows: Arrangement) -> tuple[Tensor, Tensor]:
    """Number the regions around vertices.

    Returns the region in each corner (V, 2^D) int32 of each vertex, `DEAD` outside of the domain, and the
    regions' packed signs (R, W).
    """
    dim = codes.zero_ids.shape[1]
    regions = CellsAround(codes, None, dim, rows)
    numbers, firsts = regions.number()
    corners = codes.zero_ids.new_full((codes.zero_ids.shape[0], 2**dim), DEAD)
    corners.reshape(-1).index_copy_(0, regions.place, numbers)
    return corners, regions.codes(firsts).words
