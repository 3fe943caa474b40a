"""Metrics of meshes and functions against closed forms."""

import numpy as np
import pytest
import trimesh

from creased.shapes import load_shape
from creased.shapes.metrics import compare_functions, compare_meshes
from tests.shapes.boxes import DOMAIN, make_box


def test_a_mesh_is_at_no_distance_from_itself() -> None:
    box = make_box()
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
