"""Zonotopes of one layer: sums of segments [0, (w_i, b_i)], whose vertices are the layer's regions.

A vertex is the sum of the generators that are positive in some direction, so vertices are the cells of the
arrangement of the generators' hyperplanes; those of directions that point up are the regions of the layer,
and the vertices of the shadow, along the last axis, are its regions at infinity (Zhang, Naitzat, Lim 2018,
section 6). Cells are enumerated one generator after the other; the 2^n sums are never formed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

from creased.core.exact.elimination import Vector, integer_row, rank
from creased.core.formatting import cut_list, format_point, format_space, require_kind
from creased.core.numerics.surroundings import as_written
from creased.core.program.program import Program
from creased.networks.as_program import of_networks
from creased.tropical.algebra.epigraphs import Point
from creased.tropical.algebra.rational_maps import one_output
from creased.tropical.cells.cells import cut_by_rows
from creased.tropical.cells.region_bounds import zaslavsky
from creased.tropical.polyhedra.cones import Cone, all_directions, whole_space


@dataclass(frozen=True)
class Zonotope:
    """The Minkowski sum of the segments from 0 to each generator."""

    generators: tuple[Point, ...]  # (n, D + 1): weight and bias
    dim: int  # D + 1

    def __post_init__(self) -> None:
        """Refuse generators of other dimensions."""
        lengths = sorted({len(generator) for generator in self.generators} - {self.dim})
        if lengths:
            raise ValueError(f"Zonotope: needs generators in {self.dim} dimensions, got some in {lengths}")

    def vertices(self) -> list[Point]:
        """List the vertices, each (D + 1,)."""
        return self._sums(all_directions(self.dim), self.rows())

    def upper_vertices(self) -> list[Point]:
        """List the vertices visible from above along the last axis: the regions of the layer."""
        return self._sums(whole_space(self.dim - 1), self.rows())

    def lower_vertices(self) -> list[Point]:
        """List the vertices visible from below along the last axis."""
        return self._sums(whole_space(self.dim - 1), self.rows(-1))

    def shadow_vertices(self) -> list[Point]:
        """List the vertices (D,) of the projection along the last axis: the layer's regions at infinity."""
        shadow = Zonotope(tuple(generator[:-1] for generator in self.generators), self.dim - 1)
        return shadow.vertices()

    def rows(self, height: int = 1) -> list[Vector]:
        """Convert the generators to primitive integer rows, the last coordinate times ``height``."""
        return [integer_row((*generator[:-1], height * generator[-1])) for generator in self.generators]

    def _sums(self, start: Cone, rows: Sequence[Vector]) -> list[Point]:
        """Sum the positive generators of each cell."""
        first = start.rows.bit_length()
        sums = []
        for signs, _ in cut_by_rows(start, rows, first):
            positive = [g for g, sign in zip(self.generators, signs, strict=True) if sign > 0]
            columns = zip(*positive, strict=True) if positive else [()] * self.dim
            sums.append(tuple(sum(column, Fraction(0)) for column in columns))
        return sums

    def __repr__(self) -> str:
        segments = cut_list((f"[0, {format_point(g)}]" for g in self.generators), joint=" + ")
        return f"zonotope {segments or '{0}'} in {format_space(self.dim)}"


class ZonotopeCounts(NamedTuple):
    """Numbers of vertices, and those of as many generators in general position."""

    vertices: int
    upper: int  # regions of the layer
    lower: int
    shadow: int  # regions at infinity
    generic_vertices: int  # 2 sum C(n - 1, i), i <= D
    generic_upper: int  # sum C(n, i), i <= D
    generic_shadow: int  # 2 sum C(n - 1, i), i < D
    status: str  # why the generic numbers do not hold; empty where they do


@of_networks
@as_written
def zonotope_of_layer(program: Program) -> Zonotope:
    """Build the zonotope of a network with one hidden layer.

    Raises:
        ValueError: the network has not exactly one plain hidden layer; a weight is not finite.
    """
    program.require_finite("zonotope_of_layer")
    weight, bias = _one_layer(program, "zonotope_of_layer")
    return Zonotope(tuple((*row, b) for row, b in zip(weight, bias, strict=True)), program.in_dim + 1)


@of_networks
def zonotopes_of_map(program: Program, index: int | None = None) -> tuple[Zonotope, Zonotope]:
    """Build the zonotopes of F and of G for an output sum_j v_j relu(z_j) + c with v of mixed signs.

    F is the sum over v_j > 0 and G that over v_j < 0; generators are |v_j| (w_j, b_j). The constant c, which
    only translates, is left out.

    Raises:
        ValueError: as `zonotope_of_layer`, or there are several outputs and no index.
    """
    program.require_finite("zonotopes_of_map")
    program = one_output(program, index, "zonotopes_of_map")
    weight, bias = _one_layer(program, "zonotopes_of_map")
    outer = [Fraction(x) for x in program.head.weight[0].tolist()]
    sides: tuple[list[Point], list[Point]] = ([], [])
    for row, b, v in zip(weight, bias, outer, strict=True):
        if v:
            sides[v < 0].append(tuple(abs(v) * x for x in (*row, b)))
    return Zonotope(tuple(sides[0]), program.in_dim + 1), Zonotope(tuple(sides[1]), program.in_dim + 1)


def count_vertices(zonotope: Zonotope) -> ZonotopeCounts:
    """Count the vertices; there are upper + lower - shadow where no generator is vertical.

    Raises:
        TypeError: it is no zonotope.
    """
    require_kind("count_vertices", zonotope, Zonotope, ": see zonotope_of_layer")
    n, dim = len(zonotope.generators), zonotope.dim - 1
    counts = (
        len(zonotope.vertices()),
        len(zonotope.upper_vertices()),
        len(zonotope.lower_vertices()),
        len(zonotope.shadow_vertices()),
    )
    generic = (_central(n, dim + 1), zaslavsky(dim, n), _central(n, dim))
    status = "" if (counts[0], counts[1], counts[3]) == generic else _why_not_generic(zonotope)
    return ZonotopeCounts(*counts, *generic, status)


def _central(n: int, dim: int) -> int:
    """Count the regions of n hyperplanes through the origin in general position."""
    return 2 * zaslavsky(dim - 1, n - 1) if n else 1


def _why_not_generic(zonotope: Zonotope) -> str:
    """Describe how generators are not in general position."""
    rows = zonotope.rows()
    found = []
    for what, vectors in (("generators", rows), ("shadows of generators", [row[:-1] for row in rows])):
        some = [v for v in vectors if any(v)]
        if len(some) < len(vectors):
            found.append(f"{len(vectors) - len(some)} {what} are zero")
        n_parallel = sum(rank(pair) == 1 for pair in combinations(some, 2))
        if n_parallel:
            found.append(f"{n_parallel} pairs of {what} are parallel")
    reason = "; ".join(found) or "some generators are linearly dependent"
    return f"{reason}: the generic numbers do not hold"


def _one_layer(program: Program, caller: str) -> tuple[list[list[Fraction]], list[Fraction]]:
    program.require_no_grid(caller)
    if len(program.blocks) != 1:
        raise ValueError(
            f"{caller}: a zonotope belongs to one hidden layer, the program has {len(program.blocks)}; "
            "of deep networks see TropicalRational"
        )
    block = program.detach().blocks[0]
    if not block.is_plain:
        raise ValueError(f"{caller}: needs a plain ReLU layer, got one with a passthrough")
    *weight, bias = [[Fraction(x) for x in row.tolist()] for row in (*block.affine.weight, block.affine.bias)]
    return weight, bias
