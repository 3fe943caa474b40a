"""The epigraph of a maximum of affine functions, as a polyhedron in integers.

Of monomials a_i x + c_i it is {(x, y): y >= a_i x + c_i for all i, x in the domain}. Its facets are the
essential monomials, its vertices those of the tropical hypersurface, each with the monomials that attain the
maximum there (the cells of the dual subdivision). Coordinates are (x, y, t), t the homogenizing one.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from creased.core.domains.box import Box
from creased.core.exact.elimination import Vector, integer_row, rank
from creased.tropical.cells.cells import walls_of
from creased.tropical.polyhedra.cones import Cone, intersection, whole_space

Point = tuple[Fraction, ...]


def inner(row: Sequence[Fraction | int], vector: Sequence[Fraction]) -> Fraction:
    """Return the inner product, skipping zeros."""
    return sum((a * b for a, b in zip(row, vector, strict=True) if a and b), Fraction(0))


class Epigraph(NamedTuple):
    """The epigraph of a maximum of monomials over a domain."""

    cone: Cone  # inequality first_monomial + i is tight where monomial i attains the maximum
    first_monomial: int
    n_monomials: int

    def attained_at(self, ray: int) -> tuple[int, ...]:
        """List the monomials that attain the maximum at a ray of the cone."""
        bits = self.cone.tight[ray] >> self.first_monomial
        return tuple(i for i in range(self.n_monomials) if bits >> i & 1)

    def rays_of(self, monomials: Sequence[int]) -> list[Vector]:
        """List the rays at which all of the given monomials attain the maximum."""
        wanted = sum(1 << (self.first_monomial + i) for i in monomials)
        pairs = zip(self.cone.rays, self.cone.tight, strict=True)
        return [ray for ray, tight in pairs if tight & wanted == wanted]

    def dim_of(self, monomials: Sequence[int]) -> int:
        """Dimension of the domain's part where all of the given monomials attain the maximum; -1 if empty."""
        rays = self.rays_of(monomials)
        if not any(ray[-1] for ray in rays):
            return -1
        return rank([*rays, *self.cone.lines]) - 1

    def essential(self) -> list[int]:
        """List the monomials that alone attain the maximum on an open set."""
        dim = self.cone.dim - 2
        return [i for i in range(self.n_monomials) if self.dim_of([i]) == dim]


def epigraph(slopes: Sequence[Point], coefficients: Sequence[Fraction], domain: Box | None) -> Epigraph:
    """Build the epigraph of monomials with slopes (m, D) and coefficients (m,) on a box, or everywhere."""
    dim = len(slopes[0])
    walls = [(*wall[:-1], 0, wall[-1]) for wall in walls_of(domain)]
    pairs = zip(slopes, coefficients, strict=True)
    rows = [*walls, *(integer_row((*(-x for x in slope), 1, -c)) for slope, c in pairs)]
    cone = intersection(whole_space(dim + 1), [(row, i + 1) for i, row in enumerate(rows)])
    assert cone is not None  # an epigraph is full-dimensional
    return Epigraph(cone, len(walls) + 1, len(slopes))
