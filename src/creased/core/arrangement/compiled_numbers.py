"""Number cells by a compiled kernel, with the results of `cells`."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes, KeyTable
from creased.core.arrangement.kernels.matching import number
from creased.core.arrangement.kernels.records import Around, Numbers


def number_cells(
    codes: CellCodes, moves: tuple[Tensor, Tensor], place: Tensor, table: KeyTable
) -> tuple[Tensor, Tensor]:
    """Number cells around vertices, in order of first appearance.

    Args:
        codes: of the vertices.
        moves: of each of C choices the positions of moved zeros (C, k), and 1 where they move to + (C, k).
        place: C v + c of each entry (n,), ascending.
        table: of keys.

    Returns:
        The number of each entry's cell (n,) int32, and the first entry (G,) int64 of each cell.
    """
    n = place.shape[0]
    of, firsts = torch.empty(n, dtype=torch.int32), torch.empty(n, dtype=torch.int64)
    slots = np.zeros(1 << (2 * n).bit_length(), np.int32)
    every = np.full(codes.words.shape[1], -1)
    moved, is_plus = (part.numpy() for part in moves)
    tables = (part.numpy() for part in table)
    given = Around(codes.words.numpy(), codes.zero_ids.numpy(), moved, is_plus, place.numpy(), *tables)
    n_cells = number(given, Numbers(of.numpy(), firsts.numpy(), np.empty(n, np.int64), slots, every))
    return of, firsts[:n_cells].clone()
