"""The search for simplices that may hold a zero: none is lost, and few others are kept."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import creased
from creased.core.grids.search import find_candidates
from creased.core.program.combine import minus_level
from creased.core.program.feature_ranges import ranges_over_cubes
from creased.core.program.kuhn_grid import vertex_numbers
from creased.core.program.layers import Affine
from creased.core.program.program import Program
from creased.core.program.simplices import children_of, corners_of, distinct_vertices, n_paths

Levels = tuple[int, ...]


def _program(
    dim: int,
    levels: Levels,
    widths: Levels,
    log2_table: int | None = None,
    dtype: torch.dtype = torch.float64,
) -> Program:
    torch.manual_seed(1)
    network = creased.GridMLP(dim, levels, 2, widths, log2_table=log2_table).to(dtype)
    for n, table in zip(levels, network.grid.tables, strict=True):
        torch.nn.init.normal_(table, std=1 / n)
    program = creased.lower(network).detach()
    return minus_level(program, program(torch.full((1, dim), 0.1, dtype=dtype)).item())


def _kept(program: Program, walls: Affine | None = None, *, prune: bool = True) -> tuple[Tensor, Tensor]:
    found = list(find_candidates(program, walls, prune=prune, working=1 << 28))
    simplices = torch.cat([batch.simplices for batch in found])
    order = simplices.argsort()
    return simplices[order], torch.cat([batch.states[batch.place] for batch in found])[order]


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("ratio", [1, 2, 3])
def test_children_fill_their_parents(dim: int, ratio: int) -> None:
    n = 3
    parents = torch.arange(n_paths(dim) * n**dim)
    children = children_of(parents, dim, n, ratio)
    assert torch.equal(children.sort().values, torch.arange(n_paths(dim) * (n * ratio) ** dim))
    middles = corners_of(children, dim, n * ratio).double().mean(1) / ratio
    unit = middles.unflatten(0, (len(parents), -1)) - corners_of(parents, dim, n)[:, None, 0]
    axes = corners_of(parents, dim, n).diff(dim=1).argmax(2)
    ordered = unit.gather(2, axes[:, None].expand_as(unit))  # descending in the simplex, between 1 and 0
    assert bool((ordered.diff(dim=2) < 0).all() & (ordered > 0).all() & (ordered < 1).all())


def test_vertices_are_listed_once() -> None:
    corners = corners_of(torch.tensor([7, 100, 101, 7]), 3, 4)
    distinct, place = distinct_vertices(corners, 4)
    assert torch.equal(distinct[place], corners)
    assert torch.equal(vertex_numbers(distinct, 4), vertex_numbers(corners, 4).unique())


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("log2_table", [None, 4])
def test_ranges_hold_all_features_in_a_cube(dim: int, log2_table: int | None) -> None:
    grid = _program(dim, (4, 8, 2), (3,), log2_table).grid
    assert grid is not None
    ranges = ranges_over_cubes(grid, [1, 2, 4])
    points = torch.rand(2000, dim, generator=torch.Generator().manual_seed(0)).double() - 0.5
    features = grid.encode(points)[:, dim:]
    for n, columns in ((1, range(6)), (2, range(4)), (4, range(2, 4))):
        cubes = vertex_numbers(((points + 0.5) * n).long(), n - 1)
        low, high = (bounds[cubes] for bounds in ranges[n])
        assert low.shape[1] == len(columns)
        values = features[:, list(columns)]
        assert bool(((low <= values + 1e-12) & (values <= high + 1e-12)).all())
    corners = torch.cartesian_prod(*[torch.arange(2)] * dim) * 8 + torch.tensor([0] * dim)
    assert bool((grid.at_vertices(corners)[:, dim:] <= ranges[1].high).all())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("log2_table", [None, 6])
@pytest.mark.parametrize("widths", [(8,), (7, 6)])
@pytest.mark.parametrize(("dim", "levels"), [(3, (2, 4, 16)), (2, (4, 16, 64)), (2, (64,)), (3, (15,))])
def test_no_zero_is_lost(
    dim: int, levels: Levels, widths: Levels, log2_table: int | None, dtype: torch.dtype
) -> None:
    program = _program(dim, levels, widths, log2_table, dtype)
    every, states = _kept(program, prune=False)
    assert torch.equal(every, torch.arange(n_paths(dim) * max(levels) ** dim))
    weights = torch.distributions.Dirichlet(torch.ones(dim + 1)).sample((30,)).to(dtype)
    inside = program.inner(weights @ states)[..., 0]  # at points of each simplex
    values = torch.cat([inside, program.inner(states)[..., 0]], dim=1)
    has_zero = (values >= 0).any(1) & (values < 0).any(1)
    kept, kept_states = _kept(program)
    assert set(every[has_zero].tolist()) <= set(kept.tolist())
    assert torch.equal(kept_states, states[kept])
    assert len(kept) < 2 * int(has_zero.sum()) < len(every)


def test_simplices_outside_of_a_domain_are_left_out() -> None:
    program = _program(2, (8,), (3,))
    walls = Affine(torch.tensor([[1.0, 0.0]]).double(), torch.tensor([0.249]).double())  # x >= -0.249
    kept, _ = _kept(program, walls, prune=False)
    assert torch.equal(kept, torch.arange(2 * 8 * 2, 2 * 8 * 8))


def test_a_search_of_nothing_finds_nothing() -> None:
    program = minus_level(_program(3, (2, 4), (5,)), 1e3)
    assert len(_kept(program)[0]) == 0
