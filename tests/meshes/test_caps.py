"""Caps close what the walls cut open, by the checks of others too, and enclose the sublevel set."""

import pytest
import torch
from scipy.spatial import ConvexHull

import creased
from creased.core.domains.polytope import Polytope
from creased.core.domains.simplex import Simplex
from creased.core.program.combine import negative
from creased.geometry.sublevel import sublevel_volume
from creased.meshes.caps import cap
from creased.meshes.import_open3d import import_open3d
from tests.strategies import random_program

BOXES = [creased.Box.cube(3, 1.0), creased.Box((-1.0, -0.8, -1.0), (1.0, 1.2, 0.7))]


def cut_surface(seed: int, domain: creased.Box) -> creased.LevelSet:
    program = random_program(3, (8, 8), seed=seed)
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand((200, 3), generator=generator, dtype=torch.float64) * 2 - 1
    share = (0.1, 0.3, 0.5, 0.7, 0.9)[seed % 5]
    return creased.extract_level_set(program, domain, float(program.outputs_at(points)[:, 0].quantile(share)))


@pytest.mark.parametrize("seed", range(20))
def test_capped_surfaces_are_closed_and_enclose_the_sublevel_set(seed: int) -> None:
    level_set = cut_surface(seed, BOXES[seed % 2])
    mesh = cap(level_set)
    found = mesh.to_trimesh()
    assert level_set.audit().n_boundary_edges > 0
    assert found.is_watertight
    assert found.is_winding_consistent
    expected = float(sublevel_volume(level_set.vertices, level_set))
    assert mesh.volume() == pytest.approx(expected, rel=1e-12)
    n = level_set.vertices.shape[0]
    torch.testing.assert_close(mesh.vertices[:n], level_set.vertices, rtol=0, atol=0)


@pytest.mark.parametrize("seed", [0, 7])
def test_open3d_finds_capped_surfaces_watertight(seed: int) -> None:
    open3d = import_open3d()
    if open3d is None:
        pytest.skip("open3d cannot be imported here")
    mesh = cap(cut_surface(seed, BOXES[seed % 2]))
    vertices = open3d.utility.Vector3dVector(mesh.vertices.numpy())
    assert open3d.geometry.TriangleMesh(
        vertices, open3d.utility.Vector3iVector(mesh.triangles().int().numpy())
    ).is_watertight()


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_where_no_edge_is_met_the_volume_tells_inside_from_outside(sign: float) -> None:
    layer = torch.nn.Linear(3, 6, dtype=torch.float64)
    last = torch.nn.Linear(6, 1, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.cat([torch.eye(3), -torch.eye(3)]))
        layer.bias.zero_()
        last.weight.fill_(sign)
        last.bias.fill_(-sign * 0.9)
    module = torch.nn.Sequential(layer, torch.nn.ReLU(), last)
    inside = creased.extract_level_set(module, creased.Box.cube(3, 1.0))
    assert inside.audit().is_closed
    octahedron_volume = 4 / 3 * 0.9**3
    expected = octahedron_volume if sign > 0 else 8 - octahedron_volume
    assert cap(inside).volume() == pytest.approx(expected, rel=1e-12)
    cut = creased.extract_level_set(module, creased.Box.cube(3, 0.8))  # six tips are cut off, no edge is met
    assert not cut.audit().is_closed
    left = octahedron_volume - 6 * 4 / 3 * 0.1**3 / 2
    assert cap(cut).volume() == pytest.approx(left if sign > 0 else 1.6**3 - left, rel=1e-12)


@pytest.mark.parametrize(
    "domain",
    [
        Simplex([(-1.0, -1.0, -1.0), (1.5, 0.0, 0.0), (0.0, 1.5, 0.0), (0.0, 0.0, 1.5)]),
        Polytope(
            [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1), (1, 1, 1)],
            (1, 1, 1, 1, 1, 1, 1.5),
        ),
        Polytope(  # a wall touches an edge of the cube, and one a corner: edges without length
            [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1), (-2, -1, 0), (1, 2, -1)],
            (1, 1, 1, 1, 1, 1, 1, 2),
        ),
    ],
    ids=["simplex", "polytope", "touching walls"],
)
def test_both_sides_of_a_surface_fill_a_polytope(domain: Simplex | Polytope) -> None:
    program = random_program(3, (8, 8), seed=4)
    corners = domain.skeleton(1, torch.float64, torch.device("cpu")).vertices
    below = cap(creased.extract_level_set(program, domain))
    above = cap(creased.extract_level_set(negative(program), domain))
    assert below.to_trimesh().is_watertight
    assert above.to_trimesh().is_watertight
    assert below.volume() > 0.05
    assert below.volume() + above.volume() == pytest.approx(ConvexHull(corners.numpy()).volume, rel=1e-12)
