"""Activation patterns: the table, closed forms, sampled parameters, and which labelings there are."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from creased.tropical import (
    PatternBudgetError,
    TropicalPolynomial,
    activation_patterns,
    activation_polytope,
    classification_fan,
    cover_count,
    line_count,
    newton_polytope,
    pattern_graph,
    realizable_labelings,
)

SQUARE = [(0, 0), (1, 0), (0, 1), (1, 1)]
GENERIC = [(0, 0), (5, 1), (2, 7), (6, 5), (1, 3)]


@pytest.mark.parametrize(
    ("points", "n_terms", "expected"),
    [
        (GENERIC[:4], 2, 14),
        (GENERIC, 2, 22),
        ([(0, 0), (1, 1), (2, 2)], 2, 6),
        ([(0,), (1,), (2,)], 3, 21),
        ([(0,), (1,), (2,), (4,)], 3, 39),
        ([(0,), (1,), (2,), (4,)], 4, 136),
        (SQUARE, 2, 14),
        (SQUARE, 3, 75),
        (SQUARE, 4, 244),
    ],
)
def test_points_have_the_patterns_of_the_table(points: list, n_terms: int, expected: int) -> None:
    patterns = activation_patterns(points, n_terms)
    assert len(patterns) == len(set(patterns)) == expected


@pytest.mark.parametrize(("n", "dim"), [(4, 2), (5, 2), (5, 3), (3, 1)])
def test_two_terms_on_generic_points_are_as_cover_counts(n: int, dim: int) -> None:
    points = torch.randn((n, dim), generator=torch.Generator().manual_seed(n), dtype=torch.float64)
    assert len(activation_patterns(points, 2)) == cover_count(n, dim)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (3, 2), (4, 3), (5, 4)])
def test_points_on_a_line_are_as_the_closed_form_says(n: int, k: int) -> None:
    assert len(activation_patterns([(i * i,) for i in range(n)], k)) == line_count(n, k)


def test_points_in_special_position_have_fewer_patterns_than_the_formula() -> None:
    line_in_the_plane = [(0, 0), (1, 1), (2, 2)]
    assert len(activation_patterns(line_in_the_plane, 2)) == 6 < cover_count(3, 2)
    assert len(activation_patterns(line_in_the_plane, 2)) == line_count(3, 2)


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=4, unique=True))
def test_vertices_are_those_of_the_hull_of_all_sums(points: list[tuple[int, int]]) -> None:
    vertices = activation_polytope(points, 2)
    sums = []
    for pattern in product(range(2), repeat=len(points)):
        total = [0] * 6
        for point, term in zip(points, pattern, strict=True):
            for axis, x in enumerate((*point, 1)):
                total[3 * term + axis] += x
        sums.append(total)
    hull = newton_polytope(TropicalPolynomial(sums, [0] * len(sums)))
    assert sorted(vertices.values()) == list(hull)


def test_sampled_parameters_have_listed_patterns_and_all_are_met() -> None:
    points = torch.tensor(SQUARE, dtype=torch.float64)
    theta = torch.randn((20000, 3, 3), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values = theta[:, :, :2] @ points.T + theta[:, :, 2:]
    met = {tuple(row) for row in values.argmax(1).tolist()}
    assert met == set(activation_patterns(SQUARE, 3))


def test_parity_needs_three_terms() -> None:
    assert (1, -1, -1, 1) not in realizable_labelings(SQUARE, 1, 1)
    assert len(realizable_labelings(SQUARE, 1, 1)) == 14
    assert len(realizable_labelings(SQUARE, 2, 1) | realizable_labelings(SQUARE, 1, 2)) == 16


def test_fan_sorts_the_patterns_by_labeling() -> None:
    fan = classification_fan(SQUARE, 2, 1)
    assert sum(map(len, fan.values())) == 75
    assert fan[(1, 1, 1, 1)].count((0, 0, 0, 0)) == 1
    assert all(max(pattern) < 2 for pattern in fan[(1, 1, 1, 1)])


def test_graph_joins_each_point_to_its_term() -> None:
    pytest.importorskip("networkx")
    graph = pattern_graph((0, 2, 0), 3)
    assert sorted(graph.edges) == [
        (("point", 0), ("term", 0)),
        (("point", 1), ("term", 2)),
        (("point", 2), ("term", 0)),
    ]
    assert graph.degree[("term", 1)] == 0


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="1 points are given twice"):
        activation_patterns([(0, 0), (1, 0), (0, 0)], 2)
    with pytest.raises(ValueError, match="one term or more"):
        activation_patterns(SQUARE, 0)
    with pytest.raises(ValueError, match="at least one"):
        activation_patterns([], 2)
    with pytest.raises(ValueError, match="a term on each side"):
        classification_fan(SQUARE, 2, 0)
    with pytest.raises(ValueError, match=r"terms are 0 to 1, got the pattern \(0, 2\)"):
        pattern_graph((0, 2), 2)
    for formula in (cover_count, line_count):
        with pytest.raises(ValueError, match="needs positive numbers, got 0 and 2"):
            formula(0, 2)
    with pytest.raises(PatternBudgetError, match="4 points and 4 terms have more than 100 patterns"):
        activation_patterns(SQUARE, 4, most=100)
