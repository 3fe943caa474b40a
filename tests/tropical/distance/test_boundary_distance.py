"""Distances in float64: against fractions, in slices, and between classes."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import given, settings

from creased import Affine, Box, LevelSet, Program, extract_level_set, slice_program
from creased.tropical import (
    distance_to_level,
    distance_to_other_class,
    exact_distance,
)
from creased.tropical.distance.nearest import nearest_point
from tests.strategies import Case, generic_cases, random_program
from tests.tropical.nets import named

NORMS = (1, 2, math.inf)


@settings(max_examples=8)
@given(generic_cases(dims=(1, 2, 3), max_depth=2))
def test_distance_is_that_in_fractions(case: Case) -> None:
    place = tuple(Fraction(a + (b - a) * 0.375) for a, b in zip(case.box.lower, case.box.upper, strict=True))
    point = torch.tensor([float(x) for x in place], dtype=torch.float64)
    for norm in NORMS:
        exact = exact_distance(case.program, case.box, place, norm)
        found = distance_to_level(case.program, case.box, point, norm)
        value = math.sqrt(exact.value) if norm == 2 else float(exact.value)
        assert found.value == pytest.approx(value, rel=1e-8, abs=1e-12 * case.box.upper[0])
        if found.witness is not None:
            gap = float(torch.linalg.vector_norm(found.witness - point, norm))
            assert gap == pytest.approx(found.value)


def test_cell_holds_the_witness() -> None:
    program, box = random_program(3, (8, 6), seed=3), Box.cube(3, 1)
    for norm in NORMS:
        found = distance_to_level(program, box, torch.zeros(3), norm)
        assert found.witness is not None
        assert found.cell is not None
        rows = program.preactivations(found.witness)[:-1]
        inner = rows.abs() > 1e-9
        assert bool(((rows > 0) == found.cell)[inner].all())


def test_box_without_boundary_is_infinitely_far() -> None:
    found = distance_to_level(named("rnd[2,3,3,1]s2"), Box.cube(2, 50), torch.zeros(2))
    assert found[:4] == (math.inf, None, None, None)
    assert found.status == "empty: the function does not cross the value 0 in the domain"


def test_flat_zero_regions_are_no_boundary_and_it_is_said() -> None:
    outside, inside = (torch.tensor([x, 0.0, 0.0]) for x in (1.5, 0.25))
    for point in (outside, inside):  # relu(|x|_1 - 1) is nowhere negative
        found = distance_to_level(named("FLAT"), Box.cube(3, 2), point)
        assert found.value == math.inf
        assert "does not cross the value 0" in found.status
        assert ("at the point itself f has the level" in found.status) == (point is inside)
    assert exact_distance(named("FLAT"), None, (1.5, 0, 0), 1).value == Fraction(1, 2)


def test_distance_in_a_slice_says_that_it_is_a_bound() -> None:
    program = random_program(6, (8, 6), seed=4, out_dim=3)
    axes = torch.eye(6, 2).double()
    found = distance_to_other_class(
        slice_program(program, torch.zeros(6), axes), Box.cube(2, 2), torch.zeros(2)
    )
    assert found.status == "an upper bound of the distance in all 6 dimensions: the slice has 2"
    whole = slice_program(random_program(2, (5,), out_dim=2), torch.zeros(2), torch.eye(2).double())
    assert distance_to_other_class(whole, Box.cube(2, 2), torch.zeros(2)).status == ""


def test_class_without_a_rival_says_so() -> None:
    program = Program((), Affine(torch.zeros(2, 2).double(), torch.tensor([0.0, 1.0]).double()))
    found = distance_to_other_class(program, Box.cube(2, 1), torch.zeros(2))
    assert (found.value, found.rival) == (math.inf, None)
    assert found.status == "no other class has the largest output in the domain, 1 has everywhere"


@pytest.mark.parametrize("norm", NORMS)
def test_nearest_point_is_no_farther_than_any_sampled_one(norm: float) -> None:
    generator = torch.Generator().manual_seed(0)
    for n_corners, dim in [(1, 3), (2, 2), (2, 3), (3, 3), (2, 7), (3, 7)]:
        corners = torch.randn((20, n_corners, dim), generator=generator, dtype=torch.float64)
        point = 0.3 * torch.randn(dim, generator=generator, dtype=torch.float64)
        found = nearest_point(corners, point, norm)
        assert found is not None
        shares = torch.rand((4000, n_corners), generator=generator, dtype=torch.float64) ** 2
        shares /= shares.sum(1, keepdim=True)
        sampled = (shares @ corners).flatten(0, 1) - point
        least = float(torch.linalg.vector_norm(sampled, norm, dim=1).min())
        assert found.distance <= least + 1e-12
        assert least < found.distance * 1.2 + 0.02
        mine = corners[found.simplex]
        solved = torch.linalg.lstsq(
            torch.cat([mine, torch.ones(n_corners, 1).double()], 1).mT,
            torch.cat([found.point, torch.ones(1).double()])[:, None],
        ).solution[:, 0]
        torch.testing.assert_close(solved @ mine, found.point)
        assert bool((solved > -1e-9).all())


def test_programs_and_candidates_agree() -> None:
    generator = torch.Generator().manual_seed(1)
    corners = torch.randn((30, 3, 3), generator=generator, dtype=torch.float64)
    padded = torch.nn.functional.pad(corners, (0, 2))
    for norm in (1, math.inf):
        near, far = (nearest_point(c, torch.zeros(c.shape[2]).double(), norm) for c in (corners, padded))
        assert near is not None
        assert far is not None
        assert near.distance == pytest.approx(far.distance)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("dim", [2, 3])
def test_distance_in_a_slice_is_that_of_the_whole_space(norm: float, dim: int) -> None:
    program = random_program(6, (8, 6), seed=4)
    axes = torch.randn((6, dim), generator=torch.Generator().manual_seed(5)).double()
    to = slice_program(program, torch.zeros(6), axes)
    assert not to.is_orthonormal
    found = distance_to_level(to, Box.cube(dim, 1), torch.zeros(dim), norm)
    assert found.witness is not None
    place = to.lift(found.witness)
    assert abs(float(program(place))) < 1e-9
    assert float(torch.linalg.vector_norm(place, norm)) == pytest.approx(found.value)
    steps = torch.rand((4000, dim), generator=torch.Generator().manual_seed(6)).double() * 2 - 1
    values = program(to.lift(steps))[:, 0]
    near = torch.linalg.vector_norm(to.lift(steps), norm, dim=1) < found.value * (1 - 1e-9)
    assert len(set((values[near] > 0).tolist())) <= 1  # the sign does not change inside of the ball


def test_other_class_is_the_nearest_tie_of_the_largest() -> None:
    corners = torch.tensor([[1.0, 0], [-1, 0], [0, 1.5]]).double()  # logits of three classes
    program = Program((), Affine(corners, torch.zeros(3).double()))
    found = distance_to_other_class(program, Box.cube(2, 2), torch.tensor([0.5, -0.5]))
    assert found.value == pytest.approx(0.5)  # to x = 0
    assert found.rival == 1
    deep = random_program(2, (8, 6), out_dim=4, seed=6)
    place = torch.tensor([0.1, 0.2]).double()
    found = distance_to_other_class(deep, Box.cube(2, 1), place, math.inf)
    assert found.witness is not None
    logits = deep(found.witness)
    mine = int(deep(place).argmax())
    assert float(logits[mine]) == pytest.approx(float(logits.max()))
    assert float(logits[found.rival]) == pytest.approx(float(logits.max()))


def test_level_set_that_may_lack_a_part_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def incomplete(*args: Any) -> LevelSet:
        found = extract_level_set(*args)
        return replace(found, provenance=found.provenance.stopped("as a test says"))

    monkeypatch.setattr("creased.tropical.distance.boundary_distance.extract_level_set", incomplete)
    with pytest.raises(ArithmeticError, match="needs a complete level set"):
        distance_to_level(random_program(2, (4,)), Box.cube(2, 1), torch.zeros(2))


def test_what_makes_no_sense_is_refused() -> None:
    program = random_program(2, (4,))
    with pytest.raises(ValueError, match=r"is not in \[-1, 1\]\^2"):
        distance_to_level(program, Box.cube(2, 1), torch.tensor([2.0, 0]))
    with pytest.raises(ValueError, match="norm must be one of"):
        distance_to_level(program, Box.cube(2, 1), torch.zeros(2), 3)
    with pytest.raises(ValueError, match="up to three dimensions, got 4: take a slice"):
        distance_to_level(random_program(4, (3,)), Box.cube(4, 1), torch.zeros(4))
    with pytest.raises(ValueError, match="two outputs or more"):
        distance_to_other_class(program, Box.cube(2, 1), torch.zeros(2))
    with pytest.raises(ValueError, match=r"distance_to_other_class: the point .* is not in"):
        distance_to_other_class(random_program(2, (4,), out_dim=2), Box.cube(2, 1), torch.ones(2) * 2)
    with pytest.raises(ValueError, match=r"distance_to_other_class: needs points \(..., 2\), got \(3,\)"):
        distance_to_other_class(random_program(2, (4,), out_dim=2), Box.cube(2, 1), torch.zeros(3))
    with pytest.raises(ValueError, match="up to three corners"):
        nearest_point(torch.zeros(1, 4, 4), torch.zeros(4), 2)
