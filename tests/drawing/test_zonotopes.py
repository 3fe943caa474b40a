"""Zonotopes as drawn: the vertices of the table, faces that close, upper ones in the regions' colours."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from mpl_toolkits.mplot3d.art3d import Line3DCollection, Path3DCollection, Poly3DCollection

from creased.drawing import Solid, draw_curve, draw_zonotope, flatten_curve, solid_of, upper_polynomial
from creased.tropical import Zonotope, zonotope_of_layer
from tests.drawing.axes import drawn, new_axes
from tests.strategies import random_program
from tests.tropical.nets import arrangement, named

TABLE = [(3, 8, 7, 6), (5, 22, 16, 10), (6, 32, 22, 12)]  # neurons, vertices, upper, at infinity


def _layer(n: int) -> Zonotope:
    return zonotope_of_layer(named("E231") if n == 3 else random_program(2, (n,), seed=n + 2))


@pytest.mark.parametrize(("n", "n_vertices", "n_upper", "n_shadow"), TABLE)
def test_as_much_is_drawn_as_the_table_says(n: int, n_vertices: int, n_upper: int, n_shadow: int) -> None:
    solid, axes = solid_of(_layer(n)), new_axes("3d")
    n_faces = n * (n - 1)
    draw_zonotope(axes, solid)
    dots = [points.get_offsets() for points in drawn(axes, Path3DCollection)]  # lower, upper; twice
    assert sum(map(len, dots[1::2])) == n_upper
    assert sum(map(len, dots[0::2])) == n_vertices - n_upper
    lines = drawn(axes, Line3DCollection)
    assert sum(len(part._segments3d) for part in lines) == n_vertices + n_faces - 2
    assert len(solid.faces) == n_faces
    shadow, front = drawn(axes, Poly3DCollection)
    assert len(front._faces) == n_faces // 2  # the other half, by symmetry, is behind
    assert len(shadow._faces) == n * (n - 1) // 2  # upper faces, one for each two neurons
    above, below = ({i for face in _faces(solid, side) for i in face} for side in (1, -1))
    assert above == set(range(n_upper))
    assert len(above & below) == n_shadow


def _faces(solid: Solid, side: int) -> list[tuple[int, ...]]:
    """Those whose normals point up (1) or down (-1)."""
    return [face for face, normal in zip(solid.faces, solid.normals, strict=True) if normal[2] * side > 0]


@pytest.mark.parametrize("n", [3, 5, 6])
def test_faces_are_planar_and_turn_around_their_normals_and_every_edge_has_two(n: int) -> None:
    solid = solid_of(_layer(n))
    sides = Counter(side for face in solid.faces for side in pairwise((*face, face[0])))
    assert set(sides.values()) == {1}
    assert all(side[::-1] in sides for side in sides)
    for face, normal in zip(solid.faces, solid.normals, strict=True):
        corners = solid.vertices[list(face)]
        assert np.ptp(corners @ normal) == pytest.approx(0, abs=1e-12)
        area = sum(np.cross(a, b) for a, b in pairwise([*corners, corners[0]]))
        assert area @ normal > 0
        assert (solid.vertices @ normal).max() == pytest.approx((corners @ normal).max())


def test_parallel_and_coplanar_generators_share_faces() -> None:
    solid = solid_of(zonotope_of_layer(arrangement([[1, 0, 0], [2, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]])))
    assert sorted(map(len, solid.faces)) == [4, 4, 4, 4, 4, 4, 6, 6]  # a prism over a hexagon
    assert len(solid.vertices) == 12


def test_upper_vertices_have_the_colours_of_their_regions() -> None:
    zonotope = _layer(5)
    solid, curve = solid_of(zonotope), flatten_curve(upper_polynomial(zonotope))
    np.testing.assert_array_equal(solid.vertices[: solid.n_upper, :2], curve.slopes)
    plane, space = new_axes(), new_axes("3d")
    draw_curve(plane, curve, numbers=False)
    draw_zonotope(space, solid)
    space.figure.draw_without_rendering()  # until then dots have no order
    (regions,) = drawn(plane, PolyCollection)
    dots = [colour for points in drawn(space, Path3DCollection)[1::2] for colour in points.get_facecolors()]
    assert sorted(map(tuple, dots)) == sorted(map(tuple, regions.get_facecolors()))


def test_floor_shows_the_dual_subdivision() -> None:
    zonotope = _layer(6)
    solid, curve = solid_of(zonotope), flatten_curve(upper_polynomial(zonotope))
    assert {frozenset(face) for face in _faces(solid, 1)} == {frozenset(cell) for cell in curve.dual.cells}


def test_what_is_not_solid_is_refused() -> None:
    with pytest.raises(ValueError, match="span three dimensions"):
        solid_of(zonotope_of_layer(arrangement([[1, 0, 0], [0, 1, 0], [1, 1, 0]])))
    with pytest.raises(ValueError, match="span three dimensions"):
        solid_of(Zonotope(((Fraction(1), Fraction(2)), (Fraction(1), Fraction(1))), 2))
    with pytest.raises(ValueError, match="span three dimensions"):
        solid_of(zonotope_of_layer(random_program(3, (4,), seed=1)))
