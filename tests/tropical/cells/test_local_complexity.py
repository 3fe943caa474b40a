"""Local complexity: the specification's lines, integers as an oracle, and the approximation by corners."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from creased import Affine, Block, Program
from creased.core.domains.polytope import Polytope
from creased.tropical import cells, local_complexity
from creased.tropical.cells.cells import over_box
from creased.tropical.cells.local_complexity import cross_polytope
from creased.tropical.cells.local_programs import Balls, program_on, proven_signs
from tests.strategies import random_program
from tests.tropical.nets import arrangement, integer_program

CENTRE = torch.tensor([[0.25, -0.125]], dtype=torch.float64)


def in_integers(program: Program, centre: Tensor, radius: float) -> tuple[list[int], int]:
    """Crossing neurons of each block and cells in |x - centre|_1 <= radius."""
    ball = cross_polytope(program.in_dim, radius)
    normals = torch.tensor(ball.normals, dtype=torch.float64)
    moved = Polytope(normals, torch.tensor(ball.offsets) + normals @ centre)
    signs = torch.tensor([cell.signs for cell in cells(program, over_box(moved))])
    crosses = (signs > 0).any(0) & (signs < 0).any(0)
    return [int(part.sum()) for part in crosses.split(program.widths)], len(signs)


def test_three_lines_make_seven_cells() -> None:
    lines = arrangement([[1, 0, 0], [0, 1, 0], [1, 1, -0.25]])
    found = local_complexity(lines, torch.zeros(1, 2), 1.0)
    assert (found.crossing.tolist(), found.cells.tolist()) == ([[3]], [7])
    assert found.by_corners.tolist() == [[3]]


def test_touching_the_ball_from_outside_is_not_crossing() -> None:
    lines = arrangement([[1, 0, -1], [1, 1, -1], [-1, 0, -1]])  # in a corner, along a wall, in a corner
    found = local_complexity(lines, torch.zeros(1, 2), 1.0)
    assert (found.n_crossing.tolist(), found.cells.tolist()) == ([0], [1])


def test_a_tent_that_bends_between_corners_is_seen() -> None:
    tent = Affine(-torch.ones((1, 2)), torch.full((1,), 0.25))  # 1/4 - |x + y / 2|
    folds = Block(Affine(torch.tensor([[1, 0.5], [-1, -0.5]]), torch.full((2,), 0.0)))
    program = Program((folds, Block(tent)), Affine(torch.ones((1, 1)), torch.zeros(1)))
    found = local_complexity(program, torch.zeros(1, 2), 0.5)
    assert found.crossing.tolist() == [[2, 1]]
    assert found.by_corners.tolist() == [[2, 0]]
    assert found.cells.tolist() == [4]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("radius", [0.125, 0.5, 2.0])
def test_counts_are_those_of_integers(seed: int, radius: float) -> None:
    program = random_program(2, [6, 6, 6], seed=seed)
    found = local_complexity(program, CENTRE, radius)
    crossing, n_cells = in_integers(program, CENTRE[0], radius)
    assert found.crossing[0].tolist() == crossing
    assert found.cells.tolist() == [n_cells]


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_integers_in_three_dimensions(seed: int) -> None:
    program = random_program(3, [4, 4], seed=seed)
    centre = torch.tensor([[0.25, -0.125, 0.5]], dtype=torch.float64)
    found = local_complexity(program, centre, 0.5)
    assert (found.crossing[0].tolist(), int(found.cells)) == in_integers(program, centre[0], 0.5)


def test_corners_are_right_in_the_first_layer_and_only_miss_in_deeper_ones() -> None:
    n_missed = 0
    points = torch.tensor([[1 / 3, -1 / 5], [0.0, 0.5], [-0.7, 0.1]]).double()
    for seed in range(30):
        found = local_complexity(random_program(2, [6, 6, 6], seed=seed), points, 0.5)
        torch.testing.assert_close(found.crossing[:, 0], found.by_corners[:, 0])
        missed = found.crossing - found.by_corners
        assert bool((missed >= 0).all())
        n_missed += int(missed.sum())
    assert n_missed > 0


@pytest.mark.slow
def test_corners_of_two_hundred_integer_networks_miss_some_crossings_and_invent_some() -> None:
    centre = torch.tensor([[1 / 3, -1 / 5]]).double()
    n_missed, n_false = torch.zeros(3, dtype=torch.int64), 0
    for seed in range(200):  # weights in -3 ... 3; the specification's two hundred have 36 and 5
        program = integer_program((2, 6, 6, 6, 1), 3, seed=seed)
        found = local_complexity(program, centre, 0.5)
        n_missed += (found.crossing - found.by_corners)[0].clamp(min=0)
        invented = (found.by_corners - found.crossing).clamp(min=0)
        n_false += int(invented.sum())
        if bool(invented.any()):  # a neuron that is zero at a corner, and negative nowhere
            crossing, _ = in_integers(program, centre[0], 0.5)
            assert found.crossing[0].tolist() == crossing
    assert n_missed[0] == 0  # the first layer's zero sets are lines
    assert (int(n_missed.sum()), n_false) == (36, 3)


@pytest.mark.parametrize("seed", range(5))
def test_every_pattern_that_sampling_meets_is_counted(seed: int) -> None:
    program = random_program(7, [8, 8], seed=seed)
    draws = torch.Generator().manual_seed(seed)
    points = torch.randn((3, 7), generator=draws, dtype=torch.float64)
    found = local_complexity(program, points, 0.75, slice_dim=3, seed=seed)
    t = torch.randn((20000, 3), generator=draws, dtype=torch.float64)
    t = 0.75 * t / t.abs().sum(1, keepdim=True) * torch.rand((20000, 1), generator=draws).double()
    for i, (point, basis) in enumerate(zip(points, found.bases, strict=True)):
        is_on = program.preactivations(point + t @ basis.T)[:, :16] > 0
        sampled = is_on.any(0) & ~is_on.all(0)
        assert int(sampled.sum()) <= int(found.n_crossing[i])
        assert len(is_on.unique(dim=0)) <= int(found.cells[i])
        assert int(found.cells[i]) <= 2 * len(is_on.unique(dim=0))  # sampling is dense enough to see most


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("radius", [0.01, 0.3])
def test_the_small_program_is_the_program_on_the_ball(seed: int, radius: float) -> None:
    program = random_program(5, [8, 8, 8], seed=seed, out_dim=2)
    draws = torch.Generator().manual_seed(seed)
    origins = torch.randn((2, 5), generator=draws, dtype=torch.float64)
    bases = torch.linalg.qr(torch.randn((2, 5, 2), generator=draws, dtype=torch.float64)).Q
    signs = proven_signs(program, Balls(origins, bases, radius))
    assert bool((signs != 0).any())
    t = torch.randn((500, 2), generator=draws, dtype=torch.float64)
    t = radius * t / t.abs().sum(1, keepdim=True).clamp(min=1)
    for origin, basis, known in zip(origins, bases, signs, strict=True):
        at = origin + t @ basis.T
        small = program_on(program, origin, basis, known)
        torch.testing.assert_close(small(t), program(at))
        values = program.preactivations(at)[:, : program.n_neurons]
        assert bool((values * known >= 0).all())
        assert small.n_neurons == int((known == 0).sum())


def test_one_seed_gives_the_same_slices_and_directions_can_be_given() -> None:
    points = torch.zeros((2, 6), dtype=torch.float64)
    first, again = (local_complexity(random_program(6, [5], seed=seed), points, 1.0) for seed in (0, 1))
    torch.testing.assert_close(first.bases, again.bases)
    torch.testing.assert_close(first.bases.mT @ first.bases, torch.eye(2).double().expand(2, 2, 2))
    given = local_complexity(random_program(6, [5], seed=0), points[:1], 1.0, directions=first.bases[0])
    assert given.crossing[0].tolist() == first.crossing[0].tolist()


def test_refuses_what_does_not_fit() -> None:
    program, points = random_program(6, [5], seed=0), torch.zeros((2, 6))
    with pytest.raises(ValueError, match="radius must be positive, got 0"):
        local_complexity(program, points, 0.0)
    with pytest.raises(ValueError, match=r"needs points \(..., 6\), got \(2, 5\)"):
        local_complexity(program, points[:, :5], 1.0)
    with pytest.raises(ValueError, match="slice_dim must be 1, 2 or 3, got 4"):
        local_complexity(program, points, 1.0, slice_dim=4)
    with pytest.raises(ValueError, match=r"directions must be finite, \(6, d\), got \(5, 2\)"):
        local_complexity(program, points, 1.0, directions=torch.ones((5, 2)))
