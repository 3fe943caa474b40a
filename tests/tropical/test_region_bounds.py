"""Bounds: the table of the specification, brute force on Serra's sum, and exact counts within them."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, prod

import pytest

from creased.tropical import (
    bounded_regions,
    bounds_of,
    cells,
    generic_f_vector,
    region_bounds,
    regions_at_infinity,
    zaslavsky,
)
from creased.tropical.cells import MOST_CELLS
from tests.strategies import random_program
from tests.tropical.nets import named

TABLE = [  # input dimension, widths, Montufar 2014, Serra, Montufar 2017, N^D / D!
    (1, (3, 3), 12, 16, 16, 6),
    (2, (4, 4), 44, 121, 121, 32),
    (2, (4, 2, 4), 44, 242, 484, 50),
    (2, (6, 6), 198, 484, 484, 72),
    (3, (3, 3, 3), 8, 211, 512, Fraction(243, 2)),
    (2, (2, 8), 37, 56, 148, 50),
]


@pytest.mark.parametrize("row", TABLE)
def test_bounds_are_those_of_the_table(row: tuple) -> None:
    dim, widths, *expected = row
    bounds = region_bounds(dim, widths)
    assert [bounds.montufar_2014, bounds.serra, bounds.montufar_2017, bounds.hanin_rolnick] == expected


@pytest.mark.parametrize(("dim", "widths"), [(2, (3, 4, 2)), (3, (2, 5)), (1, (4,)), (4, (3, 1, 3))])
def test_serra_is_the_sum_over_all_j(dim: int, widths: tuple[int, ...]) -> None:
    total = 0
    for chosen in product(*(range(width + 1) for width in widths)):
        left = dim
        for width, j in zip(widths, chosen, strict=True):
            if j > min(left, width):
                break
            left = min(left, width - j)
        else:
            total += prod(comb(width, j) for width, j in zip(widths, chosen, strict=True))
    assert region_bounds(dim, widths).serra == total


@pytest.mark.parametrize(("dim", "widths"), [row[:2] for row in TABLE])
def test_exact_counts_are_within_the_upper_bounds(dim: int, widths: tuple[int, ...]) -> None:
    for seed in range(8):
        program = random_program(dim, widths, seed=seed)
        n_cells = sum(1 for _ in cells(program))
        bounds = bounds_of(program)
        assert n_cells <= bounds.serra <= bounds.montufar_2017 <= bounds.raghu


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_one_generic_layer_attains_all_bounds(dim: int) -> None:
    bounds = region_bounds(dim, [5])
    assert sum(1 for _ in cells(random_program(dim, (5,)))) == bounds.serra == bounds.montufar_2014


def test_leaky_programs_have_only_the_bound_that_holds_for_them() -> None:
    bounds = bounds_of(random_program(3, (2, 4), slope=0.1))
    assert bounds.serra == bounds.montufar_2017 == bounds.raghu == 4 * 15
    for seed in range(5):
        program = random_program(3, (2, 4), slope=0.1, seed=seed)
        assert sum(1 for _ in cells(program, most=MOST_CELLS)) <= bounds.raghu


@pytest.mark.parametrize(
    ("n", "dim", "expected"),
    [(5, 2, (10, 25, 16)), (5, 3, (10, 40, 55, 26)), (6, 3, (20, 75, 96, 42))],
)
def test_generic_f_vector_is_that_of_the_table(n: int, dim: int, expected: tuple[int, ...]) -> None:
    assert generic_f_vector(n, dim) == expected
    assert sum((-1) ** k * f for k, f in enumerate(expected)) == (-1) ** dim


@pytest.mark.parametrize(("n", "dim"), [(1, 1), (4, 2), (7, 3), (3, 4)])
def test_regions_are_bounded_or_reach_infinity(n: int, dim: int) -> None:
    assert bounded_regions(n, dim) + regions_at_infinity(n, dim) == zaslavsky(dim, n)


@pytest.mark.parametrize("depth", range(1, 4))
def test_tents_on_all_of_space_have_two_more_cells_than_a_power(depth: int) -> None:
    name = "tent" if depth == 1 else f"tent^{depth}"
    assert sum(1 for _ in cells(named(name))) == (3 if depth == 1 else 2**depth + 2)


@pytest.mark.parametrize("widths", [(), (3, 0), (0,)])
def test_widths_that_are_not_positive_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="positive widths"):
        region_bounds(2, widths)
