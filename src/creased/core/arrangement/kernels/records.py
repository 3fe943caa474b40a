"""Records of the kernels: a skeleton and the tables of its rows, as arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from creased.core.native.compiler import Floats, Integers

Ids = NDArray[np.int32]


class Cells(NamedTuple):
    """The columns of a skeleton that a block cuts, with room for the cells that a cut makes."""

    vertices: Floats  # (V, C)
    zero_ids: Ids  # (V, D)
    words: Integers  # (V, W)
    edges: Ids  # (E, 2)
    edge_zero_ids: Ids  # (E, D - 1)
    corners: Ids  # (V, 2^D), or none
    carried: Floats  # (V, N + P)


class Rows(NamedTuple):
    """Tables of the arrangement, and which of its rows are those of the block."""

    before: Integers  # (n_rows + 1, W): the bits of all rows before one
    multipliers: Integers  # (2 W,): see `hash_keys.KeyTable`
    moves: Integers  # (n_rows, 2)
    n_walls: int
    first: int  # the row of the block's first neuron
    n: int  # number of its neurons


class Doubts(NamedTuple):
    """What rounding leaves in doubt, and what it is."""

    gap: float  # two values on an edge that are nearer than this tell no place; below 0: they always do
    value: float  # smaller values have no sign; below 0: they always do
    noise: float  # smaller ones are zero, as far as they are less than `rate` times those of the ends
    rate: float
    placed: Integers  # (n,): edges to be placed
    signed: Integers  # (n,): vertices to be given signs
