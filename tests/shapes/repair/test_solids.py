"""Which parts are cavities, and what is united."""

import numpy as np
import pytest
import trimesh
from trimesh.creation import box, torus
from trimesh.util import concatenate

from creased.meshes.import_open3d import import_open3d
from creased.shapes.repair import solids
from tests.shapes.repair.meshes import ball, block, clamp, inverted, solid, soup, volume


def test_solids_in_cavities_in_solids_are_told_apart_by_where_they_face() -> None:
    sizes = [ball(r).volume for r in (1, 0.7, 0.4)]
    onion = [ball(1), inverted(ball(0.7)), ball(0.4)]
    assert volume(solid(concatenate(onion))) == pytest.approx(sizes[0] - sizes[1] + sizes[2])
    assert volume(solid(inverted(concatenate(onion)))) == pytest.approx(sizes[0] - sizes[1] + sizes[2])
    outward = solid(concatenate([ball(1), ball(0.7), ball(0.4)]))
    assert volume(outward) == pytest.approx(sizes[0])
    assert outward.report.n_inside == 2


def test_an_inward_bar_that_is_partly_outside_is_no_cavity() -> None:
    """All its vertices are inside the clamp, and its middle is in the opening."""
    bar = block([0.6, 0.2, 0.9], [1.9, 1.8, 1.1])
    found = solid(concatenate([clamp(), inverted(bar)]))
    assert found.report.n_cavities == 0
    assert volume(found) == pytest.approx(clamp().volume + 1.3 * 1.0 * 0.2)


def test_a_ball_in_the_hole_of_a_torus_is_a_solid_whichever_way_it_faces() -> None:
    ring = torus(1, 0.3)
    for inner in (ball(0.5), inverted(ball(0.5))):
        assert volume(solid(concatenate([ring, inner]))) == pytest.approx(ring.volume + ball(0.5).volume)


def test_a_cavity_of_one_solid_is_filled_where_another_reaches_into_it() -> None:
    hollow = concatenate([ball(1), inverted(ball(0.5))])
    assert volume(solid(concatenate([hollow, ball(0.8)]))) == pytest.approx(ball().volume)


ROOMS = {  # by how they meet: two in a block of 4 x 4 x 3, and the volume of what is left
    "vertex": ([0.5, 0.5, 0.5], [1.5, 1.5, 1.5], [1.5, 1.5, 1.5], [2.5, 2.5, 2.5], 46, 3),
    "edge": ([1, 1, 1], [2, 2, 2], [2, 2, 1], [3, 3, 2], 46, 3),
    "part of an edge": ([1, 1, 1], [2, 2, 2], [2, 2, 1.5], [3, 3, 2.5], 46, 3),
    "edge, but for rounding": ([1, 1, 1], [2 + 1e-6, 2 + 1e-6, 2], [2, 2, 1], [3, 3, 2], 46, 2),
    "face": ([1, 1, 1], [2, 2, 2], [2, 1, 1], [3, 2, 2], 46, 2),
    "part of a face": ([1, 1, 1], [2, 2, 2], [2, 1.5, 1], [3, 2.5, 2], 46, 2),
    "face, but for rounding": ([1, 1, 1], [2 - 1e-5, 2, 2], [2, 1.5, 1], [3, 2.5, 2], 46, 2),
    "overlap": ([1, 1, 1], [2.25, 2, 2], [2, 1.5, 1], [3, 2.5, 2], 48 - 2.25 + 0.25 * 0.5, 2),
    "edge of the block": ([0, 0, 1], [1, 1, 2], [2, 2, 1], [3, 3, 2], 46, 2),
    "face of the block": ([0, 1, 1], [1, 2, 2], [1, 2, 1], [2, 3, 2], 46, 2),
}


@pytest.mark.parametrize("how", ROOMS)
@pytest.mark.parametrize("turn", [0.0, 0.4])
def test_cavities_that_meet_at_a_vertex_an_edge_or_a_face_all_stay_empty(how: str, turn: float) -> None:
    *corners, expected, n_components = ROOMS[how]
    rooms = [inverted(block(*corners[k : k + 2])) for k in (0, 2)]
    mesh = concatenate([block([0, 0, 0], [4, 4, 3]), *rooms])
    mesh.apply_transform(trimesh.transformations.rotation_matrix(turn, [1, 2, 3], [5, 0, 1]))
    found = solid(mesh)
    assert volume(found) == pytest.approx(expected, abs=1e-3)
    assert found.report.crossing == 0
    if not turn:  # rounding of turned vertices may join what shares an edge
        assert found.surface.audit.n_components == n_components


@pytest.mark.parametrize("gap", [-1e-6, 1e-9, 1e-6, 5e-5])
def test_solids_that_touch_but_for_rounding_are_united(gap: float) -> None:
    stacked = concatenate([block([0, 0, 0], [3, 3, 1]), block([0.5, 0.7, 1 + gap], [1.5, 2.2, 2])])
    found = solid(stacked)
    assert found.surface.audit.n_components == 1
    assert found.report.crossing == 0
    assert volume(found) == pytest.approx(9 + 1.5, abs=1e-3)


@pytest.mark.parametrize("turn", [0.0, 0.4, 1.1])
def test_plates_across_one_another_are_united_though_no_corner_is_in_the_contact(turn: float) -> None:
    plates = concatenate([block([-2, -0.5, 0], [2, 0.5, 1]), block([-0.5, -2, 1], [0.5, 2, 2])])
    plates.apply_transform(trimesh.transformations.rotation_matrix(turn, [1, 2, 3], [5, 0, 1]))
    found = solid(soup(plates))
    assert found.surface.audit.n_components == 1
    assert found.report.crossing == 0
    assert volume(found) == pytest.approx(8, rel=1e-4)


def test_solids_that_meet_at_points_edges_or_not_at_all_are_left_apart() -> None:
    for other in (ball(1, (2, 0, 0)), ball(1, (2.01, 0, 0))):
        found = solid(concatenate([ball(), other]))
        assert found.report.change is None
        assert found.surface.audit.n_components == 2
    checkers = [block([x, y, z], [x + 1, y + 1, z + 1]) for x, y, z in ((0, 0, 0), (1, 1, 0), (1, 0, 1))]
    assert volume(solid(soup(concatenate(checkers)))) == pytest.approx(3)


def test_a_town_of_houses_that_share_walls_is_one_solid() -> None:
    heights = np.random.default_rng(0).uniform(1, 2, (5, 5))
    houses = [block([i, j, 0], [i + 1, j + 1, heights[i, j]]) for i in range(5) for j in range(5)]
    town = trimesh.util.concatenate(houses)
    for mesh in (town, soup(town)):
        found = solid(mesh)
        assert found.surface.audit.n_components == 1
        assert volume(found) == pytest.approx(heights.sum(), rel=1e-6)


def test_boxes_of_a_grid_are_one_box() -> None:
    grid = [block([i, j, k], [i + 1, j + 1, k + 1]) for i in range(3) for j in range(3) for k in range(3)]
    found = solid(soup(concatenate(grid)))
    assert found.surface.audit.euler_characteristic == 2
    assert volume(found) == pytest.approx(27)


def test_a_surface_that_crosses_itself_is_spoken_of() -> None:
    tube = box(extents=[4, 0.5, 0.5])
    for _ in range(4):
        tube = tube.subdivide()
    angle = tube.vertices[:, 0] * (2 * np.pi - 0.3) / 4 * 1.5  # one and a half turns of one circle
    radius = 1 + tube.vertices[:, 1]
    tube.vertices = np.stack([radius * np.cos(angle), radius * np.sin(angle), tube.vertices[:, 2]], axis=1)
    found = solid(tube)
    assert found.report.crossing > 0.1
    assert "inside the solid" in found.report.summary()
    if import_open3d() is None:
        pytest.skip("open3d cannot be imported here")
    n = found.report.n_crossings
    assert n is not None
    assert n > 100
    assert f"inside the solid, {n:,} pairs of triangles intersect" in found.report.summary()
    assert found.report.as_dict()["n_crossings"] == n


def test_crossings_are_counted_where_there_are_some_alone() -> None:
    assert solid(ball()).report.n_crossings is None
    if import_open3d() is None:
        pytest.skip("open3d cannot be imported here")
    crossed = concatenate([block([0, 0, 0], [4, 4, 4]), block([1, 1, -1], [3, 3, 2])])
    report = solid(crossed, repair="off").report
    assert report.crossing == pytest.approx(24 / 128, abs=0.01)
    assert report.n_crossings == 8  # two triangles of each side through the floor


def test_a_union_of_too_many_solids_is_left_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    stacked = concatenate([block([0, 0, k], [1, 1, k + 1]) for k in range(3)])  # four ordered pairs
    monkeypatch.setattr(solids, "MOST_NEAR", 4)
    assert volume(solid(stacked)) == pytest.approx(3)
    assert solid(stacked).report.n_not_united == 0
    monkeypatch.setattr(solids, "MOST_NEAR", 3)
    report = solid(stacked).report
    assert report.n_not_united == 3
    assert any("cannot be united" in sentence for sentence in report.sentences())
