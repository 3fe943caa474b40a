"""Slices of networks on a grid: against slices of plain networks on single simplices, and the whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import creased
from creased import Box, tropical
from creased.core.domains.box import slice_across
from creased.core.grids.section import Heights, coordinates
from creased.geometry.implicit_vertices import solve_vertices
from tests.composed import composed
from tests.core.grids.test_grid_complex import random_on_grid

ACROSS = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]  # a plane of constant z


def _plane(seed: int, dim: int = 3, k: int = 2) -> tuple[Tensor, Tensor]:
    """A point near the origin, and orthonormal directions, in general position."""
    draws = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn((dim, k), generator=draws, dtype=torch.float64)).Q
    return 0.1 * torch.randn(dim, generator=draws, dtype=torch.float64), basis


def _sliced_alone(
    program: creased.Program, origin: Tensor, basis: Tensor
) -> Iterator[creased.PolyhedralComplex]:
    """The complexes of a slice, simplex by simplex, of plain networks."""
    for plain, simplex in composed(program):
        walls = simplex.halfspaces(torch.float64, torch.device("cpu"))  # (D + 1, D + 1)
        try:
            within = creased.Polytope(-(walls[:-1].T @ basis), walls[-1] + origin @ walls[:-1])
        except ValueError:  # the plane does not meet this simplex
            continue
        yield creased.extract_complex(creased.slice_program(plain, origin, basis).program, within)


def _with_level() -> tuple[creased.Program, float]:
    program = random_on_grid(3, (2, 4), seed=5)
    return program, float(program(torch.full((1, 3), 0.1).double())) + 0.01


def _places(pieces: list[Tensor]) -> list[list[list[float]]]:
    return sorted(sorted(((points * 1e7).round() + 0.0).tolist()) for points in pieces)


def _cells(complex_: creased.PolyhedralComplex) -> list[Tensor]:
    offsets, indices = creased.find_regions(complex_).vertices()
    return [complex_.vertices[part] for part in indices.split(offsets.diff().tolist())]


@pytest.mark.parametrize(
    ("dim", "levels", "k"), [(3, (1, 2), 2), (3, (3,), 2), (3, (1, 2), 1), (2, (1, 2, 4), 1)]
)
@pytest.mark.parametrize("seed", [0])
def test_cells_are_those_of_slices_of_plain_networks(
    dim: int, levels: tuple[int, ...], k: int, seed: int
) -> None:
    program = random_on_grid(dim, levels, seed=4)
    origin, basis = _plane(seed, dim, k)
    cut = creased.slice_program(program, origin, basis).program
    found = creased.extract_complex(cut)
    expected = [cell for alone in _sliced_alone(program, origin, basis) for cell in _cells(alone)]
    assert _places(_cells(found)) == _places(expected)
    assert found.euler_characteristic() == 1
    assert creased.count_cells(cut) == found.f_vector() == tropical.f_vector(cut, with_outputs=True)
    assert (len(found.vertices), len(found.edges)) == found.f_vector()[:2]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_level_sets_are_sections_of_the_whole_level_set(seed: int) -> None:
    program, level = _with_level()
    cut = creased.slice_program(program, *_plane(seed))
    curve = creased.extract_level_set(cut.program, None, level)
    surface = creased.extract_level_set(program, None, level)
    assert curve.is_complete
    assert float((cut.program(curve.vertices) - level).abs().max()) < 1e-12
    heights = (surface.vertices - cut.origin) @ torch.linalg.cross(*cut.basis.T)
    is_cut = (heights >= 0)[surface.edges[:, 0]] != (heights >= 0)[surface.edges[:, 1]]
    first, second = surface.edges[is_cut].unbind(1)
    shares = (heights[first] / (heights[first] - heights[second]))[:, None]
    crossing = torch.lerp(surface.vertices[first], surface.vertices[second], shares)
    assert _places([cut.lift(curve.vertices)]) == _places([crossing])


@pytest.mark.parametrize(("axis", "at"), [(0, 0.0), (1, 0.25), (2, 0.0), (2, -0.5), (2, 0.5), (0, 0.1)])
def test_planes_of_the_grid_have_the_cells_of_a_plane_beside_them(axis: int, at: float) -> None:
    program = random_on_grid(3, (2, 4), seed=6)
    box, beside = Box.cube(3, 0.5), -1e-9 if at > -0.5 else 1e-9  # a height of zero counts as above
    (cut, square), (near, _) = (slice_across(program, box, axis, place) for place in (at, at + beside))
    found, expected = (creased.extract_complex(each.program, square) for each in (cut, near))
    assert found.f_vector() == expected.f_vector()
    assert found.n_inconsistent == 0
    torch.testing.assert_close(*(x.vertices.sort(0).values for x in (found, expected)), atol=1e-6, rtol=0)
    exact = tropical.f_vector(cut.program, square)
    contracted = creased.extract_complex(cut.program, square, level=None, degeneracy="contract")
    assert exact == contracted.f_vector()
    assert sum((-1) ** i * n for i, n in enumerate(exact)) == 1


def test_exact_decisions_agree_where_none_is_in_doubt() -> None:
    program, _ = _with_level()
    for plane in (([0.0, 0.0, 0.1], ACROSS), _plane(1)):
        cut = creased.slice_program(program, *plane).program
        level = float(cut(torch.rand((99, 2)).double() - 0.5).mean())
        rounded, exact = (creased.extract_level_set(cut, None, level, exact=exact) for exact in (False, True))
        assert torch.equal(rounded.words, exact.words)
        assert not rounded.is_empty
        creased.extract_level_set(cut, None, level, degeneracy="error")
        with pytest.raises(ValueError, match="slices"):
            creased.certify(exact, cut)


def test_a_curve_ends_on_walls_of_its_domain() -> None:
    program, level = _with_level()
    for cut, domain in (
        (creased.slice_program(program, [0.0, 0.0, 0.1], ACROSS), None),
        (creased.slice_program(program, [0.0, 0.0, 0.1], ACROSS), Box.cube(2, 0.5)),
        (creased.slice_program(program, [0.0, 0.0, 0.25], ACROSS), Box((-0.25, -0.5), (0.5, 0.3))),
        (creased.slice_program(program, *_plane(0)), None),
        (creased.slice_program(program, *_plane(1)), Box.cube(2, 0.2)),
    ):
        curve = creased.extract_level_set(cut.program, domain, level)
        ends = torch.bincount(curve.edges.flatten(), minlength=len(curve.vertices)) == 1
        assert int(ends.sum()) > 0
        assert torch.equal(ends, curve.is_on_wall())


def test_vertices_of_a_slice_are_solved_by_their_rows() -> None:
    program, level = _with_level()
    for origin, basis in ((torch.tensor([0.0, 0.0, 0.1]), torch.tensor(ACROSS)), _plane(2)):
        cut = creased.slice_program(program, origin, basis)
        curve = creased.extract_level_set(cut.program, None, level)
        solved = solve_vertices(curve, cut.program)
        assert bool(solved.is_current.all())
        torch.testing.assert_close(solved.vertices, curve.vertices, atol=1e-9, rtol=0)


def test_a_slice_of_a_slice_is_a_line() -> None:
    program = random_on_grid(3, (1, 2), seed=7)
    plane = creased.slice_program(program, *_plane(3))
    line = creased.slice_program(plane.program, *_plane(4, 2, 1))
    origin, basis = plane.lift(line.origin), plane.basis @ line.basis
    direct = creased.extract_complex(creased.slice_program(program, origin, basis).program)
    found = creased.extract_complex(line.program)
    torch.testing.assert_close(found.vertices.sort(0).values, direct.vertices.sort(0).values)
    everything = creased.slice_program(program, torch.zeros(3), torch.eye(3)).program
    assert creased.extract_complex(everything).f_vector() == creased.extract_complex(program).f_vector()


def test_heights_vanish_on_the_slice_alone() -> None:
    origin, basis = torch.tensor([0.25, 0.0, -0.25]).double(), torch.tensor([[1, 0], [1, 1], [0, 1]]).double()
    grid = creased.slice_program(random_on_grid(3, (4,), seed=1), origin, basis).program.grid
    assert grid is not None
    assert grid.section is not None
    corners = torch.cartesian_prod(*[torch.arange(5)] * 3)
    heights = Heights(grid)(corners)[:, 0]
    expected = (corners - 2) @ torch.tensor([1, -1, 1])  # the point is (3, 2, 1) in units of cubes
    assert torch.equal(heights == 0, expected == 0)
    assert abs(int((heights.sign() * expected.sign()).sum())) == int((expected != 0).sum())
    places = torch.rand((7, 2)).double()
    torch.testing.assert_close(coordinates(grid)(grid.section.lift(places)), places)


def test_what_is_no_slice_of_the_cube_is_refused() -> None:
    program = random_on_grid(3, (2,), seed=0)
    with pytest.raises(ValueError, match="does not cut through the cube"):
        creased.extract_complex(creased.slice_program(program, [0.0, 0.0, 0.6], ACROSS).program)
    with pytest.raises(ValueError, match="smaller one"):
        creased.extract_complex(
            creased.slice_program(program, [0.0, 0.0, 0.1], ACROSS).program, Box.cube(2, 0.6)
        )
    cut = creased.slice_program(program, [0.0, 0.0, 0.1], ACROSS).program
    with pytest.raises(ValueError, match="slice what they make"):
        creased.combine.minimum(cut, cut)
