"""Meshes with holes, without volume, inside out."""

import logging

import numpy as np
import pytest
import trimesh

from creased.shapes import ShapeError, load_shape
from creased.shapes.repair import make_watertight


def _open_sphere() -> trimesh.Trimesh:
    sphere = trimesh.creation.icosphere(subdivisions=3)
    sphere.update_faces(np.arange(len(sphere.faces)) > 20)
    return sphere


def test_a_closed_mesh_is_left_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    sphere = trimesh.creation.icosphere()
    with caplog.at_level(logging.INFO):
        assert make_watertight(sphere, "ball") is sphere
    assert "watertight as it is" in caplog.text


def test_holes_are_closed_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    closed = make_watertight(_open_sphere(), "ball")
    assert closed.is_watertight
    assert "repaired by pymeshfix" in caplog.text


def test_holes_are_refused_on_request() -> None:
    with pytest.raises(ShapeError, match=r"not watertight.*shape\.repair=false"):
        make_watertight(_open_sphere(), "ball", repair=False)


def test_a_mesh_without_volume_is_refused() -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=float)
    sheet = trimesh.Trimesh(corners, [[0, 1, 2], [0, 2, 1]], process=False)
    with pytest.raises(ShapeError, match=r"no volume|could not close"):
        make_watertight(sheet, "sheet")


def test_vertices_at_nan_are_refused() -> None:
    box = trimesh.creation.box()
    vertices = box.vertices.copy()
    vertices[0, 0] = np.nan
    with pytest.raises(ShapeError, match="NaN"):
        make_watertight(trimesh.Trimesh(vertices, box.faces, process=False), "box")


def test_an_inside_out_mesh_is_reversed() -> None:
    box = trimesh.creation.box()
    box.invert()
    assert make_watertight(box, "box").volume == pytest.approx(1)


def test_the_users_coordinates_come_back() -> None:
    box = trimesh.creation.box(extents=(2, 4, 6))
    box.apply_translation([100, -20, 7])
    shape = load_shape("box", lambda: box)
    np.testing.assert_allclose(shape.to_domain.invert(shape.mesh.vertices), box.vertices, atol=1e-12)
    assert abs(shape.mesh.bounds).max() == pytest.approx(0.45)
