"""Tetrahedra of the inside: volumes, matching faces, the level set's own vertices on the boundary."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from creased import Affine, Box, GridMLP, extract_level_set, integrate, tetrahedra
from creased.decomposition.inside_cells import inside_cells
from creased.decomposition.tetrahedra import radius_ratios
from tests.strategies import Case, assemble, degenerate_cases, random_program
from tests.tropical.nets import named


def face_counts(simplices: torch.Tensor) -> torch.Tensor:
    """Count the simplices at each face."""
    n = simplices.shape[1]
    faces = torch.cat([simplices[:, [j for j in range(n) if j != k]] for k in range(n)])
    return faces.sort(1).values.unique(dim=0, return_counts=True)[1]


@pytest.mark.parametrize(("dim", "widths"), [(2, (12, 12)), (3, (8, 8))])
def test_faces_match_and_the_boundary_is_the_surface(dim: int, widths: tuple[int, ...]) -> None:
    program, box = random_program(dim, widths, seed=3), Box.cube(dim, 1)
    level = float(program(torch.zeros(1, dim, dtype=torch.float64)))
    found = tetrahedra(program, box, level)
    corners = found.vertices[found.simplices]
    assert bool((torch.linalg.det(corners[:, 1:] - corners[:, :1]) > 0).all())
    below = float(integrate(program, box, level).volume_below)
    assert float(found.volumes().sum()) == pytest.approx(below, rel=1e-12)
    assert int(face_counts(found.simplices).max()) == 2
    faces = found.boundary()
    enclosed = torch.linalg.det(found.vertices[faces]).sum() / (2 if dim == 2 else 6)
    assert float(enclosed) == pytest.approx(below, rel=1e-11)  # outward, and closed
    surface = extract_level_set(program, box, level, exact=True)
    on_level = (program(found.vertices)[:, 0] - level).abs() < 1e-12
    assert {*map(tuple, surface.vertices.tolist())} == {*map(tuple, found.vertices[on_level].tolist())}
    if dim == 3:  # every polygon of the surface is a fan of faces
        is_level = on_level[faces].all(1)
        assert int(is_level.sum()) == int((surface.polygons.sizes - 2).sum())


def test_the_octahedron() -> None:
    found = tetrahedra(named("OCT"), Box.cube(3, 2))
    assert float(found.volumes().sum()) == pytest.approx(4 / 3, rel=1e-14)
    assert "tetrahedra" in str(found)


def test_a_grid_has_matching_faces() -> None:
    torch.manual_seed(0)
    network = GridMLP(in_dim=3, levels=(2,), features=2, width=4, depth=1, half_width=0.5).double()
    level = float(network(torch.zeros(1, 3, dtype=torch.float64)).detach())
    found = tetrahedra(network, None, level)
    assert int(face_counts(found.simplices).max()) == 2
    enclosed = torch.linalg.det(found.vertices[found.boundary()]).sum() / 6
    assert float(enclosed) == pytest.approx(float(found.volumes().sum()), rel=1e-11)


def check_free_faces(case: Case, level: float) -> None:
    """Faces of one simplex alone are on the level, or on a wall."""
    found = tetrahedra(case.program, case.box, level)
    if not len(found.simplices):
        return
    assert int(face_counts(found.simplices).max()) <= 2
    values, high = case.program(found.vertices)[:, 0], case.box.upper[0]
    on_level = (values - level).abs() < 1e-12 * (values.abs().max() + 1)
    on_walls = (torch.cat([found.vertices, -found.vertices], dim=1) - high).abs() < 1e-12 * high
    faces = found.boundary()
    assert bool((on_level[faces].all(1) | on_walls[faces].all(1).any(1)).all())


@pytest.mark.parametrize(("widths", "seed"), [((2,), 15), ((3,), 29), ((4,), 6), ((2, 2), 5), ((3, 2), 2)])
def test_faces_match_where_creases_coincide(widths: tuple[int, ...], seed: int) -> None:
    generator, sizes = torch.Generator().manual_seed(seed), [3, *widths, 1]

    def ternary(*shape: int) -> torch.Tensor:
        return torch.randint(-1, 2, shape, generator=generator).double()

    affines = [Affine(ternary(n_out, n_in), ternary(n_out)) for n_in, n_out in pairwise(sizes)]
    check_free_faces(Case(assemble(affines), Box.cube(3, 1)), 0.5)


@given(degenerate_cases((2, 3), 2), st.sampled_from([0.0, 0.5, -0.25]))
def test_free_faces_are_on_the_level_or_on_a_wall(case: Case, level: float) -> None:
    check_free_faces(case, level)


def test_vertices_in_one_place_are_one_wherever_that_is() -> None:
    """A crease three times, in a place half way between two multiples of the distance that is none."""
    place = 1 / 4096
    weight = torch.tensor([[1, 0], [1, 0], [3, 0]]).double()
    bias = torch.tensor([-place, -math.nextafter(place, 1), -3 * place], dtype=torch.float64)
    head = Affine(torch.ones(1, 3).double(), torch.zeros(1).double())
    program = assemble([Affine(weight, bias), head])
    assert len(inside_cells(program, Box.cube(2, 0.5), 10.0).vertices) == 6


@pytest.mark.parametrize("dim", [2, 3])
def test_a_box_within_a_cube_of_a_grid(dim: int) -> None:
    torch.manual_seed(0)
    network = GridMLP(in_dim=dim, levels=(2,), features=2, width=4, depth=1, half_width=0.5).double()
    box = Box([-0.2, 0.1, -0.4][:dim], [0.3, 0.2, 0.45][:dim])
    level = float(network(torch.full((1, dim), 0.15, dtype=torch.float64)).detach())
    below = float(integrate(network, box, level).volume_below)
    assert float(tetrahedra(network, box, level).volumes().sum()) == pytest.approx(below, rel=1e-11)


def test_radius_ratios_of_known_simplices() -> None:
    regular = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=torch.float64)
    every = torch.arange(4)[None]
    torch.testing.assert_close(radius_ratios(regular, every), torch.ones(1, dtype=torch.float64))
    flat = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], dtype=torch.float64)
    assert float(radius_ratios(flat, every)) == 0
    right = torch.tensor([[0.0, 0], [3, 0], [0, 4]], dtype=torch.float64)  # radii 1 and 5/2
    assert float(radius_ratios(right, torch.arange(3)[None])) == pytest.approx(0.8)
