"""Records of a program laid out flat, and of its affine maps on a cell."""

from __future__ import annotations

from typing import NamedTuple

from creased.core.native.compiler import Floats, Integers


class FlatProgram(NamedTuple):
    """A program of at most three inputs, and walls; the head is the last block."""

    numbers: Floats  # of all matrices (in, out), row by row, and of all biases
    blocks: Integers  # (L + 1, 9): see `Block`
    walls: Floats  # (4, n_walls): slopes and constants


class Block(NamedTuple):
    """A row of the table of blocks: numbers of rows and columns, and where matrices and maps begin."""

    n_state: int
    n_neurons: int
    weight: int  # A (n_state, n_neurons), b (n_neurons,), ... in the numbers; -1 where there is none
    bias: int
    mix: int
    skip: int
    shift: int
    neurons: int  # the columns of its neurons among the maps
    state: int  # the columns of its input; those of the neurons before, if that is what it is


N_STATE, N_NEURONS, WEIGHT, BIAS, MIX, SKIP, SHIFT, NEURONS, STATE = range(len(Block._fields))


class Maps(NamedTuple):
    """The affine maps of all rows on a cell."""

    words: Integers  # (W,): signs of the cell
    maps: Floats  # (4, n): of walls, neurons and outputs, then of the inputs of blocks
    ages: Integers  # (L + 1,): how often the maps behind a block were updated since they were composed
    active: Integers  # (n,): columns of an input that are not zero
