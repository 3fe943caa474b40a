"""The axioms of covectors: arrangements have them, deep layers and classifiers do not."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from creased import MLP, Affine, Block, Box, Program, lower
from creased.tropical import check_axioms, classification_covectors, covectors
from creased.tropical.algebra.oriented_matroids import Covector, compose
from tests.tropical.nets import arrangement, differences, named

Rows = st.lists(st.tuples(*[st.integers(-2, 2)] * 3), min_size=1, max_size=4)


@settings(max_examples=15)
@given(Rows)
def test_central_hyperplanes_are_an_oriented_matroid(rows: list[tuple[int, ...]]) -> None:
    axioms = check_axioms(covectors(arrangement([[*row, 0] for row in rows])))
    assert axioms.is_oriented_matroid
    assert axioms.is_conditional


@settings(max_examples=15)
@given(Rows)
def test_affine_ones_are_a_conditional_one_in_a_box_too(rows: list[tuple[int, ...]]) -> None:
    program = arrangement(rows)
    assert check_axioms(covectors(program)).is_conditional
    assert check_axioms(covectors(program, Box.cube(2, 1))).is_conditional


def test_a_braid_arrangement_is_one_and_a_shi_arrangement_is_conditional() -> None:
    assert check_axioms(covectors(arrangement(differences(4, [0.0])))).is_oriented_matroid
    shi = check_axioms(covectors(arrangement(differences(3, [0.0, 1.0]))))
    assert shi.is_conditional
    assert not shi.is_oriented_matroid
    assert shi.symmetry.n_failed > 0


def _two_layers(weight: list[list[float]], bias: list[float], row: list[float], offset: float) -> Program:
    def affine(w: list[list[float]], b: list[float]) -> Affine:
        return Affine(torch.tensor(w).double(), torch.tensor(b).double())

    return Program((Block(affine(weight, bias)), Block(affine([row], [offset]))), affine([[1.0]], [0.0]))


def test_elimination_fails_where_a_crease_bends() -> None:
    outside = _two_layers([[1.0], [-1.0]], [0.5, 0.5], [1.0, 1.0], -1.5)  # of [-1, 1]
    found = covectors(outside)
    assert {(1, -1, 1), (-1, 1, 1)} <= found
    assert not any(z[0] == 0 and z[2] == 1 for z in found)  # between the two it is negative
    axioms = check_axioms(found)
    assert axioms.elimination.n_failed > 0
    assert axioms.composition.n_failed == axioms.face_symmetry.n_failed == 0
    assert not axioms.is_conditional


@pytest.mark.parametrize("seed", range(3))
def test_generic_deep_networks_compose(seed: int) -> None:
    torch.manual_seed(seed)
    axioms = check_axioms(covectors(lower(MLP(in_dim=2, width=4, depth=2).double()).detach()))
    assert axioms.composition.n_failed == axioms.face_symmetry.n_failed == 0
    assert axioms.elimination.n_failed > 0


def test_degenerate_deep_ones_need_not() -> None:
    assert check_axioms(covectors(named("E2321"))).composition.n_failed > 0


def test_classifiers_of_three_terms_do_not_compose() -> None:
    line = [(i,) for i in range(5)]
    found = classification_covectors(line, 1, 2)  # signs of concave functions with one bend
    first, second = (-1, 0, 0, 0, 0), (0, 0, 0, 0, -1)
    assert {first, second} <= found
    assert compose(first, second) not in found
    axioms = check_axioms(found)
    assert axioms.composition.n_failed > 0
    assert axioms.symmetry.n_failed > 0
    assert check_axioms(classification_covectors(line, 1, 1)).is_oriented_matroid


def test_two_positive_and_two_negative_terms_fail_elimination() -> None:
    axioms = check_axioms(classification_covectors([(i,) for i in range(5)], 2, 2))
    assert axioms.symmetry.n_failed == 0
    assert axioms.elimination.n_failed > 0


def _failures(given: set[Covector]) -> int:
    """Count the pairs without strong elimination by its definition."""
    failed = 0
    for x, y in product(given, repeat=2):
        apart = [e for e, (a, b) in enumerate(zip(x, y, strict=True)) if a * b < 0]
        rest = [f for f in range(len(x)) if f not in apart]
        wanted = compose(x, y)
        failed += any(
            not any(z[e] == 0 and all(z[f] == wanted[f] for f in rest) for z in given) for e in apart
        )
    return failed


@settings(max_examples=30)
@given(st.sets(st.tuples(*[st.sampled_from((-1, 0, 1))] * 3), min_size=1, max_size=12))
def test_counts_are_those_of_the_definition(given: set[Covector]) -> None:
    axioms = check_axioms(given)
    assert axioms.elimination.n_failed == _failures(given)
    assert axioms.symmetry.n_failed == sum(tuple(-a for a in x) not in given for x in given)
    assert axioms.zero.n_failed == ((0, 0, 0) not in given)
    assert axioms.composition.n_checked == len(given) ** 2


def test_the_report_names_a_counterexample() -> None:
    shown = str(check_axioms([(1, -1), (0, 0)]))
    assert "zero            holds (1 checked)" in shown
    assert "symmetry        fails 1 times of 2, at +-" in shown


def test_sign_vectors_of_different_lengths_are_refused() -> None:
    for signs in ([], [(1,), (1, 0)]):
        with pytest.raises(ValueError, match="of one length, and at least one"):
            check_axioms(signs)
