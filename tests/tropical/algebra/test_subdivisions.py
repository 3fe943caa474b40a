"""Dual subdivisions and decision boundaries: the table, duality, and the engine's level sets."""

from __future__ import annotations

from fractions import Fraction
from math import dist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creased import Box, extract_level_set
from creased.core.exact.elimination import rank
from creased.tropical import (
    TropicalPolynomial,
    TropicalRational,
    ZeroSetHasInteriorError,
    decision_boundary,
    dual_subdivision,
    newton_polytope,
)
from tests.strategies import random_program
from tests.tropical.nets import named

CONIC = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]


def _of(name: str) -> tuple[TropicalPolynomial, TropicalPolynomial]:
    rational = TropicalRational.from_program(named(name))
    return rational.numerator, rational.denominator


def _counts(polynomial: TropicalPolynomial) -> tuple[int, int]:
    found = dual_subdivision(polynomial)
    return len(found.vertices), len(found.directions)


def test_smooth_conic_has_four_vertices_and_three_directions() -> None:
    found = dual_subdivision(TropicalPolynomial(CONIC, [0, 1, 1, 0, 1, 0]))
    assert (len(found.vertices), len(found.directions), found.n_redundant) == (4, 3, 0)
    assert sorted(found.directions) == [(-1, 0), (0, -1), (1, 1)]
    assert sorted(len(cell) for cell in found.cells) == [3, 3, 3, 3]
    assert len(found.edges) == 9


def test_double_line_has_three_redundant_monomials() -> None:
    found = dual_subdivision(TropicalPolynomial(CONIC, [0, -1, -1, 0, -1, 0]))
    assert (len(found.vertices), len(found.directions), found.n_redundant) == (1, 3, 3)


@pytest.mark.parametrize(
    ("name", "which", "expected"),
    [
        ("L1", "F+G", (4, 4)),
        ("E231", "F.G", (3, 6)),
        ("E231", "F+G", (3, 4)),
        ("E2321", "F", (5, 5)),
        ("E2321", "G", (3, 5)),
        ("E2321", "F.G", (7, 10)),
        ("rnd[3,3,2,1]s5", "F.G", (2, 8)),
    ],
)
def test_named_net_has_the_vertices_and_directions_of_the_table(
    name: str, which: str, expected: tuple[int, int]
) -> None:
    first, second = _of(name)
    chosen = {"F": first, "G": second, "F.G": first.odot(second), "F+G": first.oplus(second)}[which]
    assert _counts(chosen) == expected


def test_lower_dimensional_newton_polytope_has_lineality_and_no_vertices() -> None:
    found = dual_subdivision(_of("E231")[1])  # two monomials
    assert found.lineality_dim == 1
    assert found.vertices == ()
    assert found.edges == ((0, 1),)
    single = dual_subdivision(TropicalPolynomial([(1, 2)], [3]))
    assert (single.lineality_dim, single.vertices, single.directions) == (2, (), ())


coefficients = st.lists(st.integers(-4, 4), min_size=6, max_size=6)


@given(coefficients)
def test_areas_of_the_dual_cells_add_up_to_that_of_the_newton_polytope(constants: list[int]) -> None:
    found = dual_subdivision(TropicalPolynomial(CONIC, constants))
    slopes = found.polynomial.slopes
    total = sum(_hull_area([slopes[i] for i in cell]) for cell in found.cells)
    assert total == _hull_area(list(newton_polytope(found.polynomial))) == 2


def _hull_area(points: list[tuple[Fraction, ...]]) -> Fraction:
    """Exact area of a convex hull in the plane (Andrew's chain)."""

    def chain(ordered: list[tuple[Fraction, ...]]) -> list[tuple[Fraction, ...]]:
        kept: list[tuple[Fraction, ...]] = []
        for p in ordered:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], p) <= 0:
                kept.pop()
            kept.append(p)
        return kept[:-1]

    ordered = sorted(points)
    ring = chain(ordered) + chain(ordered[::-1])
    pairs = zip(ring, ring[1:] + ring[:1], strict=True)
    return abs(sum((a[0] * b[1] - a[1] * b[0] for a, b in pairs), Fraction(0))) / 2


def _turn(a: tuple[Fraction, ...], b: tuple[Fraction, ...], c: tuple[Fraction, ...]) -> Fraction:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@given(coefficients)
def test_all_monomials_of_a_dual_cell_attain_the_maximum_at_its_vertex(constants: list[int]) -> None:
    polynomial = TropicalPolynomial(CONIC, constants)
    found = dual_subdivision(polynomial)
    for vertex, cell in zip(found.vertices, found.cells, strict=True):
        values = [
            sum(a * x for a, x in zip(s, vertex, strict=True)) + c
            for s, c in zip(found.polynomial.slopes, found.polynomial.coefficients, strict=True)
        ]
        assert {i for i, v in enumerate(values) if v == max(values)} == set(cell)
        assert max(values) == polynomial.value_at(vertex)
        first = found.polynomial.slopes[cell[0]]
        arms = [[int(a - b) for a, b in zip(found.polynomial.slopes[i], first, strict=True)] for i in cell]
        assert rank([arm for arm in arms if any(arm)]) == 2


def test_newton_polytope_of_a_sum_is_the_hull_of_both() -> None:
    for name in ("E231", "E2321", "rnd[3,3,2,1]s5"):
        first, second = _of(name)
        corners = (*newton_polytope(first), *newton_polytope(second))
        expected = newton_polytope(TropicalPolynomial(corners, [0] * len(corners)))
        assert newton_polytope(first.oplus(second)) == expected


def test_boundary_of_the_diamond_is_its_four_sides() -> None:
    faces = decision_boundary(TropicalRational.from_program(named("L1")))
    sides = {frozenset(face.vertices) for face in faces}
    corners = [(1, 0), (0, 1), (-1, 0), (0, -1)]
    assert sides == {frozenset((corners[i], corners[i - 1])) for i in range(4)}
    assert all(face.directions == () for face in faces)


@pytest.mark.parametrize("name", ["E2321", "rnd[2,4,1]s1", "rnd[2,4,3,1]s3", "rnd[2,4,4,1]s1"])
def test_boundary_in_a_box_is_the_level_set(name: str) -> None:
    box = Box.cube(2, 3)
    rational = TropicalRational.from_program(named(name), box)
    faces = decision_boundary(rational)
    for face in faces:
        assert all(rational.value_at(vertex) == 0 for vertex in face.vertices)
    surface = extract_level_set(named(name), box)
    ends = surface.vertices[surface.edges]
    expected = float((ends[:, 0] - ends[:, 1]).norm(dim=1).sum())
    lengths = [dist(*([float(x) for x in v] for v in face.vertices)) for face in faces]
    assert sum(lengths) == pytest.approx(expected)


def test_boundary_of_generic_networks_is_the_level_set() -> None:
    for seed in range(6):
        program, box = random_program(2, (5, 4), seed=seed), Box.cube(2, 1)
        faces = decision_boundary(TropicalRational.from_program(program, box))
        surface = extract_level_set(program, box)
        ends = surface.vertices[surface.edges]
        expected = float((ends[:, 0] - ends[:, 1]).norm(dim=1).sum())
        lengths = [dist(*([float(x) for x in v] for v in face.vertices)) for face in faces]
        assert sum(lengths) == pytest.approx(expected)


def test_boundary_without_vertices_has_a_line() -> None:
    program = random_program(2, (), seed=1)  # one affine function
    (face,) = decision_boundary(TropicalRational.from_program(program))
    assert sorted(face.directions)[0] == tuple(-x for x in sorted(face.directions)[1])


def test_boundary_has_the_places_that_are_only_touched() -> None:
    """The function |x| + max(y, 1) - 1: a ray, and |x - y|, a line."""
    ray = TropicalPolynomial([(1, 0), (-1, 0), (1, 1), (-1, 1)], [1, 1, 0, 0])
    flat = TropicalPolynomial([(0, 0)], [1])
    (face,) = decision_boundary(TropicalRational(ray, flat))
    assert (face.vertices, face.directions) == (((0, 1),), ((0, -1),))
    both = TropicalPolynomial([(2, 0), (0, 2)], [0, 0])
    (face,) = decision_boundary(TropicalRational(TropicalPolynomial([(1, 1)], [0]), both))
    assert sorted(face.directions) == [(-1, -1), (1, 1)]
    (side,) = decision_boundary(TropicalRational(TropicalPolynomial([(1, 0)], [0]), flat), Box.cube(2, 1))
    assert {*side.vertices} == {(1, -1), (1, 1)}  # F = G on a wall


@pytest.mark.parametrize("name", ["E231", "FLAT", "tent"])
def test_zero_set_with_interior_is_refused_with_a_monomial(name: str) -> None:
    with pytest.raises(ZeroSetHasInteriorError, match="on an open set"):
        decision_boundary(TropicalRational.from_program(named(name)))


def test_rounded_maps_are_refused() -> None:
    rounded = TropicalRational.from_program(named("L1"), Box.cube(2, 1), exact=False)
    with pytest.raises(ValueError, match="needs an exact map"):
        decision_boundary(rounded)


def test_maps_known_elsewhere_are_refused() -> None:
    rational = TropicalRational.from_program(named("L1"), Box.cube(2, 1))
    with pytest.raises(ValueError, match="is known on"):
        decision_boundary(rational, Box.cube(2, 2))
