"""Sign vectors against f-vectors, sampled points and parameters, and dual arrangements."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from creased import Box, CellLimitError, Program
from creased.tropical import (
    PatternBudgetError,
    activation_patterns,
    classification_covectors,
    covectors,
    f_vector,
    realizable_labelings,
    tied_patterns,
)
from tests.tropical.nets import arrangement, differences, integer_program, named

SQUARE = [(0, 0), (1, 0), (0, 1), (1, 1)]


@pytest.mark.parametrize(
    "program",
    [
        named("E231"),
        arrangement([[1, 0, 0], [0, 1, 0], [1, -1, 0]]),
        arrangement(differences(4, [0.0])),
        arrangement(differences(3, [0.0, 1.0])),
    ],
    ids=("E231", "concurrent", "braid", "Shi"),
)
def test_an_arrangement_has_a_covector_a_cell(program: Program) -> None:
    assert len(covectors(program)) == sum(f_vector(program))


def test_sampled_points_have_listed_signs() -> None:
    program = integer_program([2, 3, 3, 1], 3, seed=2)
    found, neurons = covectors(program), torch.cartesian_prod(*[torch.arange(-4, 4.25, 0.25).double()] * 2)
    state, signs = neurons, []
    for block in program.blocks:
        z = state @ block.affine.weight.mT + block.affine.bias
        signs.append(z.sign())
        state = z.relu()
    sampled = {tuple(row) for row in torch.cat(signs, 1).int().tolist()}
    assert len(sampled) > 10
    assert sampled <= found


def test_cells_outside_of_a_box_are_left_out() -> None:
    lines = arrangement([[1, 0, 0], [0, 1, 0], [1, 1, -3], [1, 0, -1]])  # the last one is a wall of the box
    assert covectors(lines, Box.cube(2, 1)) == {(a, b, -1, -1) for a in (-1, 0, 1) for b in (-1, 0, 1)}


def test_patterns_with_ties_of_two_terms_are_the_covectors_of_the_points() -> None:
    dual = arrangement([[*point, 1, 0] for point in SQUARE])
    tied = tied_patterns(SQUARE, 2)
    signs = {tuple(0 if len(top) == 2 else 1 - 2 * min(top) for top in pattern) for pattern in tied}
    assert signs == covectors(dual) == classification_covectors(SQUARE, 1, 1)
    assert len(signs) == 51


def test_sampled_parameters_have_listed_patterns_and_all_are_met() -> None:
    points, met = [(0,), (1,), (2,)], set()
    for a, b, c, d in product(range(-4, 5), repeat=4):  # the third term is 0
        values = [(a * x + b, c * x + d, 0) for (x,) in points]
        met.add(tuple(frozenset(t for t in range(3) if row[t] == max(row)) for row in values))
    assert met == tied_patterns(points, 3)


def test_generic_patterns_are_those_without_ties() -> None:
    generic = {p for p in tied_patterns(SQUARE, 3) if all(len(top) == 1 for top in p)}
    assert {tuple(map(min, pattern)) for pattern in generic} == set(activation_patterns(SQUARE, 3))
    without_zeros = {x for x in classification_covectors(SQUARE, 1, 2) if all(x)}
    assert without_zeros == realizable_labelings(SQUARE, 1, 2)


def test_one_term_has_one_pattern() -> None:
    assert tied_patterns(SQUARE, 1) == {(frozenset({0}),) * 4}


def test_graphs_compose_where_they_have_common_terms() -> None:
    patterns = tied_patterns([(0,), (1,), (2,)], 3)
    for a, b in product(patterns, repeat=2):
        both = [x & y or x for x, y in zip(a, b, strict=True)]  # a + epsilon b
        strict = [bool(x & y) for x, y in zip(a, b, strict=True)]
        assert any(
            all(c == x if is_equal else c <= x for c, x, is_equal in zip(found, both, strict, strict=True))
            for found in patterns
        )


def test_what_is_too_large_or_makes_no_sense_is_refused() -> None:
    with pytest.raises(CellLimitError, match="more than 3 cells"):
        covectors(named("E231"), most=3)
    with pytest.raises(PatternBudgetError, match="4 points and 3 terms have more than 50 patterns"):
        tied_patterns(SQUARE, 3, most=50)
    with pytest.raises(ValueError, match="a term on each side, got 2 and 0"):
        classification_covectors(SQUARE, 2, 0)
