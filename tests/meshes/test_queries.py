"""Signed distances to meshes against closed forms."""

import numpy as np
import trimesh

from creased.meshes.queries import TriangleIndex
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
