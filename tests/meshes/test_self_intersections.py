"""Self-intersections: found box by box as by all pairs, and none where there are none."""

import numpy as np
import pytest
import trimesh

from creased.meshes import self_intersections as module
from creased.meshes.caps import cap
from creased.meshes.import_open3d import import_open3d
from creased.meshes.polygon_mesh import PolygonMesh
from creased.meshes.self_intersections import self_intersections
from tests.meshes.test_caps import BOXES, cut_surface


@pytest.fixture(autouse=True)
def _with_open3d() -> None:
    if import_open3d() is None:
        pytest.skip("open3d cannot be imported here")


def _spheres(distance: float) -> PolygonMesh:
    sphere = trimesh.creation.icosphere(subdivisions=2)
    other = sphere.copy()
    other.apply_translation([distance, 0.013, 0.029])
    both = trimesh.util.concatenate([sphere, other])
    return PolygonMesh.of_triangles(both.vertices, both.faces)


def test_boxes_find_the_pairs_that_all_against_all_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = _spheres(1.1)
    boxed = self_intersections(mesh)
    monkeypatch.setattr(module, "LEAF", 10**6)
    np.testing.assert_array_equal(boxed, self_intersections(mesh))
    assert len(boxed) > 20


def test_spheres_apart_do_not_meet() -> None:
    assert len(self_intersections(_spheres(2.5))) == 0


def test_rounding_can_make_a_surface_meet_itself() -> None:
    gap = 2.0 + 1e-9  # far out single precision cannot hold it
    boxes = [trimesh.creation.icosphere(subdivisions=1), trimesh.creation.icosphere(subdivisions=1)]
    boxes[1].apply_translation([gap, 0.01, 0.02])
    both = trimesh.util.concatenate(boxes)
    mesh = PolygonMesh.of_triangles(both.vertices + np.array([1e8, 0.0, 0.0]), both.faces)
    assert len(self_intersections(mesh, "float64")) == 0
    assert len(self_intersections(mesh, "float32")) > 0


def test_near_slivers_that_open3d_reports_are_not_counted() -> None:
    mesh = cap(cut_surface(42, BOXES[0]))
    open3d = import_open3d()
    vertices = open3d.utility.Vector3dVector(mesh.vertices.numpy())
    triangles = open3d.utility.Vector3iVector(mesh.triangles().int().numpy())
    assert open3d.geometry.TriangleMesh(vertices, triangles).is_self_intersecting()
    assert len(self_intersections(mesh)) == 0
