"""Records of the kernels: a skeleton, the tables of its rows, and the cells around vertices, as arrays."""

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


class Queues(NamedTuple):
    """Batches of edges, each sorted by the neuron that cuts them next."""

    edges: Ids  # (M,)
    starts: Integers  # (N + 1, N + 1): where in a batch those of each neuron start; last, where it ends
    sizes: Integers  # (N,): of what each neuron cuts


class Splits(NamedTuple):
    """The edges that a row splits."""

    edges: Ids  # (n,)
    rows: Ids  # (m,): which cut their first halves next, their second halves, other edges; NONE: none does
    ends: Ids  # (n, 2)
    shares: Floats  # (n,): of the way from the first end to the second at which they are split


class Doubts(NamedTuple):
    """What rounding leaves in doubt, and what it is."""

    band: (
        float  # smaller values have no sign, and values on an edge that are nearer no place; below 0: none is
    )
    noise: float  # smaller ones are zero, as far as they are less than `rate` times those of the ends
    rate: float
    placed: Integers  # (n,): edges to be placed
    signed: Integers  # (n,): vertices to be given signs


class Around(NamedTuple):
    """The entries of `cells.CellsAround`."""

    words: Integers  # (V, W): of the vertices
    zero_ids: Ids  # (V, D)
    moved: Integers  # (C, k): positions of the zeros that each choice moves, ascending
    is_plus: Integers  # (C, k): 1 where a zero moves to +
    place: Integers  # (n,): C v + c of each entry, ascending
    multipliers: Integers  # (2 W,): see `hash_keys.KeyTable`
    moves: Integers  # (n_rows, 2)


class Numbers(NamedTuple):
    """What is found."""

    of: Ids  # (n,): of the cell of each entry, in order of first appearance
    firsts: Integers  # (n,): the first entry of each cell
    keys: Integers  # (n,): of the cells
    slots: Ids  # (2^m,): one more than the number of a cell, or 0; more than twice the entries
    every: Integers  # (W,): all bits, of which keys are
