"""Programs in integers: the values and affine maps of the float program, without rounding."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from hypothesis import given

from creased.core.exact.integer_program import IntegerAffine, IntegerProgram
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program
from tests.strategies import Case, degenerate_cases, random_program


@given(degenerate_cases())
def test_values_at_points_are_those_of_the_float_program(case: Case) -> None:
    point = torch.linspace(-1, 1, case.program.in_dim + 2, dtype=torch.float64)[1:-1]
    exact = IntegerProgram.of(case.program).rows_at([Fraction(x) for x in point.tolist()])
    expected = case.program.preactivations(point)
    torch.testing.assert_close(torch.tensor([float(x) for x in exact], dtype=torch.float64), expected)


@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_linear_forms_on_a_cell_are_the_maps_of_its_pattern(slope: float) -> None:
    program = random_program(3, (5, 4), seed=2, slope=slope, out_dim=2)
    exact = IntegerProgram.of(program)
    pattern = 0b101101110
    found = [row for z in exact.rows(exact.inputs(), pattern) for row in z.fractions()]
    mask = torch.tensor([[pattern >> i & 1 for i in range(program.n_neurons)]]).double()
    expected = program.maps_on(mask)[0].T
    torch.testing.assert_close(torch.tensor([[float(x) for x in row] for row in found]).double(), expected)


def test_pulling_back_a_covector_is_multiplying_by_the_weights() -> None:
    affine = Affine(torch.tensor([[0.5, 0.0], [-1.0, 0.25]]), torch.tensor([3.0, 0.125]))
    exact = IntegerAffine.of(affine)
    assert exact.shift == 3
    assert exact.pull_back({0: 1, 1: 2}) == {0: -12, 1: 4}


def test_a_layer_without_neurons_leaves_what_it_shifts() -> None:
    nothing = Affine(torch.zeros((0, 2)), torch.zeros(0))
    block = Block(nothing, torch.zeros((1, 0)), None, torch.tensor([0.5]))
    program = Program((block,), Affine(torch.tensor([[3.0]]), torch.tensor([0.25])))
    assert IntegerProgram.of(program).rows_at([Fraction(1), Fraction(1, 3)]) == [Fraction(7, 4)]


def test_weights_that_are_not_finite_are_refused() -> None:
    program = random_program(2, (3,))
    bad = replace(program, head=Affine(program.head.weight * float("inf"), program.head.bias))
    with pytest.raises(ValueError, match=r"IntegerProgram.of: a weight of shape \(1, 3\)"):
        IntegerProgram.of(bad)
