"""Pieces of boxes: triangles are clipped without loss, and parts cover what is inside of the level set."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import torch

from creased import Box, CellLimitError, GridMLP, Program, Simplex, convex_parts, integrate, lower
from creased.core.domains.domain import Domain
from creased.decomposition.bisection import clip
from creased.decomposition.hulls import hull_of, planes_around
from creased.decomposition.inside_cells import inside_cells
from creased.decomposition.moments import moments_inside, moments_of_simplices
from creased.decomposition.offset_tree import OffsetTree
from creased.decomposition.solid import Solid
from creased.meshes.caps import CapError
from creased.regions.triangulation import boundary_faces
from tests.decomposition.test_convex_parts import farthest_from, is_within
from tests.strategies import random_program
from tests.tropical.nets import named

TETRAHEDRON = Simplex([[-0.5, -0.5, -0.5], [0.5, -0.5, -0.4], [0, 0.5, -0.5], [0, 0, 0.5]])


def grid_network(seed: int) -> Program:
    """A random network on a grid."""
    torch.manual_seed(seed)
    network = GridMLP(in_dim=3, levels=(2, 4), features=2, width=6, depth=1, half_width=0.5).double()
    return lower(network).detach()


def in_the_middle(program: Program) -> float:
    return float(program(torch.zeros(1, 3, dtype=torch.float64)))


@pytest.fixture
def only_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("creased.decomposition.convex_parts")
    monkeypatch.setattr(module, "CELLS_FOR_BOXES", 0)


def check(program: Program, domain: Domain | None, level: float, error: float) -> None:
    """Compare parts with samples of {f < level}, and with the volume of its cells."""
    found = convex_parts(program, domain, level, error)
    below = float(integrate(program, domain, level).volume_below)
    assert found.volume == pytest.approx(below, rel=1e-10)
    assert found.largest_error <= error
    generator = torch.Generator().manual_seed(1)
    points = torch.rand(4000, 3, dtype=torch.float64, generator=generator) - 0.5
    if domain is not None:
        walls = domain.halfspaces(points.dtype, points.device)
        points = points[(points @ walls[:-1] + walls[-1] >= 0).all(1)]
    inside = program(points)[:, 0] < level
    assert bool(is_within(points[inside], found, 1e-9).any(1).all())  # nothing is missing
    assert farthest_from(program, domain, level, found, generator) <= error


@pytest.mark.parametrize("error", [0.2, 0.03])
@pytest.mark.parametrize("box", [None, Box((-0.5, -0.4, -0.3), (0.25, 0.5, 0.5))])
def test_parts_of_a_network_on_a_grid(box: Box | None, error: float) -> None:
    program = grid_network(0)
    check(program, box, in_the_middle(program), error)


@pytest.mark.usefixtures("only_boxes")
@pytest.mark.parametrize("domain", [Box.cube(3, 0.5), TETRAHEDRON])
def test_parts_in_walls(domain: Domain) -> None:
    program = random_program(3, (12, 12), seed=2)
    check(program, domain, in_the_middle(program), 0.04)


@pytest.mark.usefixtures("only_boxes")
def test_a_level_set_that_cannot_be_closed_leaves_the_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = convex_parts(named("TORUS"), Box.cube(3, 4))

    def refuses(*_: object) -> None:
        raise CapError("in doubt")

    monkeypatch.setattr("creased.decomposition.solid.cap", refuses)
    found = convex_parts(named("TORUS"), Box.cube(3, 4), error=2)
    assert found.n == 1
    assert found.n_pieces == expected.n_pieces
    assert found.volume == pytest.approx(8, rel=1e-12)


@pytest.mark.parametrize(("level", "n"), [(100.0, 1), (-100.0, 0)])
def test_a_whole_box_is_one_part_and_nothing_none(level: float, n: int) -> None:
    found = convex_parts(grid_network(1), None, level, 0.1)
    assert found.n == n
    assert found.volume == pytest.approx(n)
    assert found.overlap == pytest.approx(1)


@pytest.mark.usefixtures("only_boxes")
def test_a_convex_solid_is_one_piece() -> None:
    found = convex_parts(named("OCT"), Box.cube(3, 2), error=0.05)
    assert (found.n, found.n_pieces) == (1, 1)
    assert found.overlap == pytest.approx(1, rel=1e-12)


@pytest.mark.usefixtures("only_boxes")
def test_a_hole_that_an_error_does_not_fill_is_kept() -> None:
    found = convex_parts(named("TORUS"), Box.cube(3, 4), error=1.4)  # its hole is 1.5 deep
    assert not is_within(torch.zeros(1, 3).double(), found, 0.0).any()
    assert found.volume == pytest.approx(8, rel=1e-12)
    assert convex_parts(named("TORUS"), Box.cube(3, 4), error=1.6).n == 1


def test_too_many_pieces_are_refused_with_numbers() -> None:
    with pytest.raises(CellLimitError, match="max_cells=20: take a larger error"):
        convex_parts(grid_network(0), None, in_the_middle(grid_network(0)), 0.001, max_cells=20)


def test_an_error_that_needs_far_too_many_pieces_is_refused_early(monkeypatch: pytest.MonkeyPatch) -> None:
    program, told = grid_network(0), list[str]()
    monkeypatch.setattr("creased.decomposition.bisection.TELL", 10)
    with pytest.raises(
        CellLimitError, match=r"some .* pieces or more are needed within 0.0001; more than max_cells=100"
    ):
        convex_parts(program, None, in_the_middle(program), 1e-4, max_cells=100, progress=told.append)
    assert len(told) < 10
    convex_parts(program, None, in_the_middle(program), 0.03, progress=told.append)
    assert "pieces of the inside of" in told[-1]
    assert "0 boxes: " in told[-2]


def test_triangles_are_clipped_without_loss() -> None:
    rng = np.random.default_rng(0)
    triangles = rng.integers(-2, 3, size=(500, 3, 3)).astype(float)  # many corners on the plane
    triangles[::2] += rng.normal(size=(250, 3, 3))
    below, above = clip(triangles, 1, 0.0)
    assert below[:, :, 1].max() <= 0
    assert above[:, :, 1].min() >= 0
    flat = (triangles[:, :, 1] == 0).all(axis=1)  # on both sides
    assert flat.any()
    whole, once, twice = (area(some) for some in (triangles, triangles[flat], np.concatenate([below, above])))
    assert twice == pytest.approx(whole + once, rel=1e-12)


def area(triangles: np.ndarray) -> float:
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    return float(np.linalg.norm(np.cross(first, second), axis=1).sum() / 2)


@pytest.mark.parametrize("dim", [2, 3])
def test_moments_of_a_simplex_and_of_the_inside_of_a_surface(dim: int) -> None:
    corners = torch.cat([torch.zeros(1, dim), torch.eye(dim)]).double()[None]
    found = moments_of_simplices(corners)
    whole = 1 / (2 if dim == 2 else 6)
    assert found.volume == pytest.approx(whole)
    torch.testing.assert_close(found.first, torch.full((dim,), whole / (dim + 1)).double())
    expected = (torch.eye(dim).double() + 1) * whole / ((dim + 1) * (dim + 2))  # Dirichlet's integrals
    torch.testing.assert_close(found.second, expected)
    program = random_program(dim, (8, 8), seed=3)
    cells = inside_cells(program, Box.cube(dim, 1), float(program(torch.zeros(1, dim).double())))
    corners = cells.vertices[cells.simplices]
    is_turned = torch.linalg.det(corners[:, 1:] - corners[:, :1]) < 0
    swapped = cells.simplices[:, [1, 0, *range(2, dim + 1)]]
    oriented = torch.where(is_turned[:, None], swapped, cells.simplices)
    for one, other in zip(
        moments_of_simplices(corners), moments_inside(cells.vertices, boundary_faces(oriented)), strict=True
    ):
        torch.testing.assert_close(torch.as_tensor(one), torch.as_tensor(other))


def test_a_body_with_a_sharp_edge_is_within_an_error_of_itself() -> None:
    """No facet of the wedge parts it from boxes beyond its edge, which the other body makes there."""
    wedge = torch.tensor([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1e-3], [0, 1, 1e-3]]).double()
    other = torch.tensor([[3, 0, -1], [3.1, 0, -1], [3, 0.1, 0], [3, 0, 1.1]]).double()
    hulls = [hull_of(body.numpy()) for body in (wedge, other)]
    faces = [torch.from_numpy(hull.simplices).long() for hull in hulls]
    planes = [torch.from_numpy(planes_around(hull)) for hull in hulls]

    def contains(points: torch.Tensor) -> torch.Tensor:
        return torch.stack([(points @ of[:, :-1].T + of[:, -1] <= 0).all(1) for of in planes]).any(0)

    solid = Solid(torch.cat([wedge, other]), torch.cat([faces[0], faces[1] + len(wedge)]), contains)
    tree = OffsetTree(solid, 0.05)
    assert tree.holds(planes[0].numpy(), [])
    assert not tree.holds(hulls[0].equations, [])  # no proof without the planes of its bounding box
