"""Decimation: about as many triangles as asked for, near the surface, and closed as before."""

import pytest
import trimesh

from creased.meshes.decimation import decimate
from creased.meshes.import_open3d import import_open3d
from creased.meshes.polygon_mesh import PolygonMesh


def test_a_sphere_is_decimated_to_what_was_asked_for() -> None:
    if import_open3d() is None:
        pytest.skip("open3d cannot be imported here")
    sphere = trimesh.creation.icosphere(subdivisions=3)
    fewer = decimate(PolygonMesh.of_triangles(sphere.vertices, sphere.faces), 200)
    assert 150 < fewer.polygons.n <= 200
    assert fewer.to_trimesh().is_watertight
    assert fewer.volume() == pytest.approx(sphere.volume, rel=0.05)


def test_fewer_than_four_triangles_are_refused() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=0)
    with pytest.raises(ValueError, match="at least 4 triangles, got 3"):
        decimate(PolygonMesh.of_triangles(sphere.vertices, sphere.faces), 3)
