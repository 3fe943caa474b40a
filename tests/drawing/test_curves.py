"""Curves and dual subdivisions as drawn: the numbers of the table, duality, colours that match."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection, PolyCollection

from creased import Box
from creased.drawing import TropicalCurve, draw_curve, draw_dual, flatten_curve
from creased.tropical import TropicalPolynomial, TropicalRational
from tests.drawing.axes import drawn, new_axes
from tests.tropical.nets import named

TABLE = [  # name, which, regions, vertices, directions
    ("E231", "F.G", 7, 3, 6),
    ("E231", "F+G", 5, 3, 4),
    ("E2321", "F", 7, 5, 5),
    ("E2321", "G", 6, 3, 5),
    ("E2321", "F.G", 14, 7, 10),
    ("L1", "F+G", 5, 4, 4),
]


def _curve(name: str, which: str) -> TropicalCurve:
    f = TropicalRational.from_program(named(name))
    first, second = f.numerator, f.denominator
    return flatten_curve(
        {"F": first, "G": second, "F.G": first.odot(second), "F+G": first.oplus(second)}[which]
    )


def _area(corners: np.ndarray) -> float:
    x, y = corners.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


@pytest.mark.parametrize(("name", "which", "n_regions", "n_vertices", "n_directions"), TABLE)
def test_as_much_is_drawn_as_the_table_says(
    name: str, which: str, n_regions: int, n_vertices: int, n_directions: int
) -> None:
    curve = _curve(name, which)
    n_edges = n_regions + n_vertices - 1  # Euler's, of the plane
    left, right = new_axes(), new_axes()
    draw_curve(left, curve)
    draw_dual(right, curve)
    assert [len(p.get_paths()) for p in drawn(left, PolyCollection)] == [n_regions]
    assert [len(p.get_segments()) for p in drawn(left, LineCollection)] == [n_edges]
    assert [len(p.get_offsets()) for p in drawn(left, PathCollection)] == [n_vertices]
    assert [len(p.get_paths()) for p in drawn(right, PolyCollection)] == [n_vertices]
    assert [len(p.get_segments()) for p in drawn(right, LineCollection)] == [n_edges]
    assert len(drawn(right, PathCollection)[-1].get_offsets()) == n_regions
    assert len(curve.dual.directions) == n_directions
    labels = [str(i + 1) for i in range(n_regions)]
    assert [text.get_text() for axes in (left, right) for text in axes.texts] == [*labels, *labels]


@pytest.mark.parametrize("name", ["E231", "E2321"])
def test_regions_and_their_points_have_one_colour_and_no_two_the_same(name: str) -> None:
    curve = _curve(name, "F.G")
    left, right = new_axes(), new_axes()
    draw_curve(left, curve)
    draw_dual(right, curve)
    (regions,) = drawn(left, PolyCollection)
    points = drawn(right, PathCollection)[-1]
    np.testing.assert_array_equal(regions.get_facecolors(), points.get_facecolors())
    assert len(np.unique(regions.get_facecolors().round(3), axis=0)) == len(curve.slopes)


@pytest.mark.parametrize("name", ["E231", "E2321"])
def test_numbers_stand_in_their_regions_where_their_monomials_are_largest(name: str) -> None:
    curve = _curve(name, "F.G")
    axes = new_axes()
    draw_curve(axes, curve)
    constants = np.array([float(c) for c in curve.dual.polynomial.coefficients])
    for i, text in enumerate(axes.texts):
        values = curve.slopes @ np.array(text.get_position()) + constants
        assert values.argmax() == i
        assert (np.delete(values, i) < values[i]).all()


@pytest.mark.parametrize("name", ["E231", "E2321"])
def test_regions_fill_the_box_and_dual_edges_stand_at_right_angles(name: str) -> None:
    curve = _curve(name, "F.G")
    sides = np.subtract(curve.domain.upper, curve.domain.lower)
    assert sum(map(_area, curve.regions)) == pytest.approx(sides.prod())
    for segment, pair in zip(curve.segments, curve.pairs, strict=True):
        across = curve.slopes[pair[1]] - curve.slopes[pair[0]]
        assert across @ (segment[1] - segment[0]) == pytest.approx(0, abs=1e-12)


def test_a_box_may_leave_vertices_out() -> None:
    polynomial = TropicalPolynomial([(0, 0), (1, 0), (0, 1), (1, 1)], [0, 0, -1, -2])
    whole, part = flatten_curve(polynomial), flatten_curve(polynomial, Box((-1, -1), (0.5, 0.5)))
    assert len(part.segments) < len(whole.segments)
    axes = new_axes()
    draw_curve(axes, part)
    (regions,) = drawn(axes, PolyCollection)
    assert len(regions.get_paths()) == sum(len(corners) > 0 for corners in part.regions) == 2


def test_two_monomials_have_a_line_and_no_cell() -> None:
    curve = flatten_curve(TropicalPolynomial([(0, 0), (1, 2)], [0, 0]), Box.cube(2, 1))
    assert (len(curve.regions), len(curve.segments), len(curve.vertices)) == (2, 1, 0)
    axes = new_axes()
    draw_dual(axes, curve)
    assert len(drawn(axes, PathCollection)[-1].get_offsets()) == 2


def test_what_has_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="needs two variables, got 3"):
        flatten_curve(TropicalPolynomial([(0, 0, 0), (1, 0, 0)], [0, 0]))


def test_curves_without_vertices_are_shown_with_all_their_lines() -> None:
    found = flatten_curve(TropicalPolynomial([(1, 0), (0, 0), (2, 0)], [0, 10, -3000]))
    assert found.segments[:, :, 0].tolist() == [[10, 10], [3000, 3000]]
    assert (found.domain.lower[0] < 10, found.domain.upper[0] > 3000) == (True, True)
    nothing = flatten_curve(TropicalPolynomial([(1, 2)], [3]))
    assert (len(nothing.segments), len(nothing.regions[0])) == (0, 4)
