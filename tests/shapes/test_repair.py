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
        closed = make_watertight(sphere, "ball")
    np.testing.assert_array_equal(closed.triangles, sphere.triangles)
    assert "watertight as it is" in caplog.text


def test_holes_are_closed_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    closed = make_watertight(_open_sphere(), "ball")
    assert closed.is_watertight
    assert "closed by pymeshfix" in caplog.text


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


def _sphere(radius: float, x: float = 0.0) -> trimesh.Trimesh:
    sphere = trimesh.creation.icosphere(subdivisions=3, radius=radius)
    sphere.apply_translation([x, 0, 0])
    return sphere


def test_closed_components_beside_an_open_one_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    both = trimesh.util.concatenate([_open_sphere(), _sphere(0.7, 3.0)])
    closed = make_watertight(both, "two")
    assert closed.body_count == 2
    assert closed.is_watertight


def test_cubes_that_share_an_edge_are_both_kept() -> None:
    one, other = trimesh.creation.box(), trimesh.creation.box()
    other.apply_translation([1, 1, 0])
    touching = trimesh.util.concatenate([one, other])
    touching.merge_vertices()
    assert make_watertight(touching, "cubes").volume == pytest.approx(2)


def test_fragments_are_dropped_with_a_word(caplog: pytest.LogCaptureFixture) -> None:
    speck = _sphere(0.01, 5.0)
    speck.update_faces(np.arange(len(speck.faces)) > 5)
    closed = make_watertight(trimesh.util.concatenate([_open_sphere(), speck]), "dusty")
    assert closed.body_count == 1
    assert "1 fragments" in caplog.text


def test_a_component_that_is_inside_out_is_turned_and_a_cavity_is_kept() -> None:
    reversed_part, cavity = _sphere(0.5, 3.0), _sphere(0.4)
    reversed_part.invert()
    mixed = trimesh.util.concatenate([_sphere(1.0), reversed_part, cavity])
    shape = load_shape("mixed", lambda: mixed)
    centres = shape.to_domain.apply(np.array([[0.0, 0, 0], [0.7, 0, 0], [3.0, 0, 0]]))
    np.testing.assert_array_equal(np.sign(shape.index.signed_distance(centres)), [1, -1, -1])
