"""Lipschitz constants: closed forms, cells enumerated in integers, and samples in balls."""

from __future__ import annotations

import math

import pytest
import torch

from creased import MLP, Box, GridMLP, lipschitz, local_lipschitz, lower
from creased.regions.simplex_distance import distance_to_simplices
from creased.tropical import cells, local_complexity
from tests.tropical.nets import arrangement, integer_program, named

NORMS = {1: math.inf, 2: 2, math.inf: 1}


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_largest_gradient_of_exact_cells(norm: float, seed: int) -> None:
    program, box = integer_program([3, 4, 3, 1], 1, seed=seed), Box.cube(3, 1)
    gradients = [
        torch.tensor([float(x) for x in cell.outputs.fractions()[0][:-1]]) for cell in cells(program, box)
    ]
    found = lipschitz(program, box, norm=norm)
    expected = max(float(torch.linalg.vector_norm(g, NORMS[norm])) for g in gradients)
    assert found.constant == pytest.approx(expected, rel=1e-6)
    assert found.n_regions == len(gradients)
    point = found.point.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(program(point[None]).sum(), point)
    torch.testing.assert_close(gradient, found.gradient)


def test_regions_without_volume_do_not_count() -> None:
    """relu(x) - relu(x) has slope 1 between the creases that perturbation moves apart."""
    program = arrangement([[1, 0, 0], [1, 0, 0], [0, 1, 0]])
    head = program.head.weight.new_tensor([[5.0, -5.0, 1.0]])
    program = type(program)(program.blocks, type(program.head)(head, program.head.bias))
    found = lipschitz(program, Box.cube(2, 1))
    assert (found.constant, found.n_regions) == (1.0, 4)
    assert str(found).startswith("1 in the 2-norm, at (")


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("dim", [2, 3])
def test_in_a_ball_no_sample_is_steeper_and_all_regions_seen_count(norm: float, dim: int) -> None:
    program, radius = lower(MLP(in_dim=dim, width=6, depth=2).double()).detach(), 0.3
    centre = torch.full((dim,), 0.1, dtype=torch.float64)
    points = (2 * torch.rand(100_000, dim, dtype=torch.float64) - 1) * radius
    points = centre + points[torch.linalg.vector_norm(points, norm, dim=1) < radius]
    patterns = (program.preactivations(points)[:, :-1] > 0).unique(dim=0)
    gradients = program.gradients_on(patterns.double())
    steepest = float(torch.linalg.vector_norm(gradients, NORMS[norm], dim=1).max())
    found = local_lipschitz(program, centre, radius, norm=norm)
    assert found.n_regions >= len(patterns)
    assert found.n_regions <= 1.1 * len(patterns) + 3  # tiny ones may have no sample
    assert found.constant >= steepest * (1 - 1e-12)
    if found.n_regions == len(patterns):
        assert found.constant == pytest.approx(steepest, rel=1e-12)
    assert found.constant <= lipschitz(program, Box.cube(dim, 1), norm=norm).constant * (1 + 1e-12)


def test_the_cells_of_a_cross_polytope_are_those_of_local_complexity() -> None:
    program = lower(MLP(in_dim=3, width=12, depth=2).double())
    points = torch.rand(4, 3, dtype=torch.float64) - 0.5
    counted = local_complexity(program, points, 0.2).cells.tolist()
    assert [local_lipschitz(program, point, 0.2, norm=1).n_regions for point in points] == counted


def test_a_ball_may_reach_out_of_a_grid() -> None:
    grid = GridMLP(in_dim=2, levels=(2, 4), features=2, width=6, depth=1).double()
    corner = torch.tensor([0.5, 0.5], dtype=torch.float64)
    near, all_of_it = local_lipschitz(grid, corner, 0.3), lipschitz(grid)
    assert 0 < near.n_regions < all_of_it.n_regions
    assert near.constant <= all_of_it.constant
    assert local_lipschitz(grid, corner, 3.0).constant == pytest.approx(all_of_it.constant)


def test_distances_to_simplices() -> None:
    square = torch.tensor([[[0.0, 0], [1, 0], [0, 1]], [[3, 4], [3, 5], [4, 4]], [[1, -1], [1, 1], [1, 0]]])
    point = torch.zeros(2)
    torch.testing.assert_close(distance_to_simplices(square, point), torch.tensor([0.0, 5.0, 1.0]))
    torch.manual_seed(0)
    corners, weights = torch.rand(50, 4, 3).double(), torch.rand(4000, 4).double()
    weights = (weights / weights.sum(1, keepdim=True)).pow(2)
    weights = torch.cat([weights / weights.sum(1, keepdim=True), torch.eye(4).double()])
    point = torch.tensor([2.0, -0.3, 0.4]).double()
    sampled = (torch.einsum("sk,tkd->tsd", weights, corners) - point).norm(dim=2).amin(1)
    found = distance_to_simplices(corners, point)
    assert bool((found <= sampled + 1e-12).all())
    torch.testing.assert_close(found, sampled, rtol=0, atol=0.03)


@pytest.mark.parametrize("norm", NORMS)
def test_on_all_of_space_it_is_that_of_a_box_around_all_vertices(norm: float) -> None:
    for seed in range(3):
        program = integer_program([2, 4, 3, 1], 2, seed=seed)
        everywhere, far = lipschitz(program, norm=norm), lipschitz(program, Box.cube(2, 1e5), norm=norm)
        assert (everywhere.constant, everywhere.n_regions) == (far.constant, far.n_regions)
        point = everywhere.point.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(program(point[None]).sum(), point)
        torch.testing.assert_close(gradient, everywhere.gradient)


def test_far_out_it_is_that_of_the_cone_that_reaches_there() -> None:
    """relu(x) + relu(y) + 3 relu(x + y - 9): slopes (4, 4) in one region, which is unbounded."""
    program = arrangement([[1, 0, 0], [0, 1, 0], [1, 1, -9]])
    head = program.head.weight.new_tensor([[1.0, 1.0, 3.0]])
    program = type(program)(program.blocks, type(program.head)(head, program.head.bias))
    assert lipschitz(program, Box.cube(2, 1)).constant == pytest.approx(math.sqrt(2))
    found = lipschitz(program)
    assert found.constant == pytest.approx(4 * math.sqrt(2))
    assert min(found.point.tolist()) > 0
    assert float(found.point.sum()) > 9


@pytest.mark.parametrize("norm", NORMS)
def test_a_ball_at_a_corner_of_a_grid_is_the_part_inside(norm: float) -> None:
    torch.manual_seed(0)
    grid = GridMLP(in_dim=2, levels=(2, 4), features=2, width=6, depth=1).double()
    points = 0.5 - torch.rand(20_000, 2, dtype=torch.float64) * 0.2
    points = points[torch.linalg.vector_norm(points - 0.5, norm, dim=1) < 0.2].requires_grad_()
    (gradients,) = torch.autograd.grad(grid(points).sum(), points)
    steepest = float(torch.linalg.vector_norm(gradients, NORMS[norm], dim=1).max())
    assert local_lipschitz(grid, [0.5, 0.5], 0.2, norm=norm).constant == pytest.approx(steepest, rel=1e-9)
    with pytest.raises(ValueError, match="outside of the grid"):
        local_lipschitz(grid, [0.8, 0.5], 0.2, norm=norm)


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match=r"norm must be 1, 2 or math\.inf, got 3"):
        lipschitz(named("L1"), Box.cube(2, 1), norm=3)
    with pytest.raises(ValueError, match="bounded"):
        lipschitz(arrangement([[1, 1, 0]]))
    for radius in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="radius"):
            local_lipschitz(named("L1"), torch.zeros(2), radius)
    with pytest.raises(ValueError, match="less than rounding"):
        local_lipschitz(named("L1"), torch.ones(2), 1e-300)
    with pytest.raises(ValueError, match="finite"):
        local_lipschitz(named("L1"), [math.nan, 0.0], 1.0)
