"""Convex parts: volumes, convexity, disjoint interiors, errors that are kept, closed forms."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest
import torch

from creased import (
    Affine,
    Block,
    Box,
    CellLimitError,
    ConvexPart,
    ConvexParts,
    GridMLP,
    Program,
    Simplex,
    WholeSpace,
    convex_parts,
    integrate,
    lower,
    tetrahedra,
)
from creased.core.domains.domain import Domain
from creased.decomposition.exact_unions import vanishing_vertices
from creased.decomposition.inside_cells import inside_cells
from creased.regions.simplex_distance import distance_to_simplices
from tests.slow import slow
from tests.strategies import random_program
from tests.tropical.nets import arrangement, named


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
    assert 1 < found.n < found.n_pieces
    assert found.overlap == pytest.approx(1, rel=1e-9)
    for part in found.parts:
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
    assert found.parts[0].volume == pytest.approx(found.volume, rel=1e-13)


@pytest.mark.parametrize(("name", "half_width", "volume"), [("TORUS", 4, 8), ("SHELL", 8, 104 / 3)])
def test_solids_with_holes(name: str, half_width: int, volume: float) -> None:
    found = convex_parts(named(name), Box.cube(3, half_width))
    assert found.n > 1
    assert sum(part.volume for part in found.parts) == pytest.approx(volume, rel=1e-12)


@pytest.mark.parametrize(("dim", "error"), [(2, 0.1), (2, 0.02), (3, 0.1), slow(3, 0.02)])
def test_an_error_is_not_exceeded_and_saves_parts(dim: int, error: float) -> None:
    program, box = random_program(dim, (10, 10), seed=5), Box.cube(dim, 1)
    level = float(program(torch.zeros(1, dim, dtype=torch.float64)))
    exact, rough = (convex_parts(program, box, level, allowed) for allowed in (0.0, error))
    assert rough.n < exact.n
    assert rough.largest_error == error
    assert rough.volume == pytest.approx(exact.volume, rel=1e-12)
    generator = torch.Generator().manual_seed(1)
    points = 2 * torch.rand(3000, dim, dtype=torch.float64, generator=generator) - 1
    inside = program(points)[:, 0] < level
    assert bool(is_within(points[inside], rough, 1e-9).any(1).all())  # nothing is missing
    assert 0 < farthest_from(program, box, level, rough, generator) <= error


def farthest_from(
    program: Program, domain: Domain | None, level: float, parts: ConvexParts, generator: torch.Generator
) -> float:
    """Measure the largest distance from {f < level} of samples in parts and on their boundary."""
    mesh = tetrahedra(program, domain, level)
    samples = torch.cat([_samples(part, generator) for part in parts.parts])
    outer, corners = samples[program(samples)[:, 0] > level], mesh.vertices[mesh.simplices]
    return max((float(distance_to_simplices(corners, point).min()) for point in outer), default=0.0)


def _samples(part: ConvexPart, generator: torch.Generator) -> torch.Tensor:
    shares = -torch.rand(100, len(part.vertices), dtype=torch.float64, generator=generator).log()
    on_facets = -torch.rand(4, *part.facets.shape, dtype=torch.float64, generator=generator).log()
    facets = torch.einsum(
        "snk,nkd->snd", on_facets / on_facets.sum(2, keepdim=True), part.vertices[part.facets]
    )
    return torch.cat([(shares / shares.sum(1, keepdim=True)) @ part.vertices, facets.flatten(0, 1)])


@pytest.mark.parametrize("dim", [2, 3])
def test_the_depth_of_a_notch(dim: int) -> None:
    creases = torch.eye(dim, dtype=torch.float64)[[0, 0, 1]] * torch.tensor([[1.0], [-1], [1]])
    hidden = Block(Affine(creases, torch.tensor([0.0, 0, 2]).double()))
    notch = Program((hidden,), Affine(torch.tensor([[-1.0, -1, 1]]).double(), torch.tensor([-2.0]).double()))
    depth, box = 0.5**0.5, Box.cube(dim, 1)  # of (0, 1, ...), from y < |x|
    assert convex_parts(notch, box, error=0.99 * depth).n == 2
    whole = convex_parts(notch, box, error=1.15 * depth)
    assert whole.n == 1
    assert whole.parts[0].volume == pytest.approx(2**dim)
    assert whole.volume == pytest.approx(0.75 * 2**dim)


def test_what_is_outside_of_a_domain_is_not_inside() -> None:
    everywhere = arrangement([[1.0, 0, 0.5], [1, 0, 0.25], [0, 1, 0.1], [1, 1, 0]])
    triangle = Simplex([[-1.0, -1], [1, -1], [0, 1]])
    for error in (0.0, 0.3, 1e-9):
        found = convex_parts(everywhere, triangle, level=0.5, error=error)
        assert (
            max(
                float((part.vertices[:, 1] - 1 + 2 * part.vertices[:, 0].abs()).max()) for part in found.parts
            )
            < 1e-12
        )
    with_error = convex_parts(everywhere, triangle, level=0.5, error=0.05)
    generator = torch.Generator().manual_seed(0)
    assert farthest_from(everywhere, triangle, 0.5, with_error, generator) <= 0.05


def test_a_tiny_error_is_kept() -> None:
    program, box = random_program(2, (8, 8), seed=3), Box.cube(2, 1)
    level = float(program(torch.zeros(1, 2, dtype=torch.float64)))
    exact, tiny = (convex_parts(program, box, level, error) for error in (0.0, 1e-7))
    assert tiny.n <= exact.n
    generator = torch.Generator().manual_seed(0)
    assert farthest_from(program, box, level, tiny, generator) <= 1e-7


def test_vertices_that_vanish_in_a_union() -> None:
    left, edge, right = (
        np.array([[0.0, 0], [0, 1]]),
        np.array([[1.0, 0], [1, 1]]),
        np.array([[2.0, 0], [2, 1]]),
    )
    across = np.array([1.0, 0])
    for normal in (across, -across, 0 * across):
        assert vanishing_vertices(left, right, edge, normal, 1e-12).tolist() == [True, True]
    narrow = right - [[0, 0], [0, 0.5]]  # a trapezoid: the upper corner stays
    assert vanishing_vertices(left, narrow, edge, across, 1e-12).tolist() == [True, False]
    assert vanishing_vertices(left, right - [[0, 1], [0, 0]], edge, across, 1e-12) is None  # wider
    cube = np.array([[x, y, z] for x in (0.0, 1) for y in (0.0, 1) for z in (0.0, 1)])
    apex = np.array([[1.5, 0.5, 0.5]])
    found = vanishing_vertices(cube[:4], apex, cube[4:], np.array([1.0, 0, 0]), 1e-12)
    assert found.tolist() == [False] * 4
    assert (
        vanishing_vertices(cube[:4], apex + np.array([[0, 0.6, 0]]), cube[4:], np.array([1.0, 0, 0]), 1e-12)
        is None
    )


def test_a_network_on_a_grid() -> None:
    torch.manual_seed(0)
    network = GridMLP(in_dim=2, levels=(2, 4), features=2, width=6, depth=1, half_width=0.5).double()
    program = lower(network)
    level = float(program(torch.zeros(1, 2, dtype=torch.float64)).detach())
    found = convex_parts(network, None, level)
    assert found.volume == pytest.approx(float(integrate(network, None, level).volume_below), rel=1e-12)
    assert sum(part.volume for part in found.parts) == pytest.approx(found.volume, rel=1e-11)
    assert found.n < found.n_pieces


def test_refusals_have_the_numbers() -> None:
    program: Program = named("OCT")
    with pytest.raises(CellLimitError, match="more than max_cells=2"):
        convex_parts(program, Box.cube(3, 2), max_cells=2)
    with pytest.raises(ValueError, match=r"max_cells must be positive, got -1$"):
        convex_parts(program, Box.cube(3, 2), max_cells=-1)
    with pytest.raises(ValueError, match="bounded"):
        convex_parts(program, WholeSpace(3), error=0.1)
    with pytest.raises(ValueError, match="error must be"):
        convex_parts(program, Box.cube(3, 2), error=-1)
    with pytest.raises(ValueError, match="two or three inputs, got 4"):
        convex_parts(random_program(4, (4,), seed=0), Box.cube(4, 1))


@pytest.mark.parametrize("error", [0.0, 0.1])
def test_nothing_inside_is_no_part(error: float) -> None:
    found = convex_parts(named("OCT"), Box.cube(3, 2), -100.0, error)
    assert found.n == 0
    assert "0 convex parts" in str(found)


@pytest.mark.parametrize("dim", [2, 3])
def test_a_grid_with_too_many_simplices_inside_is_refused_before_it_is_cut(
    dim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(dim)
    network = GridMLP(in_dim=dim, levels=(4,), features=2, width=4, depth=1, half_width=0.5).double()
    program, box = lower(network).detach(), Box.cube(dim, 0.3)  # two of four cubes an axis
    n_inside = 2**dim * factorial(dim)
    whole = inside_cells(program, box, level=1e3)
    assert whole.n >= n_inside
    monkeypatch.setattr("creased.decomposition.inside_cells.region_graph", None)
    with pytest.raises(CellLimitError, match=f"{n_inside:,} simplices of the grid are inside"):
        convex_parts(program, box, level=1e3, max_cells=n_inside - 1)
