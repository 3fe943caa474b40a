"""Tropical polynomials: arithmetic by values, and pruning against the definition."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from creased import Box
from creased.tropical import MonomialBudgetError, TropicalPolynomial
from creased.tropical.algebra.epigraphs import epigraph

small = st.integers(-3, 3)


@st.composite
def polynomials(draw: st.DrawFn, dim: int = 2) -> TropicalPolynomial:
    n = draw(st.integers(1, 6))
    slopes = draw(st.lists(st.tuples(*[small] * dim), min_size=n, max_size=n))
    return TropicalPolynomial(slopes, draw(st.lists(small, min_size=n, max_size=n)))


POINTS = [(Fraction(a, 3), Fraction(b, 2)) for a in range(-7, 8) for b in range(-5, 6)]


@given(polynomials(), polynomials())
def test_sum_is_the_maximum_and_product_the_sum(f: TropicalPolynomial, g: TropicalPolynomial) -> None:
    for point in POINTS[::7]:
        assert f.oplus(g).value_at(point) == max(f.value_at(point), g.value_at(point))
        assert f.odot(g).value_at(point) == f.value_at(point) + g.value_at(point)
        assert f.power(Fraction(3, 2)).value_at(point) == Fraction(3, 2) * f.value_at(point)


@given(polynomials())
def test_pruning_keeps_the_function_and_only_what_it_needs(f: TropicalPolynomial) -> None:
    pruned = f.essential()
    assert all(pruned.value_at(point) == f.value_at(point) for point in POINTS)
    for i in range(pruned.n if pruned.n > 1 else 0):
        others = TropicalPolynomial(
            [s for k, s in enumerate(pruned.slopes) if k != i],
            [c for k, c in enumerate(pruned.coefficients) if k != i],
        )
        above = epigraph(pruned.slopes, pruned.coefficients, None)
        inner = [sum(column) for column in zip(*above.rays_of([i]), strict=True)]
        point = tuple(Fraction(x, inner[-1]) for x in inner[:-2])
        assert others.value_at(point) < pruned.value_at(point)


@given(polynomials())
def test_powers_are_repeated_products(f: TropicalPolynomial) -> None:
    assert f.odot(f).odot(f).essential() == f.power(3).essential()
    assert f.power(0) == TropicalPolynomial([(0, 0)], [0])


def test_pruning_on_a_box_drops_what_is_largest_outside_only() -> None:
    f = TropicalPolynomial([[-1.0], [0.0], [1.0]], [0.0, 1.0, 0.0])
    assert f.essential().n == 3
    assert f.essential(Box([-0.5], [3])).slopes == ((0,), (1,))
    assert f.essential(Box([-1], [1])).slopes == ((0,),)  # the others tie on the walls only


def test_monomial_that_ties_in_a_point_only_is_not_essential() -> None:
    f = TropicalPolynomial([[-1], [0], [1]], [0, 0, 0])
    assert f.essential().slopes == ((-1,), (1,))


def test_of_equal_slopes_the_largest_coefficient_stays() -> None:
    f = TropicalPolynomial([(1, 0), (1, 0)], [2, 3])
    assert (f.slopes, f.coefficients) == (((1, 0),), (3,))


def test_values_at_float_points_are_those_in_fractions(dtype: torch.dtype) -> None:
    f = TropicalPolynomial([(1, 2), (-1, 0.5), (0, 0)], [0.25, -1, 0])
    values = [float(f.value_at(point)) for point in POINTS]
    points = torch.tensor([[float(x) for x in point] for point in POINTS], dtype=dtype)
    torch.testing.assert_close(f(points), torch.tensor(values, dtype=dtype))


def test_negative_power_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an exponent >= 0, got -1"):
        TropicalPolynomial([(1,)], [0]).power(-1)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        TropicalPolynomial([(1.0,)], [bad])


@pytest.mark.parametrize(("slopes", "constants"), [([], []), ([(1,)], [1, 2]), ([(1,), (1, 2)], [0, 0])])
def test_parts_that_do_not_fit_are_refused(slopes: list, constants: list) -> None:
    with pytest.raises(ValueError, match="one coefficient a slope"):
        TropicalPolynomial(slopes, constants)


def test_points_and_boxes_of_another_dimension_are_refused() -> None:
    f = TropicalPolynomial([(1, 2), (0, 0)], [0, 1])
    for ask in (
        lambda: f.value_at((1, 2, 3)),
        lambda: f(torch.zeros(4, 3)),
        lambda: f.essential(Box.cube(3, 1)),
    ):
        with pytest.raises(ValueError, match="the polynomial has 2 variables, got 3"):
            ask()


def test_products_over_budget_are_refused_with_the_numbers() -> None:
    f = TropicalPolynomial([(k,) for k in range(10)], range(10))
    with pytest.raises(MonomialBudgetError, match="10 and 10 monomials has up to 100, more than 50"):
        f.odot(f, most=50)
    with pytest.raises(ValueError, match="the polynomial has 1 variables, got 2"):
        f.oplus(TropicalPolynomial([(1, 2)], [0]))
