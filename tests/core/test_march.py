"""Marching finds the components that it is seeded on, cell by cell as subdivision does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from torch import Tensor

from creased import MLP, Box, LevelSet, Program, extract_level_set, lower
from tests.oracles import named_cells, program_of
from tests.strategies import Case, ball_program, degenerate_cases, generic_cases, random_program


def _cells(level_set: LevelSet) -> tuple[list[list[int]], list[list[int]], list[list[int]]]:
    """Codes of the vertices, edges and polygons, in order."""
    ends = level_set.edges
    edge_words = level_set.words[ends[:, 0]] | level_set.words[ends[:, 1]]
    edges = torch.cat([edge_words, level_set.edge_zero_ids], dim=1)
    return sorted(_vertex_codes(level_set)), sorted(edges.tolist()), sorted(level_set.polygon_words.tolist())


def _vertex_codes(level_set: LevelSet) -> list[list[int]]:
    codes: list[list[int]] = torch.cat([level_set.words, level_set.zero_ids], dim=1).tolist()
    return codes


def _vertices_by_code(level_set: LevelSet) -> Tensor:
    codes = _vertex_codes(level_set)
    return level_set.vertices[sorted(range(len(codes)), key=codes.__getitem__)]


def _inner_points(level_set: LevelSet) -> Tensor:
    """A point inside of every edge."""
    return level_set.vertices[level_set.edges].mean(1)


@given(generic_cases(dims=(2, 3)))
def test_seeded_everywhere_it_is_the_whole_level_set(case: Case) -> None:
    whole = extract_level_set(case.program, case.box)
    marched = extract_level_set(case.program, case.box, method="march", seeds=_inner_points(whole))
    assert marched.n_torn == 0
    assert _cells(marched) == _cells(whole)
    torch.testing.assert_close(marched.residual, torch.zeros_like(marched.residual), atol=1e-9, rtol=0)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("dim", [2, 3])
def test_one_seed_finds_its_component(dim: int, depth: int) -> None:
    program, box = ball_program(dim, 7 * dim - 7, depth=depth), Box.cube(dim, 1)
    whole = extract_level_set(program, box)
    marched = extract_level_set(program, box, method="march", seeds=_inner_points(whole)[:1])
    assert _cells(marched) == _cells(whole)
    assert replace(marched.audit(), max_residual=0) == replace(whole.audit(), max_residual=0)
    assert "1 seeds" in marched.guarantee


def test_grid_finds_the_level_set() -> None:
    program, box = random_program(3, (12, 12, 12), seed=5), Box.cube(3, 1)
    whole = extract_level_set(program, box)
    marched = extract_level_set(program, box, method="march")
    assert _cells(marched) == _cells(whole)
    assert marched.audit().is_manifold
    torch.testing.assert_close(*(_vertices_by_code(found) for found in (marched, whole)))


@pytest.mark.parametrize("name", ["two_octahedra", "shell"])
def test_degenerate_surface_is_not_called_complete(name: str) -> None:
    net = named_cells()[name]
    program, box = program_of(net["layers"]), Box(*([bound] * 3 for bound in net["box"]))
    inner = _inner_points(extract_level_set(program, box))
    marched = extract_level_set(program, box, method="march", seeds=inner + 1e-3)
    assert marched.guarantee.startswith("not complete: ")
    assert "do not fit together" in marched.status


def test_component_without_a_seed_is_missed_and_the_guarantee_says_so() -> None:
    def two_balls(x: Tensor) -> Tensor:
        return torch.minimum((x - 0.5).norm(dim=1), (x + 0.5).norm(dim=1)) - 0.35

    program, box = _fit(two_balls), Box.cube(3, 1)
    whole = extract_level_set(program, box)
    assert whole.audit().n_components == 2
    marched = extract_level_set(program, box, method="march", seeds=_inner_points(whole)[:1])
    assert marched.audit().n_components == 1
    assert "one without a seed is missed" in marched.guarantee
    assert _cells(extract_level_set(program, box, method="march")) == _cells(whole)


def test_genus_one_is_found_from_a_grid() -> None:
    def torus(x: Tensor) -> Tensor:
        return torch.stack([x[:, :2].norm(dim=1) - 0.5, x[:, 2]], dim=1).norm(dim=1) - 0.25

    program = _fit(torus)
    whole = extract_level_set(program, Box.cube(3, 1))
    marched = extract_level_set(program, Box.cube(3, 1), method="march")
    assert _cells(marched) == _cells(whole)
    assert marched.audit().euler_characteristic == 0


def _fit(distance: Callable[[Tensor], Tensor]) -> Program:
    torch.manual_seed(0)
    network = MLP(3, 20, 2).double()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(800):
        x = 2 * torch.rand((1024, 3), dtype=torch.float64) - 1
        optimizer.zero_grad()
        (network(x)[:, 0] - distance(x)).abs().mean().backward()
        optimizer.step()
    return lower(network).detach()


@given(degenerate_cases(dims=(2, 3)))
def test_degenerate_networks_are_marched_or_counted(case: Case) -> None:
    marched = extract_level_set(case.program, case.box, method="march", seeds=9)
    found = marched.audit()
    if marched.n_torn:
        assert "do not fit together" in marched.status
    elif not marched.is_empty:
        assert found.is_oriented
        assert found.n_boundary_edges <= found.n_wall_vertices


def test_empty_level_set_has_a_status() -> None:
    marched = extract_level_set(random_program(3, (6, 5)), Box.cube(3, 1), 1e3, method="march")
    assert marched.is_empty
    assert "no point was found where the function takes the value 1000" in marched.status


def test_seeds_that_never_arrive_are_left_out() -> None:
    program = ball_program(3)
    near = _inner_points(extract_level_set(program, Box.cube(3, 1)))[:1]
    far = torch.full((3, 3), 1e6, dtype=torch.float64)
    marched = extract_level_set(program, Box.cube(3, 1), method="march", seeds=torch.cat([far, near]))
    assert marched.audit().is_closed


def test_absence_is_not_claimed_without_seeds() -> None:
    program, box = ball_program(3), Box.cube(3, 1)
    assert not extract_level_set(program, box).is_empty
    nowhere = extract_level_set(program, box, method="march", seeds=torch.empty((0, 3)))
    assert "no point was found" in nowhere.status
    with pytest.raises(ValueError, match="2 points an axis or more, got 1"):
        extract_level_set(program, box, method="march", seeds=1)


def test_other_dimensions_and_methods_are_refused() -> None:
    with pytest.raises(ValueError, match="march needs 2 or 3 dimensions, got 4"):
        extract_level_set(random_program(4, (3,)), Box.cube(4, 1), method="march")
    with pytest.raises(ValueError, match="method must be subdivide or march, got walk"):
        extract_level_set(random_program(2, (3,)), Box.cube(2, 1), method="walk")
