"""Level sets of one to five dimensions: vertices, orientation, areas, levels and outputs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from creased import Box, LevelSet, Program, extract_complex, extract_level_set
from creased.core.provenance import Completeness, Finding
from tests.invariants import check_closed
from tests.oracles import cells_of
from tests.strategies import ball_program, random_program

Maker = Callable[[], Program]


def corner_lists(surface: LevelSet) -> list[Tensor]:
    """Positions of the corners of each polygon."""
    return list(surface.vertices[surface.polygons.indices].split(surface.polygons.sizes.tolist()))


def newell(corners: Tensor) -> Tensor:
    """Area vector of a polygon."""
    return torch.linalg.cross(corners, corners.roll(-1, 0)).sum(0) / 2


@pytest.mark.parametrize("dim", [1, 2, 3, 4, 5])
def test_level_set_is_the_part_of_the_complex_on_the_output(
    dim: int, device: torch.device, dtype: torch.dtype
) -> None:
    program = ball_program(dim, 2 * dim + 1, dtype=dtype, device=device)
    complex_, surface = (
        extract(program, Box.cube(dim, 1)) for extract in (extract_complex, extract_level_set)
    )
    row = surface.layout.first_output
    on_level = {cell for cell in cells_of(complex_) if cell[row] == 0}
    assert on_level
    assert surface.vertices.shape[0] == len(on_level)
    if dim > 1:
        assert surface.edges.shape[0] == int((complex_.edge_zero_ids[:, -1] == row).sum())
    assert bool((surface.zero_ids[:, -1] == row).all())


@pytest.mark.parametrize("dim", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("level", [0.0, 0.2, -0.1])
def test_function_takes_the_level_at_every_vertex(
    dim: int, level: float, device: torch.device, dtype: torch.dtype, tolerance: float
) -> None:
    program = ball_program(dim, 2 * dim + 2, depth=2, dtype=dtype, device=device)
    surface = extract_level_set(program, Box.cube(dim, 1), level)
    assert not surface.is_empty
    values = program(surface.vertices)[:, 0]
    torch.testing.assert_close(values, torch.full_like(values, level), rtol=0, atol=tolerance)
    torch.testing.assert_close(surface.residual, (values - level).abs())
    assert surface.level == level
    assert surface.audit().max_residual == float(surface.residual.max())


@pytest.mark.parametrize("dim", [2, 3, 4, 5])
def test_closed_level_set_has_a_regular_skeleton(dim: int, device: torch.device, dtype: torch.dtype) -> None:
    surface = extract_level_set(ball_program(dim, 2 * dim + 1, dtype=dtype, device=device), Box.cube(dim, 1))
    degrees = torch.bincount(surface.edges.reshape(-1), minlength=surface.vertices.shape[0])
    assert degrees.unique().tolist() == [2 * (dim - 1)]
    assert surface.audit().n_components == 1


@pytest.mark.parametrize("dim", [2, 3, 4, 5])
def test_each_edge_shares_its_zero_ids_with_both_ends(dim: int) -> None:
    surface = extract_level_set(random_program(dim, (5, 4), seed=dim), Box.cube(dim, 1))
    assert surface.edge_zero_ids.shape == (surface.edges.shape[0], dim - 1)
    ids = surface.zero_ids.tolist()
    for (a, b), rows in zip(surface.edges.tolist(), surface.edge_zero_ids.tolist(), strict=True):
        assert set(rows) == set(ids[a]) & set(ids[b])


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_ball_surface_is_a_closed_oriented_sphere(
    depth: int, seed: int, device: torch.device, dtype: torch.dtype
) -> None:
    surface = extract_level_set(
        ball_program(3, 14, seed=seed, depth=depth, dtype=dtype, device=device), Box.cube(3, 1)
    )
    assert surface.status == ""
    check_closed(surface, euler=2, n_components=1)
    assert surface.provenance.completeness is Completeness.SUBDIVIDED


@pytest.mark.parametrize(
    "make", [lambda: ball_program(3, 14, depth=2), lambda: random_program(3, (7, 5), seed=3)]
)
def test_normals_point_to_where_the_function_is_larger(make: Maker) -> None:
    program = make()
    surface = extract_level_set(program, Box.cube(3, 1))
    step, n_checked = 1e-6, 0
    for corners in corner_lists(surface):
        area = newell(corners)
        if area.norm() > 1e-4:
            centre, normal = corners.mean(0), area / area.norm()
            assert program(centre + step * normal) > 0 > program(centre - step * normal)
            n_checked += 1
    assert n_checked > 10


def test_polygons_are_planar_and_convex() -> None:
    surface = extract_level_set(ball_program(3, 14, depth=2), Box.cube(3, 1))
    for corners in corner_lists(surface):
        normal = newell(corners)
        if normal.norm() > 1e-6:
            unit = normal / normal.norm()
            torch.testing.assert_close((corners - corners[0]) @ unit, torch.zeros(len(corners)).double())
            sides = corners.roll(-1, 0) - corners
            assert bool((torch.linalg.cross(sides, sides.roll(-1, 0)) @ unit > -1e-12).all())


def test_fan_triangles_cover_their_polygons() -> None:
    surface = extract_level_set(ball_program(3, 14, depth=2), Box.cube(3, 1))
    triangles, owners = surface.polygons.triangles()
    assert triangles.shape[0] == int((surface.polygons.sizes - 2).sum())
    a, b, c = surface.vertices[triangles].unbind(1)
    areas = torch.linalg.cross(b - a, c - a).norm(dim=1) / 2
    total = torch.zeros(surface.polygons.n).double().index_add_(0, owners, areas)
    torch.testing.assert_close(
        total, torch.stack([newell(corners).norm() for corners in corner_lists(surface)])
    )


def test_every_polygon_lies_in_the_region_it_names() -> None:
    program = random_program(3, (7, 5), seed=3)
    surface = extract_level_set(program, Box.cube(3, 1))
    n_walls, n_neurons = surface.layout.n_walls, surface.layout.n_neurons
    for corners, words in zip(corner_lists(surface), surface.polygon_words, strict=True):
        values = program.preactivations(corners.mean(0))[:n_neurons]
        bits = torch.tensor(
            [(int(words[i // 64]) >> (i % 64)) & 1 for i in range(n_walls, n_walls + n_neurons)]
        )
        assert bool(((values > 0) == bits.bool())[values.abs() > 1e-9].all())


@pytest.mark.parametrize("output", [0, 1, 2])
def test_each_output_has_its_own_level_set(output: int, device: torch.device, dtype: torch.dtype) -> None:
    program = random_program(3, (6, 5), out_dim=3, seed=5, dtype=dtype, device=device)
    surface = extract_level_set(program, Box.cube(3, 1), 0.01, output=output)
    assert not surface.is_empty
    values = program(surface.vertices)[:, output]
    torch.testing.assert_close(values, torch.full_like(values, 0.01))


def test_complex_is_cut_by_every_output() -> None:
    program, box = random_program(2, (5,), out_dim=3, seed=8), Box.cube(2, 2)
    complex_ = extract_complex(program, box)
    assert complex_.layout.n_outputs == 3
    for output in range(3):
        on_output = (complex_.zero_ids == complex_.layout.first_output + output).any(1)
        alone = extract_level_set(program, box, output=output)
        assert not alone.is_empty
        kept = torch.cdist(alone.vertices, complex_.vertices[on_output]).min(1).values
        assert float(kept.max()) < 1e-12
    assert complex_.euler_characteristic() == 1


def test_wall_contacts_are_counted_in_the_status() -> None:
    surface = extract_level_set(random_program(3, (), seed=1), Box.cube(3, 1))
    n_wall = int(surface.is_on_wall().sum())
    assert n_wall == surface.vertices.shape[0] > 2
    assert surface.provenance.has(Finding.CUT_BY_WALLS)
    assert f"at {n_wall} vertices" in surface.status
    assert surface.audit().n_boundary_edges == n_wall


def test_moved_level_set_is_the_same(device: torch.device) -> None:
    surface = extract_level_set(ball_program(3), Box.cube(3, 1))
    moved = surface.to(device)
    assert moved.vertices.device.type == moved.polygons.indices.device.type == device.type
    assert moved.audit() == surface.audit()
    back = moved.to("cpu")
    for name in ("vertices", "zero_ids", "words", "edges", "edge_zero_ids", "polygon_words", "residual"):
        torch.testing.assert_close(getattr(back, name), getattr(surface, name))
    torch.testing.assert_close(back.polygons.offsets, surface.polygons.offsets)
    assert (back.level, back.layout, back.provenance) == (surface.level, surface.layout, surface.provenance)


def test_residual_is_that_of_the_network_as_it_was() -> None:
    program = ball_program(3)
    surface = extract_level_set(program, Box.cube(3, 1))
    before = program(surface.vertices)[:, 0].abs()
    program.head.bias.add_(1)
    torch.testing.assert_close(surface.residual, before, rtol=0, atol=0)


def test_extraction_in_another_precision_has_that_precision() -> None:
    surface = extract_level_set(ball_program(3), Box.cube(3, 1), dtype=torch.float32)
    assert surface.vertices.dtype == surface.residual.dtype == torch.float32
    assert surface.polygons.n == extract_level_set(ball_program(3), Box.cube(3, 1)).polygons.n


def test_level_set_carries_no_gradient() -> None:
    program = ball_program(3)
    program.head.weight.requires_grad_()
    assert not extract_level_set(program, Box.cube(3, 1)).vertices.requires_grad
    assert not extract_complex(program, Box.cube(3, 1)).vertices.requires_grad
