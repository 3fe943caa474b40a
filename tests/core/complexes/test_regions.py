"""Regions on request: vertices, half-spaces and neighbours agree with each other and with the network."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from creased import Affine, Box, Regions, extract_complex, find_regions, stream_complex
from creased.core.arrangement.signs import pack_rows
from creased.core.complexes.regions import Halfspaces
from tests.strategies import Case, assemble, degenerate_cases, generic_cases, random_program


def _of_case(case: Case) -> tuple[Regions, Tensor]:
    complex_ = extract_complex(case.program, case.box)
    return find_regions(complex_), complex_.vertices


def _owners(offsets: Tensor) -> Tensor:
    return torch.repeat_interleave(torch.arange(offsets.shape[0] - 1), offsets.diff())


def test_square_cut_by_a_line() -> None:
    program = random_program(2, ())
    program.head.weight[:] = torch.tensor([1.0, 0.0])
    program.head.bias[:] = -0.25
    complex_ = extract_complex(program, Box.cube(2, 1))
    regions = find_regions(complex_)
    assert regions.n == 2
    assert regions.neighbours().tolist() == [[0, 1, 4]]
    offsets, vertices = regions.vertices()
    left = int((regions.sign_vectors()[:, 4] < 0).nonzero())
    points = complex_.vertices[vertices[offsets[left] : offsets[left + 1]]]
    assert sorted(points.tolist()) == [[-1, -1], [-1, 1], [0.25, -1], [0.25, 1]]
    halfspaces = regions.halfspaces(program)
    assert halfspaces.offsets.tolist() == [0, 4, 8]
    mine = slice(4 * left, 4 * left + 4)
    bounds = {
        int(row): (*normal.tolist(), float(constant))
        for row, normal, constant in zip(
            halfspaces.rows[mine], halfspaces.normals[mine], halfspaces.constants[mine], strict=True
        )
    }
    assert bounds == {0: (1, 0, 1), 2: (0, 1, 1), 3: (0, -1, 1), 4: (-1, 0, 0.25)}


@given(generic_cases(dims=(1, 2, 3, 4)))
def test_counts_are_those_of_the_f_vector(case: Case) -> None:
    complex_ = extract_complex(case.program, case.box)
    regions, f_vector = find_regions(complex_), complex_.f_vector()
    assert regions.n == f_vector[-1]
    n_inner = regions.neighbours().shape[0]
    n_facets = regions.facets()[1].shape[0]
    assert n_inner + (n_facets - n_inner) - n_inner == f_vector[-2]  # an inner facet bounds two regions
    if case.box.dim == 3:  # Euler: V - E + F = 2 with 2 E = 3 V, as simple polytopes have
        n_vertices = regions.vertices()[0].diff()
        assert bool((n_vertices - 1.5 * n_vertices + regions.facets()[0].diff() == 2).all())


@given(generic_cases(dims=(1, 2, 3)))
def test_vertices_lie_in_the_halfspaces_and_on_their_walls(case: Case) -> None:
    regions, points = _of_case(case)
    halfspaces = regions.halfspaces(case.program)
    offsets, vertices = regions.vertices()
    for region in range(min(regions.n, 20)):
        mine = slice(int(halfspaces.offsets[region]), int(halfspaces.offsets[region + 1]))
        corners = points[vertices[offsets[region] : offsets[region + 1]]]
        _check_polytope(halfspaces, mine, corners)


def _check_polytope(halfspaces: Halfspaces, mine: slice, corners: Tensor) -> None:
    """All vertices are inside, and each facet has D of them or more."""
    normals, constants = halfspaces.normals[mine], halfspaces.constants[mine]
    size = normals.abs() @ corners.abs().amax(0) + constants.abs()
    values = (corners @ normals.T + constants) / size
    assert bool((values > -1e-9).all())
    assert bool(((values.abs() < 1e-9).sum(0) >= corners.shape[1]).all())


@given(generic_cases(dims=(2, 3)))
def test_sign_vectors_are_those_of_points_inside(case: Case) -> None:
    regions, points = _of_case(case)
    offsets, vertices = regions.vertices()
    total = torch.zeros((regions.n, case.box.dim), dtype=points.dtype)
    centres = total.index_add_(0, _owners(offsets), points[vertices]) / offsets.diff()[:, None]
    signs = case.program.preactivations(centres) >= 0
    inside = torch.ones((regions.n, 2 * case.box.dim), dtype=torch.bool)
    words = pack_rows(torch.cat([inside, signs], dim=1), 0, regions.words.shape[1])
    n_wrong = int((words != regions.words).any(1).sum())
    assert n_wrong <= 0.02 * regions.n  # a sliver's centre may round across its side


@given(generic_cases(dims=(1, 2, 3)), st.integers(0, 9))
def test_points_are_in_the_region_of_their_signs(case: Case, seed: int) -> None:
    regions, _ = _of_case(case)
    lower, upper = torch.tensor([case.box.lower, case.box.upper], dtype=torch.float64)
    random = torch.rand(
        (20, case.box.dim), generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    points = lower + random * (upper - lower)
    found = regions.at(points, case.program)
    signs = torch.where(case.program.preactivations(points.to(case.program.dtype)) >= 0, 1, -1)
    assert torch.equal(regions.sign_vectors()[found][:, 2 * case.box.dim :].long(), signs)
    assert regions.at(upper[None] + 1, case.program).tolist() == [-1]


@given(generic_cases(dims=(2, 3)))
def test_neighbours_differ_in_one_sign(case: Case) -> None:
    regions, _ = _of_case(case)
    first, second, rows = regions.neighbours().unbind(1)
    signs = regions.sign_vectors()
    differ = signs[first] != signs[second]
    assert bool((differ.sum(1) == 1).all())
    assert bool(differ.gather(1, rows[:, None]).all())


@given(st.one_of(generic_cases(), degenerate_cases()))
def test_mean_degree_of_the_graph_of_regions_is_at_most_twice_the_dimension(case: Case) -> None:
    regions, _ = _of_case(case)
    assert regions.neighbours().shape[0] <= regions.dim * regions.n  # arXiv 2606.07728


def test_mean_degree_of_a_grid_is_near_the_bound() -> None:
    n = 9
    weight = torch.eye(2).repeat_interleave(n, dim=0).double()
    bias = torch.linspace(-0.8, 0.8, n).double().repeat(2)
    program = assemble(
        [Affine(weight, bias), Affine(torch.ones((1, 2 * n)).double(), torch.ones(1).double())]
    )
    regions = find_regions(extract_complex(program, Box.cube(2, 1), level=None))
    assert (regions.n, regions.neighbours().shape[0]) == ((n + 1) ** 2, 2 * n * (n + 1))  # 2D n / (n + 1)


def test_regions_of_a_piece_are_refused() -> None:
    piece = next(stream_complex(random_program(2, (8, 8)), Box.cube(2, 1), at_once=20))
    with pytest.raises(ValueError, match="needs a whole complex"):
        find_regions(piece)


def test_regions_of_a_complex_that_was_given_up_are_refused() -> None:
    part = extract_complex(random_program(3, (12, 12), seed=1), Box.cube(3, 1), at_once=300, memory=50_000)
    assert not part.is_whole
    with pytest.raises(ValueError, match="this one was stopped after"):
        find_regions(part)


def test_another_network_is_refused() -> None:
    regions = find_regions(extract_complex(random_program(2, (4,)), Box.cube(2, 1)))
    with pytest.raises(ValueError, match=r"\(4,\).*\(5,\)"):
        regions.halfspaces(random_program(2, (5,)))
    with pytest.raises(ValueError, match=r"at: .*\(4,\).*\(5,\)"):
        regions.at(torch.zeros(1, 2), random_program(2, (5,)))


def test_regions_move_between_devices() -> None:
    regions = find_regions(extract_complex(random_program(2, (4,)), Box.cube(2, 1)))
    assert regions.to("cpu").n == regions.n
