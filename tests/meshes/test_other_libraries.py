"""Closed surfaces pass independent checkers, and have the areas and volumes that are known."""

from __future__ import annotations

import ctypes
from types import ModuleType

import pytest
import torch

from creased import Box, extract_level_set
from tests.invariants import check_closed
from tests.oracles import named_cells, named_surface
from tests.strategies import ball_program, random_program

NAMED = named_cells()
CLOSED = ["octahedron", "cube", "torus", "shell", "two_octahedra", "box_1x2x3"]
N_COMPONENTS = {"shell": 2, "two_octahedra": 2}


def open3d() -> ModuleType:
    """open3d, with the libusb that it needs on machines without one."""
    libusb = pytest.importorskip("libusb_package")
    ctypes.CDLL(str(libusb.get_library_path()), mode=ctypes.RTLD_GLOBAL)
    return pytest.importorskip("open3d", exc_type=ImportError)


@pytest.mark.parametrize("name", CLOSED)
def test_named_surface_is_closed_oriented_and_manifold(name: str) -> None:
    check_closed(named_surface(name), NAMED[name]["euler"], N_COMPONENTS.get(name, 1))


@pytest.mark.parametrize("name", CLOSED)
def test_named_surface_has_the_known_area_and_volume(name: str) -> None:
    pytest.importorskip("trimesh")
    mesh = named_surface(name).to_trimesh()
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.euler_number == NAMED[name]["euler"]
    assert mesh.area == pytest.approx(NAMED[name]["area"], rel=1e-12)
    assert mesh.volume == pytest.approx(NAMED[name]["volume"], rel=1e-12)


def test_cone_falls_apart_into_two_discs() -> None:
    found = named_surface("cone").audit()
    assert (found.n_components, found.euler_characteristic) == (2, 2)
    assert (found.is_closed, found.is_oriented, found.is_manifold) == (False, True, True)
    assert found.n_wall_vertices == found.n_boundary_edges == 16


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_trimesh_agrees_that_a_ball_is_a_solid(
    depth: int, seed: int, device: torch.device, dtype: torch.dtype
) -> None:
    pytest.importorskip("trimesh")
    program = ball_program(3, 13, seed=seed, depth=depth, dtype=dtype, device=device)
    mesh = extract_level_set(program, Box.cube(3, 1)).to_trimesh()
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.euler_number == 2
    points = torch.rand(200_000, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1
    share = float((program(points.to(device, dtype)) < 0).double().mean())
    spread = (share * (1 - share) / 200_000) ** 0.5
    assert mesh.volume == pytest.approx(8 * share, abs=8 * 4 * spread)


@pytest.mark.parametrize("depth", [1, 2])
def test_open3d_agrees_that_a_ball_is_manifold(depth: int) -> None:
    o3d = open3d()
    surface = extract_level_set(ball_program(3, 13, depth=depth), Box.cube(3, 1))
    mesh = o3d.geometry.TriangleMesh(
        o3d.utility.Vector3dVector(surface.vertices.numpy()),
        o3d.utility.Vector3iVector(surface.triangles().int().numpy()),
    )
    assert mesh.is_edge_manifold(allow_boundary_edges=False)
    assert mesh.is_vertex_manifold()
    assert mesh.is_orientable()
    assert mesh.is_watertight()
    assert mesh.euler_poincare_characteristic() == 2


def test_trimesh_keeps_vertices_and_their_order() -> None:
    pytest.importorskip("trimesh")
    surface = extract_level_set(ball_program(3), Box.cube(3, 1))
    mesh = surface.to_trimesh()
    torch.testing.assert_close(torch.tensor(mesh.vertices), surface.vertices)
    assert mesh.faces.tolist() == surface.triangles().tolist()


def test_trimesh_needs_three_dimensions() -> None:
    with pytest.raises(ValueError, match="got D = 2"):
        extract_level_set(random_program(2, (3,)), Box.cube(2, 1)).to_trimesh()
