"""F and G of networks: the table, the symbolic recursion as an oracle, and values."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings

from creased import Affine, Box, Program
from creased.tropical import TropicalPolynomial, TropicalRational, count, lift
from tests.strategies import Case, degenerate_cases, generic_cases, random_program
from tests.tropical.nets import named

TABLE = {  # essential monomials of F, G, F . G, F + G
    "relu(x)-relu(-x)": (2, 2, 2, 2),
    "tent^2": (4, 4, 6, 4),
    "tent^3": (6, 8, 10, 6),
    "L1": (4, 1, 4, 5),
    "max(x,y)=x+r(y-x)": (4, 2, 4, 4),
    "E231": (4, 2, 7, 5),
    "E2321": (7, 6, 14, 7),
    "rnd[2,4,3,1]s3": (6, 11, 17, 12),
}
Pair = tuple[TropicalPolynomial, TropicalPolynomial]


@pytest.mark.parametrize("name", TABLE)
def test_named_net_has_the_monomials_of_the_table(name: str) -> None:
    f = TropicalRational.from_program(named(name))
    first, second = f.numerator, f.denominator
    joint, larger = (both.essential().n for both in (first.odot(second), first.oplus(second)))
    assert (first.n, second.n, joint, larger) == TABLE[name]


@pytest.mark.parametrize("name", [*TABLE, "rnd[2,3,3,1]s2", "rnd[3,3,2,1]s5"])
def test_read_off_monomials_are_those_of_the_symbolic_recursion(name: str) -> None:
    program = named(name)
    f = TropicalRational.from_program(program)
    first, second = _symbolic(program)
    assert (f.numerator, f.denominator) == (first, second)


def test_unpruned_monomials_explode() -> None:
    program = named("rnd[2,3,3,1]s2")
    first, second = _symbolic(program, prune=False)
    assert (first.n, first.essential().n) == (144, 14)
    assert first.essential() == TropicalRational.from_program(program).numerator
    assert (second.n, second.essential().n) == (2, 2)


def _symbolic(program: Program, *, prune: bool = True) -> Pair:
    """F and G by tropical arithmetic, pruned after each product or not; shares nothing with the cells."""
    dim = program.in_dim
    zero = TropicalPolynomial([(0,) * dim], [0])
    state: list[Pair] = [
        (TropicalPolynomial([tuple(int(i == axis) for i in range(dim))], [0]), zero) for axis in range(dim)
    ]
    for block in program.blocks:
        pairs = _affine(block.affine, state, zero, prune=prune)
        sums = [(first.oplus(second), second) for first, second in pairs]
        state = [(h.essential() if prune else h, g) for h, g in sums]
    return _affine(program.head, state, zero, prune=prune)[0]


def _affine(affine: Affine, state: list[Pair], zero: TropicalPolynomial, *, prune: bool) -> list[Pair]:
    pairs = []
    for weights, bias in zip(affine.weight.tolist(), affine.bias.tolist(), strict=True):
        first, second = TropicalPolynomial([(0,) * zero.dim], [bias]), zero
        for weight, (h, g) in zip(weights, state, strict=True):
            plus, minus = (h, g) if weight >= 0 else (g, h)
            first, second = first.odot(plus.power(abs(weight))), second.odot(minus.power(abs(weight)))
            if prune:
                first, second = first.essential(), second.essential()
        pairs.append((first, second))
    return pairs


@given(degenerate_cases(dims=(1, 2)))
def test_monomials_lie_between_regions_and_cells(case: Case) -> None:
    f = TropicalRational.from_program(case.program, case.box)
    counts = count(case.program, case.box, method="exact")
    joint = f.numerator.odot(f.denominator).essential(case.box).n
    assert counts.linear_regions <= joint <= counts.activation_cells
    assert f.numerator.essential(case.box) == f.numerator  # what is read off is pruned already
    assert f.denominator.essential(case.box) == f.denominator


@given(generic_cases(dims=(1, 2, 3), max_depth=3))
def test_lift_is_a_difference_with_the_same_neurons(case: Case) -> None:
    program = case.program
    points = torch.tensor(case.box.lower, dtype=torch.float64) * torch.rand((20, case.box.dim)).double()
    lifted = lift(program)
    rows, both = program.preactivations(points), lifted(points)
    scale = 1 + float(both.abs().max())
    torch.testing.assert_close((both[:, 0] - both[:, 1]) / scale, rows[:, -1] / scale)
    n = program.n_neurons
    torch.testing.assert_close(lifted.preactivations(points)[:, :n] / scale, rows[:, :n] / scale)


@pytest.mark.parametrize("slope", [0.0, 0.25, -0.5])
def test_map_has_the_values_of_the_network_exactly(slope: float) -> None:
    program = random_program(2, (4, 3), seed=5, slope=slope)
    f = TropicalRational.from_program(program, Box.cube(2, 1))
    for x, y in [(0.5, -0.25), (-1, 1), (0.125, 0.75)]:
        expected = float(program(torch.tensor([[x, y]], dtype=torch.float64)))
        assert float(f.value_at((x, y))) == pytest.approx(expected, abs=1e-12)


def test_in_float_the_monomials_are_the_same_to_rounding() -> None:
    for name in ("E2321", "rnd[2,4,3,1]s3", "CUBE"):
        program = named(name)
        box = Box.cube(program.in_dim, 8)
        exact = TropicalRational.from_program(program, box)
        rounded = TropicalRational.from_program(program, box, exact=False)
        assert not rounded.is_exact
        for a, b in [(exact.numerator, rounded.numerator), (exact.denominator, rounded.denominator)]:
            assert (a.slopes, a.coefficients) == (b.slopes, b.coefficients)  # small integers do not round


@settings(max_examples=10)
@given(generic_cases(dims=(1, 2), max_depth=2))
def test_in_float_there_are_as_many_monomials(case: Case) -> None:
    exact = TropicalRational.from_program(case.program, case.box)
    rounded = TropicalRational.from_program(case.program, case.box, exact=False)
    assert (exact.numerator.n, exact.denominator.n) == (rounded.numerator.n, rounded.denominator.n)


def test_arithmetic_of_maps_is_that_of_functions() -> None:
    f, g = (TropicalRational.from_program(named(name)) for name in ("E231", "E2321"))
    for point in [
        (Fraction(1, 3), Fraction(-2)),
        (Fraction(0), Fraction(5, 2)),
        (Fraction(-1), Fraction(-1)),
    ]:
        assert f.oplus(g).value_at(point) == max(f.value_at(point), g.value_at(point))
        assert f.odot(g).value_at(point) == f.value_at(point) + g.value_at(point)
        assert f.power(-2).value_at(point) == -2 * f.value_at(point)


def test_several_outputs_need_an_index() -> None:
    program = random_program(2, (3,), out_dim=2)
    with pytest.raises(ValueError, match="2 outputs: say which by index="):
        TropicalRational.from_program(program)
    with pytest.raises(ValueError, match="from 0 to 1, got 2"):
        TropicalRational.from_program(program, index=2)
    f = TropicalRational.from_program(program, index=1)
    points = torch.rand((5, 2), dtype=torch.float64)
    torch.testing.assert_close(f(points), program(points)[:, 1])


def test_float_needs_a_box_and_sums_one_domain() -> None:
    with pytest.raises(ValueError, match="needs a Box"):
        TropicalRational.from_program(named("L1"), exact=False)
    f = TropicalRational.from_program(named("L1"), Box.cube(2, 1))
    with pytest.raises(ValueError, match="both need one domain"):
        f.odot(TropicalRational.from_program(named("L1")))
