"""Signed distances and insides of meshes against closed forms."""

import numpy as np
import pytest
import trimesh

from creased.meshes.queries import TriangleIndex
from creased.shapes import bracket
from creased.shapes.surface import Surface
from tests.shapes.boxes import box_distance, make_box

RNG = np.random.default_rng(0)


def test_signed_distance_of_a_box_is_exact() -> None:
    box = make_box()
    points = RNG.uniform(-0.5, 0.5, (5000, 3))
    expected = box_distance(points, box.mesh.bounds[1])
    np.testing.assert_allclose(box.index.signed_distance(points), expected, atol=1e-6)


def test_a_hole_does_not_change_the_sign_far_from_it() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=4, radius=0.4)
    sphere.update_faces(sphere.triangles_center[:, 2] < 0.38)
    points = RNG.uniform(-0.5, 0.5, (5000, 3))
    radius = np.linalg.norm(points, axis=1)
    clear = (points[:, 2] < 0.2) & (abs(radius - 0.4) > 0.01)
    signs = np.sign(TriangleIndex(sphere.vertices, sphere.faces).signed_distance(points))
    np.testing.assert_array_equal(signs[clear], np.sign(radius - 0.4)[clear])


@pytest.mark.parametrize("place", [(0.0, 0.0, 0.0), (0.125, 0.0625, 0.0)])
def test_points_above_and_below_edges_and_corners_are_told_apart(place: tuple[float, float, float]) -> None:
    mesh = trimesh.creation.box((0.5, 0.5, 0.5)).subdivide()
    mesh.apply_translation(place)
    index = TriangleIndex(mesh.vertices, mesh.faces)
    steps = np.arange(-5, 6) / 8
    points = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3) + place
    outside = np.abs(points - place).max(axis=1)
    clear = outside != 0.25  # not on the surface; lines upward still meet walls, edges and corners
    np.testing.assert_array_equal(index.contains(points)[clear], (outside < 0.25)[clear])


def test_solids_that_overlap_contain_what_either_contains_and_cavities_do_not() -> None:
    cavity = trimesh.creation.box((0.1, 0.1, 0.1))
    cavity.invert()
    parts = [trimesh.creation.box((0.6, 0.2, 0.2)), trimesh.creation.box((0.2, 0.6, 0.2))]
    mesh = trimesh.util.concatenate([*parts, cavity.apply_translation((0.2, 0, 0))])
    points = np.array([[0, 0, 0], [0.28, 0, 0], [0, 0.28, 0], [0.2, 0, 0], [0.2, 0.2, 0], [0, 0, 0.2]])
    index = TriangleIndex(mesh.vertices, mesh.faces)
    assert index.contains(points).tolist() == [True, True, True, False, False, False]
    assert (index.signed_distance(points) < 0).tolist() == index.contains(points).tolist()


@pytest.mark.parametrize("reverse", [False, True])
def test_closed_meshes_agree_with_the_generalized_winding_number(reverse: bool) -> None:
    mesh = bracket()()
    mesh.vertices *= 0.4
    if reverse:
        mesh.invert()
    closed = TriangleIndex(mesh.vertices, mesh.faces)
    with_hole = TriangleIndex(mesh.vertices, mesh.faces[1:])
    assert closed.is_closed
    assert not with_hole.is_closed
    points = RNG.uniform(-0.5, 0.5, (3000, 3))
    hole = mesh.triangles[0].mean(axis=0)
    clear = np.linalg.norm(points - hole, axis=1) > 0.2
    agree = closed.contains(points) == with_hole.contains(points)
    assert agree[clear].mean() > 0.999
    assert closed.contains(points).any() != reverse


def test_distances_to_slivers_are_those_of_float64() -> None:
    mesh = bracket()()  # bores whose fans have corners of a thousandth of a radian
    mesh.vertices *= 0.4
    points, _ = Surface.of_triangles(mesh.vertices, mesh.faces).sample(20_000, RNG)
    assert TriangleIndex(mesh.vertices, mesh.faces).nearest(points).distance.max() < 1e-7
