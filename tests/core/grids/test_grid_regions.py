"""Regions of complexes on a grid: against plain networks on single simplices, and against the network."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from torch import Tensor

import creased
from creased import find_regions
from tests.composed import composed
from tests.core.grids.test_grid_complex import random_on_grid

CASES = [(2, (1,)), (2, (1, 2, 4)), (3, (1,)), (3, (1, 2))]


def _owners(offsets: Tensor) -> Tensor:
    return torch.repeat_interleave(torch.arange(offsets.shape[0] - 1), offsets.diff())


def _level(program: creased.Program) -> float:
    return float(program(torch.full((1, program.in_dim), 0.137).double())) + 0.01  # where it is not constant


@pytest.mark.parametrize(("dim", "levels"), CASES)
def test_regions_are_those_of_plain_networks_on_single_simplices(dim: int, levels: tuple[int, ...]) -> None:
    program = random_on_grid(dim, levels, seed=1)
    complex_ = creased.extract_complex(program, level=(level := _level(program)))
    regions, expected = find_regions(complex_), []
    for plain, simplex in composed(program):
        alone = creased.extract_complex(plain, simplex, level=level)
        offsets, indices = find_regions(alone).vertices()
        expected += [alone.vertices[part] for part in indices.split(offsets.diff().tolist())]
    offsets, indices = regions.vertices()
    found = [complex_.vertices[part] for part in indices.split(offsets.diff().tolist())]
    assert _places(found) == _places(expected)


def _places(regions: list[Tensor]) -> list[list[list[float]]]:
    """Corners of regions, rounded, in an order of their own."""
    return sorted(sorted(((points * 1e8).round() + 0.0).tolist()) for points in regions)


@pytest.mark.parametrize(("dim", "levels"), CASES)
def test_facets_bound_one_region_or_join_two(dim: int, levels: tuple[int, ...]) -> None:
    program = random_on_grid(dim, levels, seed=2)
    complex_ = creased.extract_complex(program, level=_level(program))
    regions = find_regions(complex_)
    (_, rows), pairs = regions.facets(), regions.neighbours()
    n_outer = int(((rows >= 0) & (rows < complex_.layout.n_walls)).sum())
    assert len(rows) == 2 * len(pairs) + n_outer
    assert complex_.f_vector()[-2] == len(pairs) + n_outer
    offsets, indices = regions.vertices()
    corners = [set(part.tolist()) for part in indices.split(offsets.diff().tolist())]
    joined = {tuple(pair) for pair in pairs[:, :2].tolist()}
    shared = {(i, j): corners[i] & corners[j] for i, j in combinations(range(regions.n), 2)}
    spanning = {pair for pair, both in shared.items() if _spans(complex_.vertices[list(both)], dim - 1)}
    assert joined == spanning


def _spans(points: Tensor, dim: int) -> bool:
    """Whether points span an affine space of that dimension."""
    return len(points) > dim and int(torch.linalg.matrix_rank(points[1:] - points[:1], atol=1e-9)) == dim


@pytest.mark.parametrize(("dim", "levels"), CASES)
def test_halfspaces_hold_the_vertices_and_maps_give_the_values(dim: int, levels: tuple[int, ...]) -> None:
    program = random_on_grid(dim, levels, seed=3)
    complex_ = creased.extract_complex(program, level=(level := _level(program)))
    regions = find_regions(complex_)
    halfspaces, maps = regions.halfspaces(program, level), regions.maps(program)
    offsets, indices = regions.vertices()
    for region, part in enumerate(indices.split(offsets.diff().tolist())):
        points = complex_.vertices[part]
        mine = slice(int(halfspaces.offsets[region]), int(halfspaces.offsets[region + 1]))
        heights = points @ halfspaces.normals[mine].T + halfspaces.constants[mine]
        assert float(heights.min()) > -1e-9
        assert bool(((heights.abs() < 1e-9).sum(0) >= dim).all())
        torch.testing.assert_close(points @ maps[region, :-1] + maps[region, -1], program(points))
    with pytest.raises(ValueError, match="a grid"):
        regions.halfspaces(program.inner)


@pytest.mark.parametrize("zero_sign", [1, -1])
def test_signs_are_those_of_points_inside(zero_sign: int) -> None:
    program = random_on_grid(3, (1, 2), seed=4)
    complex_ = creased.extract_complex(program, level=(level := _level(program)), zero_sign=zero_sign)
    regions = find_regions(complex_)
    offsets, indices = regions.vertices()
    sums = torch.zeros((regions.n, 3), dtype=torch.float64)
    centres = sums.index_add_(0, _owners(offsets), complex_.vertices[indices]) / offsets.diff()[:, None]
    values = program.preactivations(centres)
    values[:, -1] -= level
    is_clear = (values.abs() > 1e-9).all(1)
    signs = regions.sign_vectors()[:, complex_.layout.n_walls :]
    assert torch.equal(signs[is_clear], values[is_clear].sign().to(torch.int8))
    assert int(is_clear.sum()) > 0.9 * regions.n


def test_regions_of_a_piece_are_refused() -> None:
    piece = next(creased.stream_complex(random_on_grid(2, (2,), seed=0), at_once=20))
    with pytest.raises(ValueError, match="needs a whole complex"):
        find_regions(piece)
