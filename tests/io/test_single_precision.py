"""Formats of single precision, far from the origin and in extreme sizes."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from creased.io.export import write_mesh
from creased.io.metadata import check_written
from creased.io.single_precision import rounding
from creased.meshes.polygon_mesh import PolygonMesh
from creased.shapes import File

AT = np.array([447213.5, 5411978.25, 312.0])


NEAR = np.array([0.1, 0.0, -0.2])


def _far(size: float = 1.0, at: np.ndarray = AT) -> PolygonMesh:
    ball = trimesh.creation.icosphere(subdivisions=3)
    return PolygonMesh.of_triangles(size * ball.vertices + at * size, ball.faces)


@pytest.mark.parametrize("at", [AT, NEAR], ids=["far", "near"])
@pytest.mark.parametrize("size", [1.0, 1e-8, 1e-50, 1e45])
def test_glb_keeps_a_mesh_of_any_size_where_it_is(size: float, at: np.ndarray, tmp_path: Path) -> None:
    mesh = _far(size, at)
    write_mesh(mesh, tmp_path / "mesh.glb")
    found = File(str(tmp_path / "mesh.glb"))()
    assert len(found.vertices) == len(mesh.vertices)
    moved = trimesh.proximity.cKDTree(found.vertices / size).query(mesh.vertices.numpy() / size)[0]
    assert moved.max() < 2e-7  # single precision about the centre; double precision has 1e-9 there
    assert found.is_watertight


def test_stl_says_what_it_loses_and_only_then(tmp_path: Path) -> None:
    mesh = _far()
    for ending in ("glb", "ply", "3mf"):
        assert write_mesh(mesh, tmp_path / f"mesh.{ending}", "meter") is None
    near = PolygonMesh(mesh.vertices - mesh.vertices.mean(0), mesh.polygons)
    assert write_mesh(near, tmp_path / "near.stl") is None
    loss = write_mesh(mesh, tmp_path / "mesh.stl", "meter")
    assert 0.1 < rounding(mesh) < 0.27  # the spacing at 5.4e6 is 0.5
    assert loss is not None
    assert f"up to {rounding(mesh):.3g} m" in loss


def test_a_glb_is_checked_as_it_is_stored(tmp_path: Path) -> None:
    pytest.importorskip("open3d")
    mesh = _far()
    assert check_written(mesh, tmp_path / "mesh.stl")["n_self_intersections"] > 0
    assert check_written(mesh, tmp_path / "mesh.glb")["n_self_intersections"] == 0
