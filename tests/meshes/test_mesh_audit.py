"""The audit of a mesh says what is in the file: closed where it was capped, open where it was cut."""

import pytest
import torch

from creased.core.complexes.polygons import Polygons
from creased.meshes.caps import cap
from creased.meshes.mesh_audit import audit_mesh
from creased.meshes.polygon_mesh import PolygonMesh
from tests.meshes.test_caps import BOXES, cut_surface


def test_it_agrees_with_that_of_the_level_set_before_the_cap_and_is_closed_after() -> None:
    level_set = cut_surface(0, BOXES[0])
    before, known = audit_mesh(PolygonMesh.of_level_set(level_set)), level_set.audit().as_dict()
    for name, value in before.as_dict().items():
        if name != "volume":
            assert known[name] == value, name
    assert before.volume is None
    mesh = cap(level_set)
    after = audit_mesh(mesh)
    assert after.is_closed
    assert after.is_oriented
    assert after.volume == pytest.approx(float(mesh.to_trimesh().volume))
    assert after.euler_characteristic == mesh.to_trimesh().euler_number
    assert f"open ({before.n_boundary_edges} boundary edges), oriented" in str(before)
    assert "closed, oriented" in str(after)


def test_a_flipped_triangle_clashes_with_its_neighbours() -> None:
    corners = torch.tensor([0, 1, 2, 0, 3, 1, 0, 2, 3, 1, 3, 2])
    points = torch.cat([torch.zeros(1, 3), torch.eye(3)]).double()
    sound = audit_mesh(PolygonMesh(points, Polygons.of_sizes(torch.full((4,), 3), corners)))
    assert (sound.n_edges, sound.euler_characteristic, sound.n_misoriented_edges) == (6, 2, 0)
    assert abs(sound.volume or 0) == pytest.approx(1 / 6)
    flipped = torch.cat([corners[:3].flip(0), corners[3:]])
    found = audit_mesh(PolygonMesh(points, Polygons.of_sizes(torch.full((4,), 3), flipped)))
    assert found.n_misoriented_edges == 3
    assert found.volume is None
    assert "3 misoriented edges" in str(found)
