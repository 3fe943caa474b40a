"""Properties of activation patterns: all parameters have them, types of tropical hyperplanes others."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creased.tropical import PatternAxioms, check_pattern_axioms, tied_network_patterns, tied_patterns
from creased.tropical.algebra.covectors import TiedPattern
from tests.slow import slow

LINE = [(0,), (1,), (3,)]
SQUARE = [(0, 0), (1, 0), (0, 1), (1, 1)]
Tops = st.sets(st.integers(0, 1), min_size=1).map(frozenset)


def _pattern(*tops: str) -> TiedPattern:
    return tuple(frozenset(map(int, top)) for top in tops)


def _own(axioms: PatternAxioms) -> list[int]:
    """Failures of what does not depend on the points."""
    pairs = (axioms.composition, axioms.elimination, axioms.tropical_elimination)
    constants = (axioms.boundary, axioms.relabelling, axioms.surrounding)
    return [axiom.n_failed for axiom in (*constants, *pairs, axioms.tropical_comparability)]


@pytest.mark.parametrize(("points", "n_terms"), [(LINE, 2), (LINE, 3), (SQUARE, 2), slow(LINE[:2], 4)])
def test_patterns_of_all_parameters_have_their_properties(points: list, n_terms: int) -> None:
    axioms = check_pattern_axioms(tied_patterns(points, n_terms), n_terms, points)
    assert axioms.hold
    assert not axioms.is_tropical_oriented_matroid


@settings(max_examples=8)
@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=1, max_size=4, unique=True))
def test_points_in_any_position_have_them(points: list[tuple[int, int]]) -> None:
    assert check_pattern_axioms(tied_patterns(points, 2), 2, points).hold


def test_types_of_tropical_hyperplanes_are_a_tropical_oriented_matroid() -> None:
    apexes, halves = [(0, 1, 3), (2, 0, 0), (1, 3, 0)], [x / 2 for x in range(-12, 13)]
    types = set()
    for place in product(halves, halves, [0.0]):
        values = [[x - a for x, a in zip(place, apex, strict=True)] for apex in apexes]
        types.add(tuple(frozenset(t for t in range(3) if row[t] == max(row)) for row in values))
    axioms = check_pattern_axioms(types, 3, LINE)
    assert axioms.is_tropical_oriented_matroid
    assert not axioms.hold  # terms cannot be exchanged, for one


def test_terms_with_slopes_of_their_own_may_change_places() -> None:
    patterns = tied_patterns(LINE, 3)
    assert {_pattern("0", "1", "1"), _pattern("1", "0", "0")} <= patterns  # a cycle of 0 and 1
    axioms = check_pattern_axioms(patterns, 3, LINE)
    assert axioms.tropical_comparability.n_failed > 0
    assert axioms.tropical_elimination.n_failed > 0


def test_a_term_that_wins_on_both_sides_only_is_not_comparable() -> None:
    patterns = {_pattern("0", "1", "0"), _pattern("01", "01", "01")}
    assert check_pattern_axioms(patterns, 2, LINE).comparability.n_failed > 0
    assert (
        check_pattern_axioms({_pattern("0", "1", "1"), *patterns}, 2, SQUARE[:3]).comparability.n_failed == 0
    )


@pytest.mark.slow
def test_networks_keep_what_lies_on_segments_and_lose_what_moves_constants() -> None:
    axioms = check_pattern_axioms(tied_network_patterns(LINE[:2], 2, 0), 5, LINE[:2])
    assert axioms.boundary.n_failed == axioms.comparability.n_failed == 0
    assert axioms.composition.n_failed == axioms.elimination.n_failed == 0
    assert axioms.relabelling.n_failed > 0
    assert axioms.surrounding.n_failed > 0  # constants of the four sets of two neurons are not independent


def _by_definition(patterns: set[TiedPattern]) -> list[int]:
    """Count failures for two terms and two points by the definitions."""

    def refined(a: TiedPattern, parts: tuple[set[int], ...]) -> TiedPattern:
        return tuple(frozenset(next(top & part for part in parts if top & part)) for top in a)

    def composes(a: TiedPattern, b: TiedPattern, c: TiedPattern) -> bool:
        return all(z == x & y if x & y else z <= x for x, y, z in zip(a, b, c, strict=True))

    def eliminates(a: TiedPattern, b: TiedPattern, c: TiedPattern, p: int) -> bool:
        same = all(z == x & y for x, y, z in zip(a, b, c, strict=True) if x & y)
        return same and bool(c[p] & a[p]) and bool(c[p] - a[p])

    def joins(a: TiedPattern, b: TiedPattern, c: TiedPattern, p: int) -> bool:
        return c[p] == a[p] | b[p] and all(z in (x, y, x | y) for x, y, z in zip(a, b, c, strict=True))

    def has_cycle(a: TiedPattern, b: TiedPattern) -> bool:
        edges = {(m, n, {m, n} <= x & y) for x, y in zip(a, b, strict=True) for m in x for n in y}
        there, back = ({tied for m, n, tied in edges if (m, n) == way} for way in ((0, 1), (1, 0)))
        return bool(there and back) and not (there == back == {True})

    pairs = list(product(patterns, repeat=2))
    parts: list[tuple[set[int], ...]] = [({0, 1},), ({0}, {1}), ({1}, {0})]
    flipped = [tuple(frozenset(1 - t for t in top) for top in a) for a in patterns]
    apart = [[(a, b, p) for p in (0, 1) if not a[p] & b[p]] for a, b in pairs]
    return [
        sum((frozenset({t}),) * 2 not in patterns for t in (0, 1)),
        sum(a not in patterns for a in flipped),
        sum(refined(a, part) not in patterns for a in patterns for part in parts),
        sum(not any(composes(a, b, c) for c in patterns) for a, b in pairs),
        sum(
            not all(any(eliminates(*case[:2], c, case[2]) for c in patterns) for case in cases)
            for cases in apart
        ),
        sum(not all(any(joins(a, b, c, p) for c in patterns) for p in (0, 1)) for a, b in pairs),
        sum(has_cycle(a, b) for a, b in pairs),
    ]


@settings(max_examples=60)
@given(st.sets(st.tuples(Tops, Tops), min_size=1, max_size=9))
def test_counts_are_those_of_the_definitions(patterns: set[TiedPattern]) -> None:
    assert _own(check_pattern_axioms(patterns, 2, LINE[:2])) == _by_definition(patterns)


def test_the_report_names_a_counterexample() -> None:
    shown = str(check_pattern_axioms({_pattern("01", "1")}, 2, LINE[:2]))
    assert "relabelling             fails 1 times of 2, at 01|1, 1|0" in shown


def test_what_is_no_pattern_is_refused() -> None:
    for patterns in (set(), {_pattern("0", "1")}):
        with pytest.raises(ValueError, match="needs patterns of 3 points"):
            check_pattern_axioms(patterns, 2, LINE)
    for top in ("2", ""):
        with pytest.raises(ValueError, match="sets of terms 0 to 1 that are not empty"):
            check_pattern_axioms({_pattern("0", "1", top)}, 2, LINE)
