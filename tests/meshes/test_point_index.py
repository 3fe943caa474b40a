"""Signed distances to oriented points, against closed forms."""

import numpy as np
import pytest
import trimesh

from creased.meshes.algebraic_spheres import fit_spheres
from creased.meshes.point_index import PointIndex

RNG = np.random.default_rng(0)


def _ball(n: int = 4000, radius: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    normals = np.random.default_rng(1).standard_normal((n, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return radius * normals, normals


@pytest.fixture(scope="module")
def ball() -> PointIndex:
    return PointIndex(*_ball())


def test_spheres_and_planes_are_fitted_exactly() -> None:
    normals = RNG.standard_normal((5, 20, 3))
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    centres, radii = RNG.standard_normal((5, 3)), np.array([1.0, 2.0, 0.5, 10.0, 1e4])
    weights = RNG.random((5, 20))
    found = fit_spheres(centres[:, None] + radii[:, None, None] * normals, normals, weights)
    norm = np.linalg.norm(centres, axis=1)
    np.testing.assert_allclose(found.distance, norm - radii, rtol=1e-9)
    np.testing.assert_allclose(found.normal, -centres / norm[:, None], atol=1e-7)
    flat = np.concatenate([RNG.standard_normal((5, 20, 2)), np.full((5, 20, 1), -0.3)], axis=2)
    found = fit_spheres(flat, np.broadcast_to([0.0, 0.0, 1.0], flat.shape), weights)
    np.testing.assert_allclose(found.distance, 0.3, rtol=1e-12)


def test_each_point_has_its_share_of_the_area(ball: PointIndex) -> None:
    assert ball.areas.sum() == pytest.approx(4 * np.pi * 0.4**2, rel=0.1)


def test_distances_to_a_ball_are_those_of_the_closed_form(ball: PointIndex) -> None:
    places = RNG.uniform(-0.5, 0.5, (20_000, 3))
    expected = np.linalg.norm(places, axis=1) - 0.4
    found = ball.signed_distance(places)
    assert np.array_equal(found < 0, expected < 0)
    is_near = np.abs(expected) < ball.spacing.min()
    assert is_near.sum() > 100
    is_reproduced = np.abs(found - expected)[is_near] < 1e-9
    assert is_reproduced.mean() > 0.99
    np.testing.assert_allclose(found, expected, atol=0.02)  # elsewhere to the nearest point


def test_the_hole_of_a_torus_is_outside() -> None:
    ring = trimesh.creation.torus(0.3, 0.1, major_sections=96, minor_sections=48)
    points, triangles = trimesh.sample.sample_surface(ring, 5000, seed=0)
    index = PointIndex(points, ring.face_normals[triangles])
    places = RNG.uniform(-0.45, 0.45, (5000, 3))
    expected = np.hypot(np.hypot(places[:, 0], places[:, 1]) - 0.3, places[:, 2]) - 0.1
    is_clear = np.abs(expected) > 0.002
    assert np.array_equal(index.signed_distance(places[is_clear]) < 0, expected[is_clear] < 0)
    assert index.signed_distance(np.zeros((1, 3)))[0] > 0.19


def test_where_points_are_missing_the_winding_number_decides() -> None:
    points, normals = _ball(8000)
    is_there = points[:, 2] < 0.35  # a cap is open
    index = PointIndex(points[is_there], normals[is_there])
    on_axis = np.array([[0, 0, 0], [0, 0, 0.3], [0, 0, 0.44], [0, 0, -0.5]])
    assert (index.signed_distance(on_axis) < 0).tolist() == [True, True, False, False]


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="12 points, got 12"):
        PointIndex(*_ball(12))
