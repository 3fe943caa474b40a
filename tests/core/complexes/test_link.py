"""Level sets in the plane, and on a line."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given

from creased import Affine, Box, LevelSet, Program, extract_level_set
from tests.invariants import check_closed
from tests.strategies import Case, ball_program, generic_cases, random_program


def signed_area(surface: LevelSet) -> float:
    """Area enclosed by directed edges, positive when they run counter-clockwise."""
    a, b = surface.vertices[surface.edges].unbind(1)
    return float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / 2)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("depth", [1, 2])
def test_ball_outline_is_one_closed_counter_clockwise_polyline(
    seed: int, depth: int, device: torch.device, dtype: torch.dtype
) -> None:
    program = ball_program(2, 9, seed=seed, depth=depth, dtype=dtype, device=device)
    surface = extract_level_set(program, Box.cube(2, 1))
    assert surface.status == ""
    check_closed(surface, euler=0, n_components=1)
    assert surface.polylines.n == 1
    assert sorted(surface.polylines.indices.tolist()) == list(range(surface.vertices.shape[0]))
    grid = torch.linspace(-1, 1, 401, dtype=dtype, device=device)
    inside = (program(torch.cartesian_prod(grid, grid)) < 0).double().mean() * 4
    assert abs(signed_area(surface) - float(inside)) < 0.02


@given(generic_cases(dims=(2,)))
def test_inside_is_on_the_left(case: Case) -> None:
    surface = extract_level_set(case.program, case.box)
    scale = case.box.upper[0] - case.box.lower[0]
    a, b = surface.vertices[surface.edges].unbind(1)
    tangent = b - a
    length = tangent.norm(dim=1, keepdim=True)
    left = torch.stack([-tangent[:, 1], tangent[:, 0]], dim=1) / length
    is_long = length[:, 0] > 1e-4 * scale
    step = 1e-7 * scale * left[is_long]
    middle = ((a + b) / 2)[is_long]
    assert bool((case.program(middle + step) < case.program(middle - step)).all())


@given(generic_cases(dims=(2,)))
def test_directed_edges_are_the_steps_of_the_polylines(case: Case) -> None:
    surface = extract_level_set(case.program, case.box)
    offsets, indices = surface.polylines.offsets.tolist(), surface.polylines.indices.tolist()
    steps = []
    for start, end in pairwise(offsets):
        line = indices[start:end]
        is_open = bool(surface.is_on_wall()[line[0]])
        steps += zip(line, line[1:] if is_open else line[1:] + line[:1], strict=False)
    assert sorted(steps) == sorted(map(tuple, surface.edges.tolist()))


def test_open_line_runs_with_the_inside_on_its_left() -> None:
    slanted = Program((), Affine(torch.tensor([[0.0, 1.0]]), torch.zeros(1)))
    surface = extract_level_set(slanted, Box.cube(2, 1))
    assert surface.polylines.indices.shape == (2,)
    tail, head = surface.vertices[surface.edges[0]]
    assert tail.tolist() == [1, 0]  # the inside, y < 0, is on the left of someone going to -x
    assert head.tolist() == [-1, 0]
    found = surface.audit()
    assert (found.n_boundary_edges, found.n_wall_vertices, found.is_closed) == (2, 2, False)


def test_zero_set_on_a_line_is_a_set_of_points() -> None:
    program = random_program(1, (10, 8), seed=2)
    surface = extract_level_set(program, Box([-3], [3]))
    grid = torch.linspace(-3, 3, 200001, dtype=torch.float64)[:, None]
    values = program(grid)[:, 0]
    crossings = grid[:-1, 0][(values[1:] >= 0) != (values[:-1] >= 0)]
    assert crossings.numel() > 0
    torch.testing.assert_close(surface.vertices[:, 0].sort().values, crossings, rtol=0, atol=1e-4)
    assert surface.edges.shape == (0, 2)
    assert surface.audit().n_components == crossings.numel()
