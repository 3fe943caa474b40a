"""Signed distances, samples and metrics against closed forms."""

import numpy as np
import pytest
import trimesh

from creased.core.domains.box import Box
from creased.meshes.queries import TriangleIndex
from creased.shapes import Shape, load_shape
from creased.shapes.metrics import compare_functions, compare_meshes
from creased.shapes.sampling import sample_distances

RNG = np.random.default_rng(0)
DOMAIN = Box.cube(3, 0.5)


def _box_distance(points: np.ndarray, half: np.ndarray) -> np.ndarray:
    q = np.abs(points) - half
    return np.linalg.norm(q.clip(0), axis=1) + q.max(axis=1).clip(max=0)


@pytest.fixture(scope="module")
def box() -> Shape:
    return load_shape("box", lambda: trimesh.creation.box(extents=(1, 0.6, 0.4)))


def test_signed_distance_of_a_box_is_exact(box: Shape) -> None:
    points = RNG.uniform(-0.5, 0.5, (5000, 3))
    expected = _box_distance(points, box.mesh.bounds[1])
    np.testing.assert_allclose(box.index.signed_distance(points), expected, atol=1e-6)


def test_a_hole_does_not_change_the_sign_far_from_it() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=4, radius=0.4)
    sphere.update_faces(sphere.triangles_center[:, 2] < 0.38)
    points = RNG.uniform(-0.5, 0.5, (5000, 3))
    radius = np.linalg.norm(points, axis=1)
    clear = (points[:, 2] < 0.2) & (abs(radius - 0.4) > 0.01)
    signs = np.sign(TriangleIndex(sphere.vertices, sphere.faces).signed_distance(points))
    np.testing.assert_array_equal(signs[clear], np.sign(radius - 0.4)[clear])


def test_most_samples_are_near_the_surface_and_all_in_the_domain(box: Shape) -> None:
    samples = sample_distances(box, DOMAIN, 20_000, near=0.8, spreads=[0.01], rng=np.random.default_rng(1))
    assert samples.points.dtype == np.float32
    assert np.abs(samples.points).max() <= 0.5
    share = (np.abs(samples.distances) < 0.02).mean()
    assert 0.75 < share < 0.95
    expected = _box_distance(samples.points, box.mesh.bounds[1])
    np.testing.assert_allclose(samples.distances, expected, atol=1e-6)


def test_surface_samples_are_uniform_by_area(box: Shape) -> None:
    points, triangles = box.sample_surface(50_000, np.random.default_rng(2))
    counts = np.bincount(triangles, minlength=len(box.mesh.faces))
    np.testing.assert_allclose(counts / 50_000, box.mesh.area_faces / box.mesh.area, atol=0.01)
    assert np.abs(box.index.signed_distance(points)).max() < 1e-6


def test_a_mesh_is_at_no_distance_from_itself(box: Shape) -> None:
    found = compare_meshes(box, box.mesh.vertices, box.mesh.faces, 2000, np.random.default_rng(3))
    assert found["chamfer_l1_mean"] < 1e-6
    assert found["normal_consistency"] > 0.999


def test_concentric_spheres_have_their_distance() -> None:
    shape = load_shape("ball", lambda: trimesh.creation.icosphere(subdivisions=5))
    other = trimesh.creation.icosphere(subdivisions=5, radius=0.40)
    found = compare_meshes(shape, other.vertices, other.faces, 5000, np.random.default_rng(4))
    assert found["chamfer_l1_mean"] == pytest.approx(0.05, abs=2e-4)
    assert found["hausdorff_sampled"] == pytest.approx(0.05, abs=5e-4)


def test_iou_and_surface_error_have_their_closed_forms() -> None:
    shape = load_shape("ball", lambda: trimesh.creation.icosphere(subdivisions=5))
    found = compare_functions(
        shape, DOMAIN, lambda x: np.linalg.norm(x, axis=1) - 0.4, 5000, 100_000, np.random.default_rng(5)
    )
    assert found["iou"] == pytest.approx((0.4 / 0.45) ** 3, abs=0.01)
    assert found["surface_error_mean"] == pytest.approx(0.05, abs=5e-4)
