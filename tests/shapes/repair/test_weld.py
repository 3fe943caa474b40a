"""Vertices are welded along open edges, at a tolerance relative to the size, and no detail is lost."""

import numpy as np
import pytest
import trimesh
from trimesh.creation import box

from creased.shapes.repair.edges import find_edges
from creased.shapes.repair.weld import weld
from tests.shapes.repair.meshes import ball, halves, soup


def _n_open(triangles: np.ndarray) -> int:
    return int(find_edges(triangles).is_open.sum())


def test_a_soup_becomes_the_mesh_it_was() -> None:
    loose = soup(ball())
    found = weld(np.asarray(loose.vertices), np.asarray(loose.faces), 0.0)
    assert _n_open(found.triangles) == 0
    assert len(np.unique(found.triangles)) == len(ball().vertices)
    assert (found.n_merged, found.n_split) == (0, 0)


def test_seams_are_merged_within_the_tolerance_alone() -> None:
    mesh = halves(1e-5)
    arrays = np.asarray(mesh.vertices), np.asarray(mesh.faces)
    assert _n_open(weld(*arrays, 2e-5).triangles) == 0
    assert weld(*arrays, 2e-5).n_merged > 0
    assert _n_open(weld(*arrays, 2e-6).triangles) == _n_open(arrays[1]) > 0


def test_detail_of_closed_meshes_and_short_edges_are_left_alone() -> None:
    """The tolerance is larger than the whole mesh."""
    small = ball(1e-3)
    found = weld(np.asarray(small.vertices), np.asarray(small.faces), 1.0)
    np.testing.assert_array_equal(found.triangles, small.faces)
    opened = small.copy()
    opened.update_faces(np.arange(320) > 0)
    found = weld(np.asarray(opened.vertices), np.asarray(opened.faces), 1.0)
    np.testing.assert_array_equal(found.triangles, opened.faces)


@pytest.mark.parametrize("n_more", [0, 1])
def test_t_junctions_are_closed(n_more: int) -> None:
    """The top of a box is finer than its other sides."""
    sides, top = box(), box()
    is_top = sides.face_normals[:, 2] > 0.5
    sides.update_faces(~is_top)
    top.update_faces(is_top)
    for _ in range(n_more):
        sides = sides.subdivide()
    for _ in range(n_more + 2):
        top = top.subdivide()
    loose = soup(trimesh.util.concatenate([sides, top]))
    found = weld(np.asarray(loose.vertices), np.asarray(loose.faces), 1e-4)
    assert _n_open(found.triangles) == 0
    assert found.n_split == 4 * 2**n_more
    assert trimesh.Trimesh(found.vertices, found.triangles, process=False).volume == pytest.approx(1)
