"""Two surfaces beside each other: known distances, sizes, topologies and losses come out."""

import math

import numpy as np
import pytest
import trimesh

from creased.meshes.polygon_mesh import PolygonMesh
from creased.shapes.comparison import Comparison, compare_in_place
from creased.shapes.differences import Kind, find_differences

BOX = trimesh.creation.box((100.0, 60.0, 40.0))


def compared(mesh: trimesh.Trimesh, reference: trimesh.Trimesh, n: int = 4000) -> Comparison:
    made = [PolygonMesh.of_triangles(each.vertices, each.faces) for each in (mesh, reference)]
    return compare_in_place(*made, "box", n)


def kinds(mesh: trimesh.Trimesh, reference: trimesh.Trimesh) -> list[Kind]:
    return [difference.kind for difference in find_differences(compared(mesh, reference))]


def speck(radius: float, at: tuple[float, float, float]) -> trimesh.Trimesh:
    return trimesh.creation.icosphere(subdivisions=1, radius=radius).apply_translation(at)


@pytest.mark.parametrize("place", [0.0, 1e5])
def test_two_boxes_are_as_far_apart_as_they_are(place: float) -> None:
    inner, outer = trimesh.creation.box((100.0, 100.0, 100.0)), trimesh.creation.box((104.0, 104.0, 104.0))
    for mesh in (inner, outer):
        mesh.apply_translation([place, 0, 0])
    found = compared(outer, inner)
    assert found.longest_side == pytest.approx(100)
    assert found.from_reference.mean == pytest.approx(2, abs=1e-3)
    assert found.from_reference.rms == pytest.approx(2, abs=1e-3)
    assert found.from_reference.p99 == pytest.approx(2, abs=1e-3)
    assert (
        2 < found.to_reference.mean < found.to_reference.rms < found.to_reference.p99 < found.to_reference.max
    )
    assert found.to_reference.max == pytest.approx(2 * math.sqrt(3), abs=1e-3)  # at the corners
    assert found.hausdorff == found.to_reference.max
    assert found.chamfer == pytest.approx((2 + found.to_reference.mean) / 2, abs=1e-3)
    assert found.normal_consistency > 0.95
    assert "against box (longest side 100): to it mean 2.0" in str(found)


def test_a_surface_is_no_distance_from_itself() -> None:
    found = compared(BOX, BOX)
    assert found.hausdorff < 1e-5
    assert found.normal_consistency > 0.999
    assert (found.lost.share, found.invented.share) == (0, 0)
    assert find_differences(found) == []


def test_sizes_and_topologies_are_those_of_the_users_mesh() -> None:
    torus = trimesh.creation.torus(30.0, 8.0).apply_translation([200, 0, 0])
    found = compared(trimesh.util.concatenate([BOX, torus]), BOX)
    assert (found.mesh.n_components, found.mesh.euler_characteristic, found.mesh.is_closed) == (2, 2, True)
    assert (found.reference.n_components, found.reference.euler_characteristic) == (1, 2)
    assert found.reference.extent == pytest.approx((100, 60, 40))
    assert found.reference.area == pytest.approx(2 * (6000 + 4000 + 2400))
    assert found.reference.volume == pytest.approx(100 * 60 * 40)
    assert found.mesh.volume == pytest.approx(BOX.volume + torus.volume)
    assert found.mesh.component_areas == pytest.approx(sorted((BOX.area, torus.area), reverse=True))
    plain = found.as_dict()
    assert plain["mesh"]["area"] == found.mesh.area
    assert plain["from_reference"]["p99"] == found.from_reference.p99


def test_what_is_lost_and_what_is_invented_is_told_apart() -> None:
    two = trimesh.util.concatenate([BOX, BOX.copy().apply_translation([300, 0, 0])])
    lost = compared(BOX, two)
    assert lost.lost.share == pytest.approx(0.5, abs=0.03)
    assert lost.lost.n_components == 1
    assert (lost.invented.share, lost.invented.n_components) == (0, 0)
    assert lost.from_reference.max == pytest.approx(math.sqrt(300**2))
    invented = compared(two, BOX)
    assert invented.invented.share == pytest.approx(0.5, abs=0.03)
    assert invented.invented.n_components == 1
    assert (invented.lost.share, invented.lost.n_components) == (0, 0)


def test_vertices_that_no_face_has_are_no_components() -> None:
    vertices = np.concatenate([BOX.vertices, [[0, 0, 0], [500, 0, 0]]])
    found = compared(trimesh.Trimesh(vertices, BOX.faces, process=False), BOX)
    assert found.mesh.n_components == 1
    assert found.mesh.extent == pytest.approx((100, 60, 40))
    assert find_differences(found) == []


def test_specks_lost_parts_and_closed_tunnels_are_named_as_such() -> None:
    torus = trimesh.creation.torus(40.0, 15.0)
    assert kinds(trimesh.util.concatenate([BOX, speck(0.3, (50.2, 0, 0))]), BOX) == [Kind.SPECKS]
    far = trimesh.util.concatenate([BOX, speck(0.3, (55, 0, 0))])
    assert kinds(far, BOX) == [Kind.SPECKS, Kind.DISTANCE]
    ball = speck(20, (120, 0, 0))
    assert kinds(trimesh.util.concatenate([BOX, ball]), BOX) == [Kind.COMPONENTS, Kind.DISTANCE]
    assert kinds(BOX, trimesh.util.concatenate([BOX, ball])) == [Kind.COMPONENTS, Kind.DISTANCE]
    assert kinds(torus.convex_hull, torus) == [Kind.TUNNELS, Kind.DISTANCE]
    open_box = BOX.subdivide()
    open_box.update_faces(np.arange(len(open_box.faces)) > 0)
    assert kinds(open_box, BOX)[0] == Kind.OPEN


def test_sentences_carry_the_numbers() -> None:
    torus, ball = trimesh.creation.torus(40.0, 15.0), speck(20, (120, 0, 0))
    far = trimesh.util.concatenate([BOX, speck(0.3, (55, 0, 0))])
    specks, distance = map(str, find_differences(compared(far, BOX)))
    assert specks.startswith("2 components where the shape has 1 (1 speck, 0.0")
    assert distance == "the mesh is up to 5.3 from the shape, 5.3 % of its longest side"
    closed, *_ = map(str, find_differences(compared(torus.convex_hull, torus)))
    assert closed == "Euler characteristic 2 where the shape has 0 (1 tunnel closed)"
    more, *_ = map(
        str, find_differences(compared(trimesh.util.concatenate([torus, ball]), torus.convex_hull))
    )
    assert more == "2 components where the shape has 1"
    lost = find_differences(compared(BOX, trimesh.util.concatenate([BOX, ball])))
    assert str(lost[-1]).startswith("the shape is up to ")
