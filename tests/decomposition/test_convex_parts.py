"""Convex parts: volumes, convexity, disjoint interiors, errors that are kept, closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from creased import (
    Box,
    CellLimitError,
    ConvexParts,
    GridMLP,
    Program,
    WholeSpace,
    convex_parts,
    integrate,
    lower,
    tetrahedra,
)
from creased.decomposition.hull_gaps import Pairs, hull_gaps
from creased.regions.simplex_distance import distance_to_simplices
from tests.strategies import random_program
from tests.tropical.nets import named


def is_within(points: torch.Tensor, parts: ConvexParts, slack: float) -> torch.Tensor:
    """True (n, parts) where points (n, D) are inside by -slack."""
    planes = [part.halfspaces() for part in parts.parts]
    return torch.stack([(points @ p[:, :-1].T + p[:, -1] <= slack).all(1) for p in planes], dim=1)


@pytest.mark.parametrize(("dim", "widths"), [(2, (12, 12)), (3, (8, 8))])
def test_exact_parts_are_the_inside(dim: int, widths: tuple[int, ...]) -> None:
    program, box = random_program(dim, widths, seed=3), Box.cube(dim, 1)
    level = float(program(torch.zeros(1, dim, dtype=torch.float64)))
    found = convex_parts(program, box, level)
    assert found.volume == pytest.approx(float(integrate(program, box, level).volume_below), rel=1e-12)
    assert 1 < found.n < found.n_cells
    for part in found.parts:
        assert part.hull_volume == pytest.approx(part.volume, rel=1e-9, abs=1e-12)
        assert float((part.vertices @ part.halfspaces()[:, :-1].T + part.halfspaces()[:, -1]).max()) < 1e-12
    points = 2 * torch.rand(4000, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) - 1
    values = program(points)[:, 0] - level
    points, values = points[values.abs() > 1e-6], values[values.abs() > 1e-6]
    assert torch.equal(is_within(points, found, 1e-9).any(1), values < 0)
    assert int(is_within(points, found, -1e-9).sum(1).max()) == 1


@pytest.mark.parametrize(("name", "half_width", "n"), [("OCT", 2, 1), ("CUBE", 2, 1)])
def test_a_convex_solid_is_one_part(name: str, half_width: int, n: int) -> None:
    found = convex_parts(named(name), Box.cube(3, half_width))
    assert found.n == n
    assert found.parts[0].hull_volume == pytest.approx(found.volume, rel=1e-13)


@pytest.mark.parametrize(("name", "half_width", "volume"), [("TORUS", 4, 8), ("SHELL", 8, 104 / 3)])
def test_solids_with_holes(name: str, half_width: int, volume: float) -> None:
    found = convex_parts(named(name), Box.cube(3, half_width))
    assert found.n > 1
    assert sum(part.hull_volume for part in found.parts) == pytest.approx(volume, rel=1e-12)


@pytest.mark.parametrize("dim", [2, 3])
def test_an_error_is_not_exceeded_and_saves_parts(dim: int) -> None:
    program, box = random_program(dim, (10, 10), seed=5), Box.cube(dim, 1)
    level = float(program(torch.zeros(1, dim, dtype=torch.float64)))
    exact, rough = (convex_parts(program, box, level, error) for error in (0.0, 0.1))
    assert rough.n < exact.n
    assert 0 < rough.largest_error <= 0.1
    assert rough.volume == pytest.approx(exact.volume, rel=1e-12)
    points = 2 * torch.rand(3000, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) - 1
    inside = program(points)[:, 0] < level
    assert bool(is_within(points[inside], rough, 1e-9).any(1).all())
    outer = points[is_within(points, rough, 0).any(1) & ~inside]
    assert len(outer)
    mesh = tetrahedra(program, box, level)
    corners = mesh.vertices[mesh.simplices]
    farthest = max(float(distance_to_simplices(corners, point).min()) for point in outer[:40])
    assert 0 < farthest <= rough.largest_error


def test_gaps_of_two_squares() -> None:
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    left, edge, right = square[[0, 3]], square[[1, 2]], np.array([[2.0, 0], [2, 1]])
    normals = np.array([[1.0, 0]])
    assert hull_gaps(Pairs(left[None], right[None], edge[None], normals), 1e-12) == pytest.approx([0])
    lower_by_one = right - [[0, 1], [0, 0]]  # the segment to (0, 0) crosses at (1, -1/2)
    assert hull_gaps(Pairs(left[None], lower_by_one[None], edge[None], normals), 1e-12) == pytest.approx(
        [0.5]
    )


def test_a_network_on_a_grid() -> None:
    torch.manual_seed(0)
    network = GridMLP(in_dim=2, levels=(2, 4), features=2, width=6, depth=1, half_width=0.5).double()
    program = lower(network)
    level = float(program(torch.zeros(1, 2, dtype=torch.float64)).detach())
    found = convex_parts(network, None, level)
    assert found.volume == pytest.approx(float(integrate(network, None, level).volume_below), rel=1e-12)
    assert sum(part.hull_volume for part in found.parts) == pytest.approx(found.volume, rel=1e-11)
    assert found.n < found.n_cells


def test_refusals_have_the_numbers() -> None:
    program: Program = named("OCT")
    with pytest.raises(CellLimitError, match="more than max_cells=2"):
        convex_parts(program, Box.cube(3, 2), max_cells=2)
    with pytest.raises(ValueError, match="bounded"):
        convex_parts(program, WholeSpace(3))
    with pytest.raises(ValueError, match="error must be"):
        convex_parts(program, Box.cube(3, 2), error=-1)
    with pytest.raises(ValueError, match="two or three inputs, got 4"):
        convex_parts(random_program(4, (4,), seed=0), Box.cube(4, 1))


def test_nothing_inside_is_no_part() -> None:
    found = convex_parts(named("OCT"), Box.cube(3, 2), level=-100.0)
    assert found.n == 0
    assert "0 convex parts" in str(found)
