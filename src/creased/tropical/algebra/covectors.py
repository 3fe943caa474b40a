"""Sign vectors of all cells of a network, and of all parameters of a classifier on a data set.

A cell of any dimension has the signs of all neurons; `creased.tropical.algebra.oriented_matroids` checks
whether they are the covectors of an oriented matroid. The parameters of a maximum of k affine terms are
divided into cones by which terms are largest at each point (Brandenburg, Loho, Montufar 2024); the faces of
these cones, dual to those of the activation polytope, are the patterns with ties.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import permutations

from creased.core.domains.domain import Domain
from creased.core.exact.elimination import Vector, dot
from creased.core.numerics.surroundings import as_written
from creased.core.program.program import Program
from creased.networks.as_program import of_networks
from creased.tropical.algebra.fans import (
    MOST_PATTERNS,
    PatternBudgetError,
    Points,
    forms_at,
    ordered_patterns,
    rows_of,
)
from creased.tropical.algebra.oriented_matroids import Covector
from creased.tropical.cells.cells import MOST_CELLS, cells, domain_within, walls_of
from creased.tropical.cells.exact_network import ExactNetwork
from creased.tropical.polyhedra.cones import Cone
from creased.tropical.polyhedra.faces import closed_sets

TiedPattern = tuple[frozenset[int], ...]  # the largest terms at each point


@of_networks
@as_written
def covectors(program: Program, domain: Domain | None = None, *, most: int = MOST_CELLS) -> set[Covector]:
    """Enumerate the signs of all neurons on the cells of every dimension, in integers.

    Args:
        program: with finite weights; its outputs do not cut.
        domain: cells count that meet its interior; None is all of space, or the cube of a grid.
        most: full-dimensional cells that are allowed.

    Raises:
        CellLimitError: there are more full-dimensional cells.
        ValueError: a weight is not finite, or the dimensions differ.
    """
    exact, walls = ExactNetwork(program), walls_of(domain_within(program, domain))
    n_neurons = sum(program.widths)
    inside: set[Vector] = set()
    for cell in cells(program, domain, most):
        found = map(tuple, inner_vectors(cell.cone))
        inside |= {v for v in found if v[-1] and all(dot(wall, v) > 0 for wall in walls)}
    places = (tuple(Fraction(x, v[-1]) for x in v[:-1]) for v in inside)
    return {_signs_of(exact.rows_at(place)[:n_neurons]) for place in places}


@as_written
def tied_patterns(points: Points, n_terms: int, *, most: int = MOST_PATTERNS) -> set[TiedPattern]:
    """Enumerate the activation patterns of k terms on points (M, D), ties included.

    They are the faces of the activation polytope; as bipartite graphs each point is joined to all terms that
    are largest there. Generic patterns, those of `activation_patterns`, have one term a point.

    Raises:
        ValueError: as `activation_patterns`.
        PatternBudgetError: there are more patterns than allowed.
    """
    rows = rows_of(points)
    forms = [forms_at(row, n_terms) for row in rows]
    renamings = list(permutations(range(n_terms)))
    patterns: set[TiedPattern] = set()
    for _, cone in ordered_patterns(rows, n_terms):
        for vector in inner_vectors(cone):
            tops = tops_of(vector, forms)
            patterns |= {tuple(frozenset(names[t] for t in top) for top in tops) for names in renamings}
        if len(patterns) > most:
            raise PatternBudgetError(
                f"tied_patterns: {len(rows)} points and {n_terms} terms have more than {most:,} patterns; "
                "take fewer, or raise `most`"
            )
    return patterns


def classification_covectors(
    points: Points, n_positive: int, n_negative: int, *, most: int = MOST_PATTERNS
) -> set[Covector]:
    """Return the signs of F - G at points (M, D), maxima of as many terms, over all parameters.

    Raises:
        ValueError: one side has no term, or as `tied_patterns`.
        PatternBudgetError: as `tied_patterns`.
    """
    if n_positive < 1 or n_negative < 1:
        raise ValueError(
            f"classification_covectors: needs a term on each side, got {n_positive} and {n_negative}"
        )
    patterns = tied_patterns(points, n_positive + n_negative, most=most)
    return {tuple(_side(top, n_positive) for top in pattern) for pattern in patterns}


def _signs_of(values: Iterable[Fraction]) -> Covector:
    """Return the signs of numbers."""
    return tuple((x > 0) - (x < 0) for x in values)


def inner_vectors(cone: Cone) -> Iterator[Vector]:
    """Yield a vector in the relative interior of each face of a cone, its lines among them."""
    for mask in closed_sets(cone) | {0}:
        rays = [ray for i, ray in enumerate(cone.rays) if mask >> i & 1]
        yield tuple(map(sum, zip(*rays, strict=True))) if rays else (0,) * _dim(cone)


def _dim(cone: Cone) -> int:
    return cone.dim if cone.lines or cone.rays else 0


def tops_of(parameters: Vector, forms: list[list[Vector]]) -> TiedPattern:
    """Return the largest terms at each point, given as linear forms of the parameters."""
    values = ([dot(form, parameters) for form in terms] for terms in forms)
    return tuple(frozenset(t for t, value in enumerate(row) if value == max(row)) for row in values)


def _side(top: frozenset[int], n_positive: int) -> int:
    return any(t < n_positive for t in top) - any(t >= n_positive for t in top)
