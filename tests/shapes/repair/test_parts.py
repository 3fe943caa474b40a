"""Meshes are cut into oriented manifold parts, whatever they are."""

import numpy as np
import pytest
import trimesh
from trimesh.creation import box, torus
from trimesh.util import concatenate

from creased.shapes.repair.edges import find_edges
from creased.shapes.repair.parts import split_parts
from tests.shapes.repair.meshes import ball, block, sheet


def _parts_of(mesh: trimesh.Trimesh) -> tuple[list[float], int]:
    parts, n_turned = split_parts(mesh.vertices, mesh.faces)
    for part in parts:
        assert find_edges(part.triangles).n_triangles.max() <= 2
    return sorted(part.volume for part in parts), n_turned


def _welded(*meshes: trimesh.Trimesh) -> trimesh.Trimesh:
    mesh = concatenate(meshes)
    mesh.merge_vertices()
    return mesh


def test_components_are_parts_in_their_order() -> None:
    parts, n_turned = split_parts(*_arrays(concatenate([ball(), box(), sheet()])))
    assert [len(part.triangles) for part in parts] == [320, 12, 722]
    assert [part.is_closed for part in parts] == [True, True, False]
    assert n_turned == 0


def test_solids_that_share_an_edge_or_a_vertex_are_parts_of_their_own() -> None:
    for corner in ([1, 1, 0], [1, 1, 1]):
        shared = _welded(block([0, 0, 0], [1, 1, 1]), block(corner, np.add(corner, 1)))
        assert _parts_of(shared) == (pytest.approx([1, 1]), 0)


def test_solids_that_share_a_face_are_parts_of_their_own() -> None:
    """Their walls lie on one another, but for the height: four triangles meet at the edges below."""
    heights = [0.5, 1, 1.5, 0.7]
    row = _welded(*(block([i, 0, 0], [i + 1, 1, height]) for i, height in enumerate(heights)))
    assert _parts_of(row) == (pytest.approx(sorted(heights)), 0)


def test_a_ring_of_solids_has_no_edge_of_four_triangles() -> None:
    """Around an opening, blocks that share edges at the corners are connected at both ends of these."""
    places = [(0, 0), (1, 1), (2, 0), (1, -1)]
    ring = _welded(*(block([x, y, 0], [x + 1, y + 1, 1]) for x, y in places))
    volumes, _ = _parts_of(ring)
    assert sum(volumes) == pytest.approx(4)


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_triangles_that_face_the_wrong_way_are_turned(share: float) -> None:
    mesh = torus(1, 0.3)
    is_wrong = np.random.default_rng(0).random(len(mesh.faces)) < share
    faces = np.where(is_wrong[:, None], mesh.faces[:, ::-1], mesh.faces)
    volumes, n_turned = _parts_of(trimesh.Trimesh(mesh.vertices, faces, process=False))
    assert volumes == [pytest.approx(mesh.volume)]
    assert n_turned == is_wrong.sum()


def test_a_one_sided_surface_is_cut_open() -> None:
    n = 30
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    rim = [1 + side * 0.3 * np.cos(angle / 2) for side in (-1, 1)]
    height = [side * 0.3 * np.sin(angle / 2) for side in (-1, 1)]
    rows = [
        np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1) for r, z in zip(rim, height, strict=True)
    ]
    a, b = np.arange(n), np.arange(n) + n
    c, d = np.append(b[1:], a[0]), np.append(a[1:], b[0])
    faces = np.concatenate([np.stack([a, d, b], axis=1), np.stack([d, c, b], axis=1)])
    (part,), _ = split_parts(np.concatenate(rows), faces)
    assert len(part.triangles) == len(faces)
    assert len(part.vertices) == 2 * n + 2  # an edge of the strip is there twice


def _arrays(mesh: trimesh.Trimesh) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)
