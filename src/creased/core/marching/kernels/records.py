"""Records of the walk's kernels: the program, the cells, their sides, and memory for one cell."""

from __future__ import annotations

from typing import NamedTuple

from creased.core.native.compiler import Floats, Integers
from creased.core.program.kernels.records import FlatProgram, Maps

MOST_SIDES = 60  # of a polygon; one with more is left to the torch path
SPARE = 64  # cells and sides that there is room for before a cell is cut
NOBODY = -1


class Network(NamedTuple):
    """A program with one output and three inputs, as one lane of a walk sees it."""

    program: FlatProgram
    keys: Integers  # (n_rows,): hash keys; that of a sign vector is the XOR over its set bits
    lane: Integers  # (2,): which lane of a walk this is, and how many there are


class Cells(NamedTuple):
    """The cells of a walk, by number, and a hash table of them."""

    words: Integers  # (n, W): packed signs
    keys: Integers  # (n,)
    points: Floats  # (n, 3): on the level set, where the cell was entered
    following: Integers  # (n,): the next cell of the same stack
    slots: Integers  # (2^k,): numbers of cells, or NOBODY
    stacks: Integers  # (L + 1,): the cell on top of the stack of each block, or NOBODY


class Sides(NamedTuple):
    """The sides of the polygons of cells, in the order in which these were cut."""

    cells: Integers  # (n,): the cells that were cut
    sizes: Integers  # (n,): their numbers of sides
    doubts: Integers  # (n,): cells left to the torch path
    rows: Integers  # (S,)
    neighbours: Integers  # (S,): the cell across, numbered over all lanes; NOBODY beyond a wall
    foreign: (
        Integers  # (n, 3): sides across which another lane has the cell, the sides that follow, the cells
    )
    starts: Floats  # (S, 3)
    counts: Integers  # (5,): cells, cut cells, doubts, sides, foreign sides


class Scratch(NamedTuple):
    """Memory for one cell."""

    cell: Maps
    lines: Floats  # (2, n_rows): squares of the value at the point and of the slope in the plane
    polygon: Floats  # (4, 64): corners in the plane, and as they are clipped
    sides: Integers  # (2, 64): the row of the side that begins at a corner
    frame: Floats  # (3, 3): a point of the plane, two axes
    near: Floats  # (1,): squared distance of lines that are the first to clip a polygon
