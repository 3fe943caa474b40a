"""Distances in fractions: the table, grids of points, and what is refused."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings

from creased import Box, CellLimitError, Program
from creased.tropical import distance_to_level, exact_distance
from tests.oracles import program_of
from tests.strategies import Case, degenerate_cases, random_program
from tests.tropical.nets import named

F = Fraction
TABLE = [  # point, 1-norm, square of the 2-norm, infinity-norm
    ("L1", (0, 0), 1, F(1, 2), F(1, 2)),
    ("L1", (F(1, 4), F(1, 8)), F(5, 8), F(25, 128), F(5, 16)),
    ("square", (F(1, 2), F(1, 4)), F(1, 2), F(1, 4), F(1, 2)),
    ("CUBE", (F(1, 2), F(1, 4), 0), F(1, 2), F(1, 4), F(1, 2)),  # the square, with a third axis
    ("E2321", (1, 1), F(9, 8), F(81, 65), 1),
    ("rnd[2,4,3,1]s3", (0, 0), 5, F(113, 9), F(8, 3)),
    ("rnd[2,3,3,1]s2", (0, 0), math.inf, math.inf, math.inf),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]} {row[1]}")
def test_named_net_is_as_far_as_the_table_says(row: tuple) -> None:
    name, point, *expected = row
    program = square() if name == "square" else named(name)
    for norm, value in zip((1, 2, math.inf), expected, strict=True):
        found = exact_distance(program, None, point, norm)
        assert found.value == value
        assert (found.witness is None) == math.isinf(value)
        start = torch.tensor([float(x) for x in point])
        rounded = distance_to_level(program, Box.cube(program.in_dim, 8), start, norm)
        assert rounded.value == pytest.approx(float(value) ** (0.5 if norm == 2 else 1))


def square() -> Program:
    """max(|x|, |y|) - 1 = relu(|y| - |x|) + relu(|x|) - 1."""
    signed = {"weight": [["1", "0"], ["-1", "0"], ["0", "1"], ["0", "-1"]], "bias": ["0"] * 4}
    sides = {"weight": [["-1", "-1", "1", "1"], ["1", "1", "0", "0"]], "bias": ["0", "0"]}
    return program_of([signed, sides, {"weight": [["1", "1"]], "bias": ["-1"]}])


@settings(max_examples=15)
@given(degenerate_cases(dims=(1, 2), max_depth=2))
def test_no_point_of_the_level_is_nearer(case: Case) -> None:
    dim = case.box.dim
    place = tuple(F(1, 7) * h.as_integer_ratio()[0] / h.as_integer_ratio()[1] for h in case.box.upper)
    for norm in (1, 2, math.inf):
        found = exact_distance(case.program, case.box, place, norm)
        if found.witness is None:
            continue
        witness = torch.tensor([[float(x) for x in found.witness]], dtype=torch.float64)
        assert abs(float(case.program(witness))) < 1e-9
        point = torch.tensor([float(x) for x in place], dtype=torch.float64)
        gap = torch.linalg.vector_norm(witness[0] - point, norm)
        radius = math.sqrt(found.value) if norm == 2 else float(found.value)
        assert float(gap) == pytest.approx(radius)
        if radius:  # within the open ball the sign does not change
            steps = torch.rand((500, dim), dtype=torch.float64) * 2 - 1
            steps *= 0.999 * radius / torch.linalg.vector_norm(steps, norm, dim=1).amax()
            points = point + steps
            inside = (points.abs() <= case.box.upper[0]).all(1)
            values = case.program(points[inside])[:, 0]
            assert bool((values > 0).all()) or bool((values < 0).all())


def test_signs_are_those_at_the_witness() -> None:
    found = exact_distance(named("L1"), None, (F(1, 4), F(1, 8)), 2)
    assert found.witness == (F(9, 16), F(7, 16))
    assert found.signs == (1, -1, 1, -1)
    corner = exact_distance(named("L1"), None, (2, 0), 1)
    assert corner.signs == (1, -1, 0, 0)


def test_level_and_output_are_chosen() -> None:
    assert exact_distance(named("L1"), None, (0, 0), 1, level=F(1, 2)).value == F(3, 2)
    two = random_program(2, (3,), out_dim=2)
    with pytest.raises(ValueError, match="say which by index="):
        exact_distance(two, None, (0, 0), 1)
    assert exact_distance(two, None, (0, 0), 1, index=1).value > 0


def test_zero_set_with_interior_has_a_nearest_point() -> None:
    assert exact_distance(named("FLAT"), None, (3, 0, 0), 2) == (4, (1, 0, 0), (1, -1, 0, 0, 0, 0, 0))
    assert exact_distance(named("FLAT"), None, (F(1, 4), 0, 0), 1).value == 0


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="norm must be one of"):
        exact_distance(named("L1"), None, (0, 0), 3)
    with pytest.raises(ValueError, match=r"\(2, 0\) is not in \[-1, 1\]\^2"):
        exact_distance(named("L1"), Box.cube(2, 1), (2, 0), 1)
    with pytest.raises(ValueError, match="takes 2 inputs, the point has 3"):
        exact_distance(named("L1"), None, (2, 0, 0), 1)
    with pytest.raises(CellLimitError):
        exact_distance(named("L1"), None, (0, 0), 1, most=2)
