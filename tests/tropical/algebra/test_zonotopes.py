"""Zonotopes: the table, identities, hulls of all sums on small cases, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creased.tropical import (
    TropicalPolynomial,
    TropicalRational,
    Zonotope,
    cells,
    count_vertices,
    newton_polytope,
    zonotope_of_layer,
    zonotopes_of_map,
)
from tests.strategies import random_program
from tests.tropical.nets import arrangement, named

TABLE = [(3, 2, 8, 7, 6), (5, 2, 22, 16, 10), (6, 2, 32, 22, 12), (5, 3, 30, 26, 22), (6, 3, 52, 42, 32)]


@pytest.mark.parametrize(("n", "dim", "vertices", "upper", "shadow"), TABLE)
def test_generic_layer_has_the_vertices_of_the_table(
    n: int, dim: int, vertices: int, upper: int, shadow: int
) -> None:
    counts = count_vertices(zonotope_of_layer(random_program(dim, (n,), seed=n + dim)))
    assert (counts.vertices, counts.upper, counts.shadow) == (vertices, upper, shadow)
    assert counts[4:7] == (vertices, upper, shadow)
    assert counts.status == ""
    assert vertices == 2 * sum(comb(n - 1, i) for i in range(dim + 1))


@given(st.lists(st.tuples(*[st.integers(-2, 2)] * 3), min_size=1, max_size=6))
def test_upper_and_lower_vertices_share_the_shadow(rows: list[tuple[int, ...]]) -> None:
    zonotope = Zonotope(tuple(tuple(map(Fraction, row)) for row in rows), 3)
    counts = count_vertices(zonotope)
    upper, lower = set(zonotope.upper_vertices()), set(zonotope.lower_vertices())
    assert upper | lower == set(zonotope.vertices())
    assert counts.upper + counts.lower - len(upper & lower) == counts.vertices
    if not any(row[:2] == (0, 0) for row in rows):  # else the shadow's vertices are edges' images
        assert len(upper & lower) == counts.shadow


@given(st.lists(st.tuples(*[st.integers(-2, 2)] * 3), min_size=1, max_size=6))
def test_vertices_are_those_of_the_hull_of_all_sums(rows: list[tuple[int, ...]]) -> None:
    zonotope = Zonotope(tuple(tuple(map(Fraction, row)) for row in rows), 3)
    sums = [
        tuple(sum(c * x for c, x in zip(chosen, column, strict=True)) for column in zip(*rows, strict=True))
        for chosen in product((0, 1), repeat=len(rows))
    ]
    hull = newton_polytope(TropicalPolynomial(sums, [0] * len(sums)))
    assert sorted(zonotope.vertices()) == list(hull)


@pytest.mark.parametrize("name", ["L1", "E231", "rnd[2,4,1]s1", "rnd[3,4,1]s4", "max(x,y)=x+r(y-x)"])
def test_upper_vertices_are_as_many_as_regions(name: str) -> None:
    zonotope = zonotope_of_layer(named(name))
    upper = zonotope.upper_vertices()
    assert len(upper) == len(set(upper)) == sum(1 for _ in cells(named(name)))


def test_wide_layer_needs_no_sums_over_subsets() -> None:
    counts = count_vertices(zonotope_of_layer(random_program(2, (40,), seed=0)))  # 2^40 sums
    assert counts[:4] == (2 * (1 + 39 + comb(39, 2)), 1 + 40 + comb(40, 2), 1 + 40 + comb(40, 2), 80)


def test_zero_and_parallel_generators_are_named() -> None:
    zonotope = zonotope_of_layer(arrangement([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 1]]))
    status = count_vertices(zonotope).status
    assert status.startswith("1 generators are zero; 1 pairs of generators are parallel; ")
    assert "the generic numbers do not hold" in status
    dependent = zonotope_of_layer(arrangement([[1.0, 0, 0], [0, 1, 0], [1, 1, 0]]))
    assert "linearly dependent" in count_vertices(dependent).status


def test_mixed_signs_make_two_zonotopes() -> None:
    first, second = zonotopes_of_map(named("E231"))
    assert first.generators == ((1, 0, 0), (0, 1, 0))
    assert second.generators == ((2, 2, -2),)


@pytest.mark.parametrize("name", ["E231", "L1", "rnd[2,4,1]s1", "rnd[3,4,1]s4"])
def test_newton_polytope_of_one_layer_is_the_hull_of_two_zonotopes(name: str) -> None:
    program = named(name)
    f = TropicalRational.from_program(program)
    expected = newton_polytope(f.numerator.oplus(f.denominator))
    shadows = [z.shadow_vertices() for z in zonotopes_of_map(program)]
    points = [point for shadow in shadows for point in shadow]
    hull = newton_polytope(TropicalPolynomial(points, [0] * len(points)))
    weight, outer = program.blocks[0].affine.weight, program.head.weight[0]
    shift = (outer.abs()[:, None] * (-weight).clamp(min=0)).sum(0).tolist()  # sum_j |v_j| w_j^-
    assert sorted(tuple(x + s for x, s in zip(p, shift, strict=True)) for p in hull) == list(expected)


def test_generators_of_other_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"needs generators in 3 dimensions, got some in \[2\]"):
        Zonotope(((Fraction(1), Fraction(2)),), 3)


def test_what_is_no_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="one hidden layer, the program has 2"):
        zonotope_of_layer(named("E2321"))
    with pytest.raises(ValueError, match="with a passthrough"):
        zonotope_of_layer(random_program(2, (3,), slope=0.1))
    with pytest.raises(ValueError, match="say which by index="):
        zonotopes_of_map(random_program(2, (3,), out_dim=2))
