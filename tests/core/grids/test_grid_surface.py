"""Level sets of networks on a grid."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import creased
import creased.tropical
from creased import geometry
from tests.invariants import check_closed

Levels = tuple[int, ...]


def _network(dim: int, levels: Levels, seed: int, *, log2_table: int | None = None) -> creased.GridMLP:
    torch.manual_seed(seed)
    network = creased.GridMLP(dim, levels, 2, (6, 5), log2_table=log2_table).double()
    for table in network.grid.tables:
        nn.init.normal_(table)
    return network


def _ball(dim: int = 3, n: int = 4) -> creased.GridMLP:
    """The distance from the origin at the vertices of a grid, as the only feature."""
    network = creased.GridMLP(dim, (n,), 1, 1).double()
    grid = network.grid.grid()
    corners = torch.cartesian_prod(*[torch.arange(n + 1)] * dim)
    rows = grid.positions(corners, torch.float64).norm(dim=1, keepdim=True)
    with torch.no_grad():
        for parameter in network.mlp.parameters():
            parameter.zero_()
        network.mlp[0].weight[0, -1] = network.mlp[2].weight[0, 0] = 1.0
        strides = [(n + 1) ** k for k in range(dim)]
        for order in (strides, strides[::-1]):  # whichever the table has
            network.grid.tables[0][(corners * torch.tensor(order)).sum(1)] = rows
            if float((network(grid.positions(corners, torch.float64)) - rows).abs().max()) < 1e-12:
                return network
    raise AssertionError("no order of the table gives the distances back")


def _middle(program: creased.Program) -> float:
    points = torch.rand(500, program.in_dim, generator=torch.Generator().manual_seed(0)).double() - 0.5
    return float(program.outputs_at(points).median())


def _places(surface: creased.LevelSet) -> list[list[float]]:
    return sorted((surface.vertices * 1e9).round().tolist())


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize(
    ("levels", "log2_table"), [((1,), None), ((3,), None), ((1, 2, 4), None), ((2, 8), 4)]
)
def test_surfaces_are_whole_in_the_cube(dim: int, levels: Levels, log2_table: int | None) -> None:
    for seed in range(3):
        program = creased.lower(_network(dim, levels, seed, log2_table=log2_table)).detach()
        level = _middle(program)
        pruned = creased.extract_level_set(program, None, level)
        every = creased.extract_level_set(program, None, level, prune=False)
        audit = pruned.audit()
        assert (audit.is_oriented, audit.is_manifold, pruned.n_inconsistent) == (True, True, 0), str(audit)
        assert pruned.is_complete
        assert _places(pruned) == _places(every)
        assert sorted(pruned.polygons.sizes.tolist()) == sorted(every.polygons.sizes.tolist())
        assert float((program.outputs_at(pruned.vertices) - level).abs().max()) < 1e-12
        is_inside = ~pruned.is_on_wall()
        assert bool((pruned.vertices[is_inside].abs() < 0.5).all())
        on_cube = pruned.vertices[pruned.is_on_wall()]
        torch.testing.assert_close(on_cube.abs().amax(1), torch.full_like(on_cube[:, 0], 0.5))


@pytest.mark.parametrize("dim", [2, 3])
def test_a_ball_is_closed_and_points_outward(dim: int) -> None:
    program = creased.lower(_ball(dim)).detach()
    surface = creased.extract_level_set(program, None, 0.3)
    check_closed(surface, euler={2: 0, 3: 2}[dim], n_components=1)
    if dim == 3:
        volume = float(geometry.enclosed_volume(surface.vertices, surface.polygons))
        assert 0.05 < volume < 4 / 3 * torch.pi * 0.3**3


@pytest.mark.parametrize("zero_sign", [1, -1])
@pytest.mark.parametrize("dim", [2, 3])
def test_a_level_that_vertices_of_the_grid_take(dim: int, zero_sign: int) -> None:
    program = creased.lower(_ball(dim)).detach()
    perturbed = creased.extract_level_set(program, None, 0.25, zero_sign=zero_sign)
    check_closed(perturbed, euler={2: 0, 3: 2}[dim], n_components=1)
    contracted = creased.extract_level_set(program, None, 0.25, zero_sign=zero_sign, degeneracy="contract")
    check_closed(contracted, euler={2: 0, 3: 2}[dim], n_components=1)
    assert len(contracted.vertices.unique(dim=0)) == len(contracted.vertices) <= len(perturbed.vertices)
    assert (len(contracted.vertices) < len(perturbed.vertices)) == (zero_sign < 0)  # 0 counts as inside


@pytest.mark.parametrize("dim", [2, 3])
def test_exact_decisions_agree_where_none_is_in_doubt(dim: int) -> None:
    program = creased.lower(_network(dim, (1, 2), 4)).detach()
    level = _middle(program)
    rounded, exact = (creased.extract_level_set(program, None, level, exact=exact) for exact in (False, True))
    assert _cells(rounded) == _cells(exact)
    creased.extract_level_set(program, None, level, degeneracy="error")


def _cells(found: creased.LevelSet) -> tuple[list[tuple[float, ...]], set[frozenset[tuple[float, ...]]]]:
    """Vertices and faces in no order, by the rows and the rounded positions of vertices."""
    at = [
        (*ids, *x)
        for ids, x in zip(found.zero_ids.tolist(), (found.vertices * 1e7).round().tolist(), strict=True)
    ]
    corners = found.polygons.indices.tensor_split(found.polygons.offsets[1:-1].cpu())
    return sorted(at), {frozenset(at[corner] for corner in face.tolist()) for face in corners}


def test_a_level_that_is_taken_on_whole_cells_is_noted() -> None:
    network = _ball(3)
    with torch.no_grad():
        network.mlp[0].bias.fill_(-0.2)  # the function is zero where the distance is less
    program = creased.lower(network).detach()
    for treatment in ("perturb", "contract"):
        found = creased.extract_level_set(program, None, 0.0, degeneracy=treatment)
        assert found.is_empty
        assert "cells of full dimension" in found.status
    beside = creased.extract_level_set(program, None, 0.01, degeneracy="contract")
    assert "full dimension" not in beside.status
    outside = creased.extract_level_set(program, creased.Box((0.3,) * 3, (0.4,) * 3), 0.0)
    assert outside.is_empty
    assert "full dimension" not in outside.status


def test_features_of_zero_give_the_plain_network() -> None:
    network = _network(3, (2, 4), 3)
    for table in network.grid.tables:
        nn.init.zeros_(table)
    first = network.mlp[0]
    plain = nn.Sequential(nn.Linear(3, first.out_features), *network.mlp[1:]).double()
    with torch.no_grad():
        plain[0].weight.copy_(first.weight[:, :3])
        plain[0].bias.copy_(first.bias)
    level = _middle(creased.lower(plain).detach())
    found = creased.extract_level_set(network, None, level)
    expected = creased.extract_level_set(plain, creased.Box.cube(3, 0.5), level)
    area = [float(geometry.surface_area(surface.vertices, surface.polygons)) for surface in (found, expected)]
    assert area[0] == pytest.approx(area[1], rel=1e-9)
    assert found.audit().euler_characteristic == expected.audit().euler_characteristic


def test_smaller_domains_cut_the_same_surface() -> None:
    program = creased.lower(_network(3, (2, 4), 0)).detach()
    level = _middle(program)
    walls = [
        creased.Box((-0.3, -0.2, -0.41), (0.33, 0.47, 0.2)),
        creased.Box((-0.5, -0.25, -0.5), (0.25, 0.5, 0.5)),  # on planes of the grid
        creased.Simplex([[-0.4, -0.4, -0.4], [0.4, -0.3, -0.2], [-0.2, 0.45, -0.1], [0.0, 0.0, 0.45]]),
    ]
    for domain in walls:
        surface = creased.extract_level_set(program, domain, level)
        audit = surface.audit()
        assert (audit.is_oriented, audit.is_manifold, surface.n_inconsistent) == (True, True, 0)
        heights = (
            surface.vertices @ (sides := domain.halfspaces(torch.float64, torch.device("cpu")))[:-1]
            + sides[-1]
        )
        assert float(heights.min()) > -1e-12
        assert torch.equal(heights.abs().amin(1) < 1e-12, surface.is_on_wall())


def test_an_octahedron_cuts_too() -> None:
    normals = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3)  # as many walls as a byte has bits
    program = creased.lower(_network(3, (2, 4), 0)).detach()
    surface = creased.extract_level_set(program, creased.Polytope(normals, [0.45] * 8), _middle(program))
    audit = surface.audit()
    assert (audit.is_oriented, audit.is_manifold, surface.n_inconsistent) == (True, True, 0)
    assert float(surface.vertices.abs().sum(1).max()) < 0.45 + 1e-12


def _length(surface: creased.LevelSet, vertices: Tensor) -> Tensor:
    return geometry.edge_lengths(vertices, surface.edges).sum()


@pytest.mark.parametrize("dim", [2, 3])
def test_gradients_agree_with_extraction_again(dim: int) -> None:
    network = _network(dim, (1, 2, 4), 1)
    level = _middle(creased.lower(network).detach())
    surface = creased.extract_level_set(network, None, level)
    vertices = geometry.implicit_vertices(surface, creased.lower(network))
    torch.testing.assert_close(vertices, surface.vertices)
    parameters = list(network.parameters())
    gradients = torch.autograd.grad(_length(surface, vertices), parameters)
    directions = [torch.randn_like(parameter) for parameter in parameters]
    lengths = []
    with torch.no_grad():
        for step in (1e-6, -2e-6):
            for parameter, direction in zip(parameters, directions, strict=True):
                parameter += step * direction
            moved = creased.extract_level_set(network, None, level)
            assert moved.vertices.shape == surface.vertices.shape
            lengths.append(_length(moved, moved.vertices))
    slope = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))
    assert float((lengths[0] - lengths[1]) / 2e-6) == pytest.approx(float(slope), rel=1e-5)


def test_what_is_not_possible_on_a_grid_is_refused_by_name() -> None:
    network = _network(3, (2,), 0)
    with pytest.raises(ValueError, match="march"):
        creased.extract_level_set(network, None, method="march")
    with pytest.raises(ValueError, match="smaller"):
        creased.extract_level_set(network, creased.Box.cube(3, 0.6))
    with pytest.raises(ValueError, match="domain"):
        creased.extract_level_set(creased.MLP(in_dim=3, width=4, depth=1), None)
    program = creased.lower(network).detach()
    for refused in (
        lambda: creased.essential(program),
        lambda: creased.tropical.zonotope_of_layer(program),
        lambda: creased.tropical.zonotopes_of_map(program),
    ):
        with pytest.raises(ValueError, match="on a grid"):
            refused()


def test_what_does_not_fit_in_memory_is_said() -> None:
    program = creased.lower(_network(3, (2, 4, 8), 0)).detach()
    surface = creased.extract_level_set(program, None, _middle(program), memory=300_000, at_once=2000)
    assert not surface.is_complete
    assert "more than" in surface.status
