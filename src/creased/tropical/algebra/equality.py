"""Exact equality of piecewise-affine functions on a domain, with a witness where they differ.

Networks are compared on the cells that the second one has in each cell of the first: both are affine there.
Tropical rational maps are compared as polynomials: F1 - G1 = F2 - G2 means F1 + G2 = F2 + G1, and of these
convex functions one is above the other if it is at every vertex and along every ray of its epigraph.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from creased.core.domains.box import Box
from creased.core.exact.elimination import RationalMatrix, Vector, dot
from creased.core.formatting import format_point
from creased.core.numerics.surroundings import as_written
from creased.core.program.program import Program
from creased.networks.as_program import Network, as_program
from creased.tropical.algebra.epigraphs import Point, epigraph, inner
from creased.tropical.algebra.polynomials import TropicalPolynomial
from creased.tropical.algebra.rational_maps import TropicalRational
from creased.tropical.cells.cells import MOST_CELLS, Cell, cells


class Equality(NamedTuple):
    """The result of a comparison of two functions on a domain."""

    is_equal: bool
    witness: Point | None  # (D,): a point of the domain where they differ

    def __repr__(self) -> str:
        if self.witness is None:
            return "equal" if self.is_equal else "not equal"
        return f"not equal, as at {format_point(self.witness)}"


@as_written
def equal(
    first: Network | TropicalRational,
    second: Network | TropicalRational,
    domain: Box | None = None,
    *,
    most: int = MOST_CELLS,
) -> Equality:
    """Decide in integers whether two functions are the same on a box, or everywhere.

    Args:
        first: a program, a network or a tropical rational map.
        second: of the same kind.
        domain: a box, or None for all of space.
        most: cells that may be enumerated, of programs.

    Raises:
        TypeError: one is a map and the other is not, or is no network.
        ValueError: dimensions differ, a map is not exact, or one is not known on all of the domain.
        CellLimitError: there are more cells than allowed.
    """
    if isinstance(first, TropicalRational) and isinstance(second, TropicalRational):
        return _of_maps(first, second, domain)
    if isinstance(first, TropicalRational) or isinstance(second, TropicalRational):
        raise TypeError(
            "equal: needs two programs or two tropical rational maps, got "
            f"{type(first).__name__} and {type(second).__name__}: see TropicalRational.from_program"
        )
    return _of_programs(as_program(first, "equal"), as_program(second, "equal"), domain, most)


def _of_programs(first: Program, second: Program, domain: Box | None, most: int) -> Equality:
    shapes = [(program.in_dim, program.out_dim) for program in (first, second)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"equal: both need the same inputs and outputs, got {shapes[0]} and {shapes[1]}")
    for outer in cells(first, domain, most):
        for cell in cells(second, outer.cone, most):
            if outer.outputs != cell.outputs:
                return Equality(is_equal=False, witness=_where_different(outer.outputs, cell))
    return Equality(is_equal=True, witness=None)


def _where_different(a: RationalMatrix, cell: Cell) -> Point:
    """Find a point in a cell where its outputs differ from those of an affine map."""
    b = cell.outputs
    pairs = zip(a.rows, b.rows, strict=True)
    differences = [[x * b.scale - y * a.scale for x, y in zip(*pair, strict=True)] for pair in pairs]
    difference = next(d for d in differences if any(d))
    place = cell.cone.interior()
    for generator in ((0,) * len(place), *cell.cone.rays, *cell.cone.lines):
        moved = [x + y for x, y in zip(place, generator, strict=True)]
        if dot(difference, moved):
            return tuple(Fraction(x, moved[-1]) for x in moved[:-1])
    raise AssertionError("an affine function that vanishes on a full-dimensional cell is zero")


def _of_maps(first: TropicalRational, second: TropicalRational, domain: Box | None) -> Equality:
    for side in (first, second):
        side.require_exact_on(domain, "equal")
    crossed = (first.numerator.odot(second.denominator), second.numerator.odot(first.denominator))
    for lower, upper in (crossed, crossed[::-1]):
        if (point := _where_above(lower, upper, domain)) is not None:
            return Equality(is_equal=False, witness=point)
    return Equality(is_equal=True, witness=None)


def _where_above(lower: TropicalPolynomial, upper: TropicalPolynomial, domain: Box | None) -> Point | None:
    """Find a point where ``lower`` is above ``upper``; None if there is none on the domain."""
    cone = epigraph(upper.slopes, upper.coefficients, domain).cone
    opposite = [tuple(-x for x in line) for line in cone.lines]
    base = cone.point()[:-1]
    for generator in (*cone.rays, *cone.lines, *opposite):
        *direction, height, t = generator
        for slope, constant in zip(lower.slopes, lower.coefficients, strict=True):
            if inner(direction, slope) + constant * t > height:
                return _along(base, generator, lower, upper)
    return None


def _along(base: Point, generator: Vector, lower: TropicalPolynomial, upper: TropicalPolynomial) -> Point:
    """Return the vertex itself, or a point far enough in a direction for ``lower`` to be above ``upper``."""
    *direction, _, t = generator
    if t:
        return tuple(Fraction(x, t) for x in direction)
    reach = 1
    while True:
        point = tuple(x + reach * d for x, d in zip(base, direction, strict=True))
        if lower.value_at(point) > upper.value_at(point):
            return point
        reach *= 2
