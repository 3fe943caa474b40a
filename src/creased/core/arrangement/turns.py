"""Take turns: many simplices that share nothing are cut at once, each by its own next neuron.

A neuron cuts a simplex only if it changes sign between corners, as few of them do. So at each turn every
simplex is cut by the next of those that do. In each the neurons cut in their order, and what is cut is the
same as by one neuron after the other; the steps are as many as cut the one simplex that most of them cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

import torch
from torch import Tensor

from creased.core.arrangement.signs import WORD, unpack_rows
from creased.core.numerics.tensors import Growable


@dataclass
class Turns:
    """Which neurons of a block cut which simplices at a turn."""

    table: Tensor  # (m (R + 1),) int32: for none and each row of the block's words, its turn in each simplex
    starts: Growable  # (E,) int64: where in the table row 0 of the edge's simplex is
    rows: list[list[Tensor]]  # at each turn, the rows (n,) int32 that cut the edges in its bucket

    def of(self, edges: Tensor, rows: Tensor) -> Tensor:
        """Turns (n,) int32, counted from the first row, of rows (n,) in the simplices of edges (n,)."""
        return self.table.index_select(0, self.starts.rows.index_select(0, edges) + rows)

    def inherit(self, split: Tensor, joined: Tensor) -> None:
        """Place new edges in simplices: halves of edges (n,), and chords from some (p,) of these."""
        starts = self.starts.rows.index_select(0, split)
        self.starts.append(starts, starts.index_select(0, joined))


def take_turns(words: Tensor, n_corners: int, first_row: int, n_neurons: int) -> Turns:
    """Give neurons their turns in simplices.

    Args:
        words: packed signs (V, W) of the block's neurons at the corners, simplex by simplex.
        n_corners: of a simplex.
        first_row: of the block.
        n_neurons: of the block.
    """
    first_word = first_row // WORD
    corners = words.reshape(-1, n_corners, words.shape[1]).unbind(1)
    changes = reduce(or_, corners) & ~reduce(and_, corners)
    is_cut = unpack_rows(changes, first_row - WORD * first_word, n_neurons)
    turns = is_cut.cumsum(1, dtype=torch.int32) + (first_row - 1)
    table = torch.nn.functional.pad(turns, (first_row - WORD * first_word + 1, 0), value=-1)
    n_edges, (m, size) = n_corners * (n_corners - 1) // 2, table.shape
    starts = torch.arange(m, device=words.device).repeat_interleave(n_edges) * size + (1 - WORD * first_word)
    return Turns(table.flatten(), Growable(starts), [[] for _ in range(n_neurons)])
