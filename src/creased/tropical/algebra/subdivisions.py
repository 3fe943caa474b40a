"""Tropical hypersurfaces, their dual subdivisions, Newton polytopes, and decision boundaries.

Regions of a tropical polynomial are its essential monomials, and the vertices of its hypersurface the
maximal cells of the dual subdivision of its Newton polytope: the slopes of all monomials that attain the
maximum there (Maclagan and Sturmfels 2015, proposition 3.1.6). All of it is read off the epigraph, in any
dimension; the number of vertices grows as m^((D + 1) / 2) with the monomials, so it is meant for D <= 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from creased.core.domains.box import Box
from creased.core.exact.elimination import Vector
from creased.core.formatting import cut_list, format_number_of, format_point, require_kind
from creased.tropical.algebra.epigraphs import Epigraph, Point, epigraph
from creased.tropical.algebra.polynomials import TropicalPolynomial
from creased.tropical.algebra.rational_maps import TropicalRational
from creased.tropical.polyhedra.faces import canonical_rays

OF_NETWORKS = ": see TropicalRational.from_program"


class ZeroSetHasInteriorError(ValueError):
    """The two sides are equal on an open set, so that the boundary is no hypersurface."""


@dataclass(frozen=True)
class DualSubdivision:
    """The subdivision of a Newton polytope that is dual to a tropical hypersurface."""

    polynomial: TropicalPolynomial  # of essential monomials only; indices below are of these
    n_redundant: int  # monomials that were dropped
    vertices: tuple[Point, ...]  # of the hypersurface
    cells: tuple[tuple[int, ...], ...]  # dual to each vertex: the monomials whose slopes are its corners
    edges: tuple[tuple[int, int], ...]  # dual to each (D - 1)-cell: the two monomials that are equal there
    directions: tuple[Vector, ...]  # in which the complex is unbounded: extreme ones, each once; D >= 2
    lineality_dim: int  # dimensions that the Newton polytope lacks; if not 0 there are no vertices

    def __repr__(self) -> str:
        cells = [
            format_number_of(len(self.cells), "full-dimensional cell"),
            format_number_of(len(self.edges), "edge"),
            format_number_of(self.polynomial.n, "point"),
        ]
        return f"dual subdivision of {self.polynomial}: {', '.join(cells)}"


@dataclass(frozen=True)
class BoundaryFace:
    """A (D - 1)-dimensional part of {F = G}, where one monomial of each attains its maximum."""

    numerator: int  # monomial of F
    denominator: int  # monomial of G
    vertices: tuple[Point, ...]
    directions: tuple[Vector, ...]  # in which it is unbounded; both signs of lines

    def __repr__(self) -> str:
        far = f", unbounded along {cut_list(map(format_point, self.directions))}" if self.directions else ""
        return (
            f"face where monomials {self.numerator} of F and {self.denominator} of G are equal: vertices "
            f"{cut_list(map(format_point, self.vertices)) or 'none'}{far}"
        )


def newton_polytope(polynomial: TropicalPolynomial) -> tuple[Point, ...]:
    """Return the vertices of the convex hull of the slopes.

    Raises:
        TypeError: it is no polynomial.
    """
    require_kind("newton_polytope", polynomial, TropicalPolynomial, OF_NETWORKS)
    zeros = [Fraction(0)] * polynomial.n
    return TropicalPolynomial(polynomial.slopes, zeros).essential().slopes


def dual_subdivision(polynomial: TropicalPolynomial) -> DualSubdivision:
    """Compute the dual subdivision of a tropical polynomial on all of space.

    Raises:
        TypeError: it is no polynomial.
    """
    require_kind("dual_subdivision", polynomial, TropicalPolynomial, OF_NETWORKS)
    essential = polynomial.essential()
    above = epigraph(essential.slopes, essential.coefficients, None)
    lineality_dim = len(above.cone.lines)
    vertices, cells, directions = [], [], []
    for index, (*position, _, t) in enumerate(canonical_rays(above.cone)):
        if t and not lineality_dim:
            vertices.append(tuple(Fraction(x, t) for x in position))
            cells.append(above.attained_at(index))
        elif not t and any(position):  # else it is the vertical direction
            directions.append(tuple(position))
    return DualSubdivision(
        essential,
        polynomial.n - essential.n,
        tuple(vertices),
        tuple(cells),
        tuple(_neighbours(above, essential.dim)),
        tuple(directions),
        lineality_dim,
    )


def decision_boundary(rational: TropicalRational, domain: Box | None = None) -> list[BoundaryFace]:
    """Find the (D - 1)-dimensional parts of {F = G}, each between a monomial of F and one of G.

    F - G changes its sign across those between two essential monomials of max(F, G), the part of its
    hypersurface that separates; at others it touches 0 from one side.

    Args:
        rational: F and G, exact.
        domain: a box, or None for where the map is known.

    Raises:
        TypeError: it is no map.
        ZeroSetHasInteriorError: F and G are equal on an open set; the message names a monomial.
        ValueError: the map is not exact, or is known on another domain.
    """
    require_kind("decision_boundary", rational, TropicalRational, OF_NETWORKS)
    domain = rational.domain if domain is None else domain
    rational.require_exact_on(domain, "decision_boundary")
    first, second = (_numbered(side) for side in (rational.numerator, rational.denominator))
    both = rational.numerator.essential(domain).oplus(rational.denominator.essential(domain))
    monomials = list(zip(both.slopes, both.coefficients, strict=True))
    above = epigraph(both.slopes, both.coefficients, domain)
    essential = set(above.essential())
    for monomial in (monomials[i] for i in sorted(essential)):
        if monomial in first and monomial in second:
            raise ZeroSetHasInteriorError(
                f"decision_boundary: F = G where both have slope {format_point(monomial[0])} and "
                f"constant {monomial[1]}, on an open set: the boundary is no hypersurface"
            )
    faces: dict[frozenset[Vector], BoundaryFace] = {}
    for pair in sorted(_neighbours(above, both.dim), key=lambda pair: not essential.issuperset(pair)):
        ours = [i for i in pair if monomials[i] in first]
        theirs = [i for i in pair if monomials[i] in second]
        if ours and theirs:
            numbers = first[monomials[ours[0]]], second[monomials[theirs[0]]]
            faces.setdefault(frozenset(above.rays_of(pair)), _face(above, pair, numbers))
    return list(faces.values())


def _numbered(polynomial: TropicalPolynomial) -> dict[tuple[Point, Fraction], int]:
    pairs = zip(polynomial.slopes, polynomial.coefficients, strict=True)
    return {monomial: i for i, monomial in enumerate(pairs)}


def _neighbours(above: Epigraph, dim: int) -> list[tuple[int, int]]:
    """List the pairs of monomials that attain the maximum together on a part of dimension D - 1."""
    together = {
        pair for ray in range(len(above.cone.rays)) for pair in combinations(above.attained_at(ray), 2)
    }
    if above.cone.lines:  # the rays are few, and there may be pairs that meet along lines only
        together |= set(combinations(range(above.n_monomials), 2))
    return [pair for pair in sorted(together) if above.dim_of(pair) == dim - 1]


def _face(above: Epigraph, pair: tuple[int, int], numbers: tuple[int, int]) -> BoundaryFace:
    vertices, directions = [], []
    for *position, _, t in above.rays_of(pair):
        if t:
            vertices.append(tuple(Fraction(x, t) for x in position))
        else:
            directions.append(tuple(position))
    for *position, _, _ in above.cone.lines:
        directions += [tuple(position), tuple(-x for x in position)]
    return BoundaryFace(*numbers, tuple(vertices), tuple(directions))
