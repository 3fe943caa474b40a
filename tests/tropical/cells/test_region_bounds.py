"""Bounds: the table of the specification, brute force on Serra's sum, and exact counts within them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import product
from math import comb, prod

import pytest
import torch

from creased import Affine, Block, Box, Program
from creased.tropical import (
    bounded_regions,
    bounds_of,
    cells,
    generic_f_vector,
    region_bounds,
    regions_at_infinity,
    zaslavsky,
)
from creased.tropical.cells.cells import MOST_CELLS
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
MEANS = (6.6, 32.8, 37.0, 77.5, 52.3, 23.4)  # exact cells over 20 networks with weights of another source


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
    bounds = region_bounds(dim, widths)
    assert bounds.serra <= bounds.montufar_2017 <= bounds.raghu
    assert max(cells_of_twenty(dim, widths)) <= bounds.serra


@pytest.mark.parametrize(("row", "mean"), list(zip(TABLE, MEANS, strict=True)))
def test_mean_over_twenty_seeds_is_that_of_the_table_nearly(row: tuple, mean: float) -> None:
    dim, widths, *_, without_depth = row
    counts = cells_of_twenty(dim, widths)  # normal weights and uniform biases, seeds 0 to 19
    assert sum(counts) / 20 == pytest.approx(mean, rel=0.1)
    assert min(counts) < sum(counts) / 20 < max(counts)
    assert 0.3 < sum(counts) / 20 / without_depth < 1.2  # N^D / D! is of that order, and no bound


@cache
def cells_of_twenty(dim: int, widths: tuple[int, ...]) -> list[int]:
    """Exact numbers of activation cells in all of space, of twenty random networks."""
    return [sum(1 for _ in cells(random_program(dim, widths, seed=seed))) for seed in range(20)]


@pytest.mark.parametrize(
    ("dim", "widths", "expected"),
    [
        (1, (3, 3), 16),
        (2, (4, 2, 4), 11 * 4 * 11),
        (3, (3, 3, 3), 8**3),
        (2, (2, 8), 4 * 37),
        (1, (2, 9), 30),
    ],
)
def test_raghu_is_the_product_of_the_layers(dim: int, widths: tuple[int, ...], expected: int) -> None:
    assert region_bounds(dim, widths).raghu == expected


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


@pytest.mark.parametrize("depth", range(1, 7))
def test_tents_have_a_power_of_cells_and_two_more_on_all_of_space(depth: int) -> None:
    program = tent(depth)
    assert sum(1 for _ in cells(program, Box([0], [1]))) == 2**depth
    assert sum(1 for _ in cells(program)) == (3 if depth == 1 else 2**depth + 2)
    if depth <= 3:
        expected = named("tent" if depth == 1 else f"tent^{depth}")
        assert all(torch.equal(*pair) for pair in zip(program.tensors(), expected.tensors(), strict=True))


def tent(depth: int) -> Program:
    """relu(2 x) - relu(4 x - 2), applied so many times."""
    first = Affine(torch.tensor([[2.0], [4.0]]).double(), torch.tensor([0.0, -2.0]).double())
    again = Affine(torch.tensor([[2.0, -2.0], [4.0, -4.0]]).double(), first.bias)
    head = Affine(torch.tensor([[1.0, -1.0]]).double(), torch.zeros(1).double())
    return Program((Block(first), *[Block(again)] * (depth - 1)), head)


@pytest.mark.parametrize("formula", [zaslavsky, generic_f_vector, bounded_regions, regions_at_infinity])
@pytest.mark.parametrize(("n", "dim"), [(-1, 2), (3, -1)])
def test_numbers_of_no_arrangement_are_refused(
    formula: Callable[[int, int], object], n: int, dim: int
) -> None:
    numbers = (dim, n) if formula is zaslavsky else (n, dim)
    with pytest.raises(ValueError, match=rf"needs n >= 0 and dim >= \d, got {n} and {dim}"):
        formula(*numbers)


@pytest.mark.parametrize("widths", [(), (3, 0), (0,)])
def test_widths_that_are_not_positive_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="positive widths"):
        region_bounds(2, widths)
