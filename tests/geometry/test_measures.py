"""Areas, volumes, centroids and curvatures of exact level sets against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from creased import Box, extract_level_set, geometry
from creased.core.complexes.polygons import Polygons
from creased.geometry import (
    angle_defects,
    bending_energies,
    centroid,
    compactness,
    dihedral_angles,
    edge_lengths,
    enclosed_volume,
    mean_curvatures,
    polygon_areas,
    polygon_centroids,
    polygon_normals,
    surface_area,
)
from tests.oracles import named_surface
from tests.strategies import ball_program, random_program

SOLIDS = {  # area, volume, Euler characteristic: the sets are given by |x|_1, |x|_inf and their like
    "octahedron": (4 * math.sqrt(3), 4 / 3, 2),
    "cube": (24.0, 8.0, 2),
    "box_1x2x3": (88.0, 48.0, 2),
    "torus": (32 * math.sqrt(2), 8.0, 0),
    "shell": (40 * math.sqrt(3), 104 / 3, 4),
    "two_octahedra": (8 * math.sqrt(3), 8 / 3, 4),
}


@pytest.mark.parametrize("name", SOLIDS)
def test_areas_and_volumes_of_named_solids(name: str) -> None:
    surface = named_surface(name)
    area, volume, _ = SOLIDS[name]
    torch.testing.assert_close(float(surface_area(surface.vertices, surface.polygons)), area)
    torch.testing.assert_close(float(enclosed_volume(surface.vertices, surface.polygons)), volume)
    quotient = float(compactness(surface.vertices, surface.polygons))
    torch.testing.assert_close(quotient, 36 * math.pi * volume**2 / area**3)
    assert 0 < quotient < 1


@pytest.mark.parametrize("name", SOLIDS)
def test_angle_defects_of_named_solids_sum_to_the_euler_characteristic(name: str) -> None:
    flat = named_surface(name, "contract")
    defects = angle_defects(flat.vertices, flat.polygons)
    torch.testing.assert_close(float(defects.sum()), 2 * math.pi * SOLIDS[name][2])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cube", 3 * math.pi * 2),
        ("box_1x2x3", math.pi * (2 + 4 + 6)),
        ("octahedron", 12 * math.sqrt(2) * math.acos(1 / 3) / 2),
        ("two_octahedra", 24 * math.sqrt(2) * math.acos(1 / 3) / 2),
    ],
)
def test_mean_curvature_of_named_solids(name: str, expected: float) -> None:
    flat = named_surface(name, "contract")
    torch.testing.assert_close(float(mean_curvatures(flat.vertices, flat.polygons).sum()), expected)


def test_a_cube_bends_by_right_angles() -> None:
    cube = _cube()
    torch.testing.assert_close(dihedral_angles(*cube), torch.full((12,), math.pi / 2, dtype=torch.float64))
    torch.testing.assert_close(angle_defects(*cube), torch.full((8,), math.pi / 2, dtype=torch.float64))
    expected = torch.full((12,), 3 * (math.pi / 2) ** 2 / 2, dtype=torch.float64)
    torch.testing.assert_close(bending_energies(*cube), expected)
    torch.testing.assert_close(centroid(*cube), torch.full((3,), 0.5, dtype=torch.float64))
    torch.testing.assert_close(polygon_centroids(*cube).mean(0), torch.full((3,), 0.5, dtype=torch.float64))
    torch.testing.assert_close(polygon_areas(*cube), torch.ones(6, dtype=torch.float64))
    outward = polygon_centroids(*cube) - 0.5
    torch.testing.assert_close(polygon_normals(*cube), 2 * outward)


def test_a_dent_bends_inward() -> None:
    vertices, cube = _cube()
    inside_out = Polygons(cube.offsets, cube.indices.flip(0))
    torch.testing.assert_close(dihedral_angles(vertices, inside_out), -dihedral_angles(vertices, cube))
    torch.testing.assert_close(enclosed_volume(vertices, inside_out), -enclosed_volume(vertices, cube))


@pytest.mark.parametrize("depth", [1, 2])
def test_a_generic_surface_obeys_gauss_and_bonnet(depth: int) -> None:
    surface = extract_level_set(ball_program(3, 14, depth=depth), Box.cube(3, 1))
    defects = angle_defects(surface.vertices, surface.polygons)
    euler = surface.audit().euler_characteristic
    torch.testing.assert_close(float(defects.sum()), 2 * math.pi * euler)


def test_an_open_surface_obeys_gauss_and_bonnet() -> None:
    surface = extract_level_set(random_program(3, (12, 12), seed=4), Box.cube(3, 1))
    found = surface.audit()
    assert found.n_boundary_edges > 0
    defects = angle_defects(surface.vertices, surface.polygons)
    torch.testing.assert_close(float(defects.sum()), 2 * math.pi * found.euler_characteristic)


def test_gradients_are_right() -> None:
    vertices, cube = _cube()
    generator = torch.Generator().manual_seed(0)
    moved = vertices + 0.1 * torch.randn(vertices.shape, generator=generator, dtype=torch.float64)
    moved.requires_grad_()
    fans = _fans(cube)  # triangles stay planar
    for measure in (surface_area, enclosed_volume, compactness, centroid, polygon_centroids):
        assert torch.autograd.gradcheck(lambda x, f=measure: f(x, fans), moved)
    for measure in (dihedral_angles, mean_curvatures, angle_defects, bending_energies):
        assert torch.autograd.gradcheck(lambda x, f=measure: f(x, fans), moved)


def test_nothing_becomes_nan_where_a_surface_has_no_extent() -> None:
    surface = named_surface("cube")
    for measure in (polygon_normals, polygon_centroids, dihedral_angles, angle_defects, bending_energies):
        vertices = surface.vertices.clone().requires_grad_()
        values = measure(vertices, surface.polygons)
        values.sum().backward()
        assert bool(values.isfinite().all())
        assert vertices.grad is not None
        assert bool(vertices.grad.isfinite().all())
    vertices = surface.vertices.clone().requires_grad_()
    edge_lengths(vertices, surface.edges).sum().backward()
    assert vertices.grad is not None
    assert bool(vertices.grad.isfinite().all())


def test_contraction_leaves_the_true_solid() -> None:
    surface, flat = named_surface("octahedron"), named_surface("octahedron", "contract")
    assert flat.vertices.shape[0] == 6
    assert flat.polygons.n == 8
    nearest = torch.cdist(surface.vertices, flat.vertices).amin(1)
    torch.testing.assert_close(nearest, torch.zeros_like(nearest))


def _cube() -> tuple[Tensor, Polygons]:
    """The unit cube, counter-clockwise from outside."""
    corners = torch.tensor([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)], dtype=torch.float64)
    sides = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    return corners, Polygons(torch.arange(0, 25, 4), torch.tensor(sides).reshape(-1))


def _fans(polygons: Polygons) -> Polygons:
    triangles, _ = polygons.triangles()
    return Polygons(torch.arange(0, 3 * len(triangles) + 1, 3), triangles.reshape(-1))


@pytest.mark.parametrize("seed", range(4))
def test_what_the_normals_go_around_is_the_angle_defect(seed: int) -> None:
    surface = extract_level_set(random_program(3, (9, 9), seed=seed), Box.cube(3, 1))
    sides = geometry.halfedges_of(surface.polygons)
    inner = ~sides.at_boundary(surface.vertices.shape[0])
    normals = geometry.polygon_normals(surface.vertices, surface.polygons)
    areas = geometry.gauss_areas(surface.polygons, normals, surface.vertices.shape[0])
    defects = geometry.angle_defects(surface.vertices, surface.polygons)
    torch.testing.assert_close(areas[inner], defects[inner], rtol=1e-6, atol=1e-7)


def test_normals_of_polygons_are_those_of_the_function() -> None:
    program = ball_program(3, 14, depth=2)
    surface = extract_level_set(program, Box.cube(3, 1))
    slopes = geometry.polygon_gradients(surface, program)
    normals = slopes / slopes.norm(dim=1, keepdim=True)
    areas = geometry.area_vectors(surface.vertices, surface.polygons)
    torch.testing.assert_close(normals * areas.norm(dim=1, keepdim=True), areas, rtol=0, atol=1e-12)
