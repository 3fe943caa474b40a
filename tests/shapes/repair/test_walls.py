"""Walls between cells are removed, whichever way they face, and what bounds a solid stays."""

import numpy as np
import pytest
import trimesh
from scipy.spatial import Delaunay
from trimesh.creation import box
from trimesh.util import concatenate

from creased.shapes.repair import Solid, solidify
from creased.shapes.repair.walls import find_cells, remove_walls
from tests.shapes.repair.meshes import block, inverted, soup

QUADS = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])


def volume(solid: Solid) -> float:
    surface = solid.surface
    mesh = trimesh.Trimesh(surface.vertices, surface.triangles, process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    return float(mesh.volume) / solid.to_domain.scale**3


def hexahedra(n: int, facing: str, rng: np.random.Generator) -> trimesh.Trimesh:
    """All faces of the cells of a grid but those of a corner, each split along a diagonal at random."""
    vertices = np.indices((n + 1,) * 3).reshape(3, -1).T
    cells = np.argwhere(np.indices((n,) * 3).sum(axis=0) > 1)
    corners = (cells[:, None] + np.indices((2, 2, 2)).reshape(3, -1).T) @ [(n + 1) ** 2, n + 1, 1]
    quads = corners[:, QUADS]
    if facing == "along axes":
        quads[:, ::2] = quads[:, ::2, ::-1]
    quads = quads.reshape(-1, 4)
    quads = np.take_along_axis(quads, (np.arange(4) + rng.integers(0, 2, (len(quads), 1))) % 4, axis=1)
    if facing == "at random":
        is_turned = rng.random(len(quads)) < 0.5
        quads[is_turned] = quads[is_turned, ::-1]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return trimesh.Trimesh(vertices, triangles, process=False)


@pytest.mark.parametrize("facing", ["outward", "along axes", "at random"])
def test_of_hexahedra_the_outer_surface_is_left(facing: str) -> None:
    solid = solidify(hexahedra(6, facing, np.random.default_rng(0)), "grid")
    assert volume(solid) == pytest.approx(6**3 - 4)
    assert solid.report.n_internal == 2 * (3 * 6 * 6 * 5 - 12)


@pytest.mark.parametrize("is_once", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_of_tetrahedra_the_outer_surface_is_left(is_once: bool, share: float) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(300, 3))
    simplices = Delaunay(points).simplices
    triangles = simplices[:, [[0, 1, 2], [0, 3, 1], [1, 3, 2], [0, 2, 3]]].reshape(-1, 3)
    if is_once:
        triangles = triangles[np.unique(np.sort(triangles), axis=0, return_index=True)[1]]
    is_turned = rng.random(len(triangles)) < share
    triangles[is_turned] = triangles[is_turned, ::-1]
    solid = solidify(trimesh.Trimesh(points, triangles, process=False), "tetrahedra")
    hull = trimesh.convex.convex_hull(points)
    assert volume(solid) == pytest.approx(hull.volume)
    assert len(solid.surface.triangles) == len(hull.faces)


def test_shared_walls_are_removed_where_some_faces_are_turned() -> None:
    stack = soup(concatenate([block([0, 0, 0], [1, 1, 1]), block([0, 0, 1], [1, 1, 2])]))
    for seed in range(20):
        faces = stack.faces.copy()
        is_turned = np.random.default_rng(seed).random(len(faces)) < 0.3
        faces[is_turned] = faces[is_turned, ::-1]
        solid = solidify(trimesh.Trimesh(stack.vertices, faces, process=False), "stack")
        assert volume(solid) == pytest.approx(2)
        assert len(solid.surface.triangles) == 20


def test_a_mesh_of_which_half_the_area_is_turned_is_oriented() -> None:
    mesh = box()
    normals = mesh.face_normals
    mesh.faces[normals.sum(axis=1) < 0] = mesh.faces[normals.sum(axis=1) < 0, ::-1]
    assert volume(solidify(mesh, "box")) == pytest.approx(1)


def test_rooms_that_share_an_edge_stay() -> None:
    rooms = [block([1, 1, 1], [2, 2, 2]), block([2, 2, 1], [3, 3, 2])]
    house = concatenate([block([0, 0, 0], [4, 4, 3]), *map(inverted, rooms)])
    house.merge_vertices()
    cells = find_cells(house.vertices, house.faces)
    assert sorted(np.bincount(cells.reshape(-1))) == [12, 12, 12, 12, 24]
    walls = remove_walls(house.vertices / 4, house.faces)
    np.testing.assert_array_equal(walls.triangles, house.faces)
    assert (walls.n_repeated, walls.n_internal) == (0, 0)
