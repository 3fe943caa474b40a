"""Records of the search's kernels: a plain network, regions to come, and memory for one region.

Sizes: L blocks of at most N neurons, S of them inputs of a block, W words of packed signs, D dimensions of
space, of which arrays always have room for three.
"""

from __future__ import annotations

from typing import NamedTuple

from creased.core.native.compiler import Floats, Integers

PLANES, CONSTANT, ERROR = 5, 3, 4  # of an affine function on space: three slopes, the constant, its error
BLOCK, FIRST_VERTEX, N_VERTICES, FIRST_OPEN, N_OPEN, FIRST_POINT, N_POINTS, FRAME = range(8)
FOUND, DOUBTFUL, INCONSISTENT, FULL, N_BOUNDS, COUNTS = range(6)
FRAMES, VERTEX_TOP, OPEN_TOP, TOPS = range(4)


class Network(NamedTuple):
    """A plain network of L blocks, of at most N neurons each; the head is the last layer."""

    widths: Integers  # (L + 2,): inputs, neurons of each block, 1
    columns: Floats  # (L, S, N): weights by input
    sizes: Floats  # (L, S, N): their absolute values
    rows: Floats  # (L, N, S): weights by neuron
    bias: Floats  # (L, N)
    head: Floats  # (N + 1,): weights, then the bias in the last place
    reach: Floats  # (4,): bounds on absolute coordinates, then 1
    first_row: Integers  # (L,): row of each block's first neuron
    dim: int
    gamma: float  # bound on the rounding of a sum of products


class Levels(NamedTuple):
    """What the regions of each block share since it was entered."""

    z: Floats  # (L, 5, N): preactivations
    error: Floats  # (L, N): of their computed values at points of the domain
    slope: Floats  # (L, N): 1 where stable and on, 0 where off or open
    passed: Floats  # (L + 1, 5, N): what stable neurons and the bias add to the next block, or the output
    open: Integers  # (L, N): open neurons
    n_open: Integers  # (L,)
    weighed: Floats  # (L, N): bounds on sums of absolute products, on the domain


class Stack(NamedTuple):
    """Regions to come, the last one first."""

    frames: Integers  # (F, 7)
    share: Floats  # (F,): of the domain, as far as vertices tell
    words: Integers  # (F, W): packed signs so far
    vertices: Floats  # (V, 3)
    facets: Integers  # (V, 3): rows
    neighbours: Integers  # (V, 3): along the edge that leaves each facet
    open: Integers  # (U,): neurons of the block that may change sign
    tops: Integers  # (3,)


class Known(NamedTuple):
    """Cells that the level set is known to meet."""

    points: Floats  # (P, 3): one in each
    words: Integers  # (P, W)
    order: Integers  # (P,): such that those of a region follow each other


class Found(NamedTuple):
    """Cells that it meets and that are not known."""

    words: Integers  # (n, W)
    points: Floats  # (n, 3)
    counts: Integers  # (5,)


class Scratch(NamedTuple):
    """Memory of one region."""

    vertices: Floats  # (v, 3)
    facets: Integers  # (v, 3)
    neighbours: Integers  # (v, 3)
    values: Floats  # (N, v): of open neurons
    open: Integers  # (N,)
    words: Integers  # (W,)
    low: Floats  # (L, N): ranges
    high: Floats  # (L, N)
    slope: Floats  # (L, N): of relaxations: lower z <= relu(z) <= slope z + rise
    rise: Floats  # (L, N)
    lower: Floats  # (L, N)
    form: Floats  # (5, N)
    factors: Floats  # (5, N)
    chosen: Integers  # (N,)
    covector: Floats  # (2, N)
    fresh: Integers  # (v, 3): vertices of a cut: its ends, and the slot that it leaves
    number: Integers  # (v,)
    region: Integers  # (7,): its frame
    sides: Integers  # (2,): vertices on each side of a cut
