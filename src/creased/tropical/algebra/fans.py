"""Activation polytopes and classification fans of small data sets (Brandenburg, Loho, Montufar 2024).

The activation pattern of a maximum of k affine terms theta_l (x, 1) on M points says which term is largest at
each point. Generic patterns are the vertices of the activation polytope sum_p conv_l e_l (p, 1),
and the full-dimensional cones of its normal fan, in the space of parameters theta. With n terms for F and
m = k - n for G the sign of F - G at a point is + where the largest term is among the first n: the patterns
with one labeling are the cones of the classification fan's class.

Patterns are found point by point; a cone of parameters is kept if it is full-dimensional, in integers. Terms
that win nowhere can always be lowered, and terms can be renamed, so only patterns are enumerated whose terms
appear in order, and the others follow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, permutations
from math import comb, perm
from operator import sub
from typing import Any

from torch import Tensor

from creased.core.exact.elimination import Vector, integer_row
from creased.core.formatting import Number, cut_list, format_number_of, format_signs
from creased.core.numerics.surroundings import as_written
from creased.extras import how_to_install
from creased.tropical.algebra.epigraphs import Point
from creased.tropical.algebra.polynomials import listed
from creased.tropical.polyhedra.cones import Cone, all_directions, intersection

Pattern = tuple[int, ...]  # the largest term at each point
Labeling = tuple[int, ...]  # +1 or -1 at each point
Points = Sequence[Sequence[Number]] | Tensor  # (M, D)

MOST_PATTERNS = 10_000


class PatternBudgetError(ValueError):
    """More activation patterns than allowed."""


@dataclass(frozen=True, eq=False)  # equal to a dictionary of the same entries
class ClassificationFan(Mapping[Labeling, list[Pattern]]):
    """Patterns, hence full-dimensional cones of parameters, by the labeling of points that they realize."""

    cones: dict[Labeling, list[Pattern]]
    points: tuple[Point, ...]  # (M, D)
    n_positive: int  # terms of F
    n_negative: int  # terms of G

    def __getitem__(self, labeling: Labeling) -> list[Pattern]:
        """Return the patterns that realize a labeling."""
        return self.cones[labeling]

    def __iter__(self) -> Iterator[Labeling]:
        """Iterate over the labelings."""
        return iter(self.cones)

    def __len__(self) -> int:
        """Number of labelings."""
        return len(self.cones)

    def __repr__(self) -> str:
        n_cones = format_number_of(sum(map(len, self.cones.values())), "cone")
        labelings = cut_list(f"{format_signs(signs)} {len(cones):,}" for signs, cones in self.items())
        return (
            f"classification fan of {format_number_of(len(self.points), 'point')}, {self.n_positive} + "
            f"{self.n_negative} terms: {n_cones}, {format_number_of(len(self), 'labeling')}: {labelings}"
        )


@as_written
def activation_patterns(points: Points, n_terms: int, *, most: int = MOST_PATTERNS) -> list[Pattern]:
    """Enumerate the generic activation patterns of k terms on points (M, D), in ascending order.

    Raises:
        ValueError: a point is given twice, there is none, or no term.
        PatternBudgetError: there are more patterns than allowed.
    """
    patterns: list[Pattern] = []
    for ordered, _ in ordered_patterns(rows_of(points), n_terms):
        n_used = max(ordered) + 1
        if len(patterns) + perm(n_terms, n_used) > most:
            raise PatternBudgetError(
                f"activation_patterns: {len(points)} points and {n_terms} terms have more than {most:,} "
                "patterns; take fewer, or raise `most`"
            )
        renamings = permutations(range(n_terms), n_used)
        patterns += [tuple(names[term] for term in ordered) for names in renamings]
    return sorted(patterns)


def activation_polytope(points: Points, n_terms: int, *, most: int = MOST_PATTERNS) -> dict[Pattern, Point]:
    """Return the vertices (k (D + 1),) of the activation polytope, by their patterns."""
    exact = [(*map(Fraction, point), Fraction(1)) for point in listed(points)]
    vertices = {}
    for pattern in activation_patterns(points, n_terms, most=most):
        size = len(exact[0])
        vertex = [Fraction(0)] * (n_terms * size)
        for point, term in zip(exact, pattern, strict=True):
            for axis, x in enumerate(point):
                vertex[term * size + axis] += x
        vertices[pattern] = tuple(vertex)
    return vertices


def classification_fan(
    points: Points, n_positive: int, n_negative: int, *, most: int = MOST_PATTERNS
) -> ClassificationFan:
    """Group the patterns, hence cones, by the labeling of points that F - G realizes."""
    if n_positive < 1 or n_negative < 1:
        raise ValueError(f"classification_fan: needs a term on each side, got {n_positive} and {n_negative}")
    fan = defaultdict(list)
    for pattern in activation_patterns(points, n_positive + n_negative, most=most):
        fan[tuple(1 if term < n_positive else -1 for term in pattern)].append(pattern)
    exact = tuple(tuple(map(Fraction, point)) for point in listed(points))
    return ClassificationFan(dict(fan), exact, n_positive, n_negative)


def realizable_labelings(
    points: Points, n_positive: int, n_negative: int, *, most: int = MOST_PATTERNS
) -> set[Labeling]:
    """Return the labelings of points by the sign of F - G."""
    return set(classification_fan(points, n_positive, n_negative, most=most))


def pattern_graph(pattern: Pattern, n_terms: int) -> Any:
    """Convert a pattern to a bipartite networkx.Graph of points ("point", p) and their terms ("term", l).

    Raises:
        ImportError: networkx is not installed.
        ValueError: the pattern names a term that is none of the k.
    """
    if not all(0 <= term < n_terms for term in pattern):
        raise ValueError(f"pattern_graph: terms are 0 to {n_terms - 1}, got the pattern {pattern}")
    try:
        import networkx
    except ImportError as error:
        raise ImportError(f"pattern_graph needs networkx: {how_to_install('shapes')}") from error
    graph = networkx.Graph()
    graph.add_nodes_from((("point", p) for p in range(len(pattern))), bipartite=0)
    graph.add_nodes_from((("term", term) for term in range(n_terms)), bipartite=1)
    graph.add_edges_from((("point", p), ("term", term)) for p, term in enumerate(pattern))
    return graph


def cover_count(n_points: int, dim: int) -> int:
    """Count the patterns of two terms on points in general position: 2 sum C(M - 1, i), i <= D (Cover 1965).

    Points on a common hyperplane, if they are more than D, have fewer: see `activation_patterns`.
    """
    _require_positive("cover_count", n_points, dim)
    return 2 * sum(comb(n_points - 1, i) for i in range(dim + 1))


def line_count(n_points: int, n_terms: int) -> int:
    """Count the patterns of k terms on points of a line: sum over r of C(M - 1, r - 1) k! / (k - r)!."""
    _require_positive("line_count", n_points, n_terms)
    return sum(comb(n_points - 1, r - 1) * perm(n_terms, r) for r in range(1, n_terms + 1))


def _require_positive(caller: str, n_points: int, other: int) -> None:
    if min(n_points, other) < 1:
        raise ValueError(f"{caller}: needs positive numbers, got {n_points} and {other}")


def ordered_patterns(rows: list[Vector], n_terms: int) -> Iterator[tuple[Pattern, Cone]]:
    """Enumerate the patterns whose terms appear in ascending order, with their cones of parameters.

    The last term's parameters are 0, and left out.
    """
    if n_terms < 1:
        raise ValueError(f"activation_patterns: needs one term or more, got {n_terms}")
    if n_terms == 1:
        return iter([((0,) * len(rows), all_directions(0))])
    forms = [forms_at(row, n_terms) for row in rows]
    return patterns_of(forms, lambda pattern: range(min(max(pattern, default=-1) + 2, n_terms)))


def patterns_of(
    forms: list[list[Vector]], allowed: Callable[[Pattern], Iterable[int]]
) -> Iterator[tuple[Pattern, Cone]]:
    """Enumerate the patterns of terms that are linear in the parameters, with their cones.

    Args:
        forms: for each point the terms' values, as linear forms of the parameters.
        allowed: terms that may be the largest at the next point, by the pattern so far.
    """
    stack: list[tuple[Pattern, Cone]] = [((), all_directions(len(forms[0][0])))]
    while stack:
        pattern, cone = stack.pop()
        if len(pattern) == len(forms):
            yield pattern, cone
            continue
        for term in allowed(pattern):
            smaller = _where_largest(cone, forms[len(pattern)], term)
            if smaller is not None:
                stack.append(((*pattern, term), smaller))


def _where_largest(cone: Cone, forms: list[Vector], term: int) -> Cone | None:
    """Cut a cone of parameters down to those for which a term is the largest at a point."""
    first = cone.rows.bit_length()
    rows = [tuple(map(sub, forms[term], form)) for form in (*forms[:term], *forms[term + 1 :])]
    return intersection(cone, [(row, first + i) for i, row in enumerate(rows)])


def forms_at(row: Vector, n_terms: int) -> list[Vector]:
    """Return the values of terms at a point (x, 1) as linear forms of the parameters; the last is 0."""
    zero = (0,) * len(row)
    return [
        tuple(chain.from_iterable(row if t == term else zero for t in range(n_terms - 1)))
        for term in range(n_terms)
    ]


def rows_of(points: Points) -> list[Vector]:
    """Convert points to integer vectors (D + 1,) in homogeneous coordinates.

    Raises:
        TypeError: they are no lists of numbers.
        ValueError: there are none, one is given twice, or is of another dimension.
    """
    try:
        exact = [tuple(map(Fraction, listed(point))) for point in listed(points)]
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"activation_patterns: needs finite points (M, D), got {points!r:.60}") from None
    if not exact or len({len(point) for point in exact}) != 1:
        raise ValueError("activation_patterns: needs points of one dimension, and at least one")
    if len(set(exact)) < len(exact):
        raise ValueError(f"activation_patterns: {len(exact) - len(set(exact))} points are given twice")
    return [integer_row((*point, 1)) for point in exact]
