"""The classification fan restricted to networks with one hidden layer.

A network c + sum_i a_i relu(w_i x + b_i) with no a_i = 0 is c + sum_i s_i relu(w_i x + b_i), s_i its output
signs, after |a_i| is taken into w_i and b_i. So it is F - G with

    F = c + max over S of sum_{i in S} (w_i x + b_i), S the sets of neurons with s_i = +,

and G likewise, without c, over the sets of those with s_i = -. All these terms are linear in the parameters
theta = (w_1, b_1, ..., w_n, b_n, c): networks with p positive and m negative output signs are a linear
subspace of the tropical rational functions with 2^p and 2^m terms. On it the activation patterns of a data
set are cones again, enumerated in integers as those of all parameters are (`fans`). A labeling that is met
with some a_i = 0 is met nearby without: none is lost. Sublevel sets of the 0/1 loss are unions of such cones.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from itertools import chain

from creased.core.exact.elimination import Vector
from creased.core.numerics.surroundings import as_written
from creased.tropical.algebra.covectors import TiedPattern, inner_vectors, tops_of
from creased.tropical.algebra.fans import (
    MOST_PATTERNS,
    ClassificationFan,
    Labeling,
    Pattern,
    PatternBudgetError,
    Points,
    forms_at,
    patterns_of,
    rows_of,
)
from creased.tropical.algebra.polynomials import listed
from creased.tropical.polyhedra.cones import Cone
from creased.tropical.polyhedra.faces import connected_parts


@as_written
def network_fan(
    points: Points, n_positive: int, n_negative: int, *, most: int = MOST_PATTERNS
) -> ClassificationFan:
    """Group the activation patterns of networks with one hidden layer by the labeling that they realize.

    Terms 0 to 2^p - 1 of a pattern are the sets of the p neurons with positive output signs, as bits; the 2^m
    that follow are those of the m others.

    Args:
        points: (M, D), no two the same.
        n_positive: p, the neurons with positive output signs.
        n_negative: m, those with negative ones.
        most: patterns that are allowed.

    Raises:
        ValueError: a number is negative, there is no neuron, or as `activation_patterns`.
        PatternBudgetError: there are more patterns than allowed.
    """
    forms = _forms(points, n_positive, n_negative)
    fan: defaultdict[Labeling, list[Pattern]] = defaultdict(list)
    for number, (pattern, _) in enumerate(patterns_of(forms, lambda _: range(len(forms[0])))):
        if number == most:
            raise PatternBudgetError(
                f"network_fan: {len(forms)} points and {n_positive} + {n_negative} neurons have more than "
                f"{most:,} patterns; take fewer, or raise `most`"
            )
        fan[tuple(1 if term < 2**n_positive else -1 for term in pattern)].append(pattern)
    exact = tuple(tuple(map(Fraction, point)) for point in listed(points))
    return ClassificationFan(dict(fan), exact, 2**n_positive, 2**n_negative)


def network_labelings(points: Points, n_neurons: int, *, most: int = MOST_PATTERNS) -> set[Labeling]:
    """Return the labelings of points (M, D) by networks with one hidden layer of n neurons.

    The negative of a network has the opposite output signs, so that half of these suffice.

    Raises:
        ValueError: as `network_fan`.
        PatternBudgetError: as `network_fan`, for some output signs.
    """
    numbers = range((n_neurons + 1) // 2, n_neurons + 1)
    found = {labeling for p in numbers for labeling in network_fan(points, p, n_neurons - p, most=most)}
    return found | {tuple(-sign for sign in labeling) for labeling in found}


@as_written
def tied_network_patterns(points: Points, n_positive: int, n_negative: int) -> set[TiedPattern]:
    """Enumerate the activation patterns of the networks of `network_fan`, ties included."""
    forms = _forms(points, n_positive, n_negative)
    cones = (cone for _, cone in patterns_of(forms, lambda _: range(len(forms[0]))))
    return {tops_of(vector, forms) for cone in cones for vector in inner_vectors(cone)}


@as_written
def sublevel_parts(points: Points, n_positive: int, n_negative: int, labels: Labeling) -> list[int]:
    """Count the parts of the parameters of F - G with at most e wrong labels, for e = 0, ..., M.

    Cones are joined where they share a facet.

    Args:
        points: (M, D), no two the same.
        n_positive: terms of F.
        n_negative: terms of G.
        labels: +1 or -1 at each point.

    Raises:
        ValueError: one side has no term, there is not one label a point, or as `activation_patterns`.
    """
    if min(n_positive, n_negative) < 1:
        raise ValueError(f"sublevel_parts: needs a term on each side, got {n_positive} and {n_negative}")
    forms = [forms_at(row, n_positive + n_negative) for row in rows_of(points)]
    return _count_parts(forms, n_positive, labels)


@as_written
def network_sublevel_parts(points: Points, n_positive: int, n_negative: int, labels: Labeling) -> list[int]:
    """Count the same for the networks of `network_fan`, of p and m neurons."""
    return _count_parts(_forms(points, n_positive, n_negative), 2**n_positive, labels)


def _count_parts(forms: list[list[Vector]], n_positive: int, labels: Labeling) -> list[int]:
    if len(labels) != len(forms):
        raise ValueError(f"sublevel_parts: needs a label for each of {len(forms)} points, got {len(labels)}")
    found = list(patterns_of(forms, lambda _: range(len(forms[0]))))
    losses = [
        sum((term < n_positive) != (label > 0) for term, label in zip(pattern, labels, strict=True))
        for pattern, _ in found
    ]
    cones = [_with_apex(cone) for _, cone in found]
    return [
        connected_parts([cone for cone, loss in zip(cones, losses, strict=True) if loss <= most])
        for most in range(len(labels) + 1)
    ]


def _with_apex(cone: Cone) -> Cone:
    """Homogenize a cone of parameters: its apex, where all inequalities are tight, is a point."""
    lines, rays = (tuple((*vector, 0) for vector in vectors) for vectors in (cone.lines, cone.rays))
    apex = (*(0,) * (len((*lines, *rays)[0]) - 1), 1)
    return Cone(lines, (*rays, apex), (*cone.tight, cone.rows), cone.rows)


def _forms(points: Points, n_positive: int, n_negative: int) -> list[list[Vector]]:
    """Return the values of all terms at each point as linear forms of (w_1, b_1, ..., c)."""
    if min(n_positive, n_negative) < 0 or not n_positive + n_negative:
        raise ValueError(f"network_fan: needs a neuron, got {n_positive} and {n_negative}")
    width = n_positive + n_negative

    def term(row: Vector, chosen: set[int], constant: int) -> Vector:
        zero = (0,) * len(row)
        return (*chain.from_iterable(row if i in chosen else zero for i in range(width)), constant)

    return [
        [term(row, chosen, row[-1]) for chosen in _subsets(0, n_positive)]
        + [term(row, chosen, 0) for chosen in _subsets(n_positive, width)]
        for row in rows_of(points)
    ]


def _subsets(first: int, last: int) -> list[set[int]]:
    """Return the sets of neurons first to last - 1, in the order of their bits."""
    size = last - first
    return [{first + i for i in range(size) if bits >> i & 1} for bits in range(2**size)]
