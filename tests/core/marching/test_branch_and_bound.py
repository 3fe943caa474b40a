"""The compiled search drops nothing that the level set meets, and its bounds are those of the torch path."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from creased import MLP, Affine, Block, Box, Program, extract_level_set, lower
from creased.core.marching.completeness import is_searchable
from creased.core.marching.walkers import start_walk
from creased.core.native.available import SWITCH
from creased.core.numerics.memory import Resources
from creased.core.program.affine_arithmetic import AffineForms, input_forms
from creased.core.program.bounds import Cells, Tail, _lowest_value, _relax_forward
from creased.core.subdivision.problem import Numbers, SubdivisionProblem, make_problem
from tests.invariants import check_same
from tests.strategies import random_program

pytest.importorskip("numba")
from creased.core.marching import search_state as state
from creased.core.marching.branch_and_bound import Search

N_CELLS = 60
NETWORKS = [(2, (5,) * 2), (2, (12,) * 5), (3, (8,) * 3), (3, (10, 3, 17)), (3, (16,) * 4)]


def _problem(program: Program) -> SubdivisionProblem:
    box = Box.cube(program.in_dim, 1.0)
    return make_problem(program, box, 0.0, Numbers(torch.float64), Resources(), prune=True)


def _found(problem: SubdivisionProblem) -> Tensor:
    """The cells that a search finds of which none is known."""
    search, words = Search(problem, start_walk(problem, Resources()).finish()), []
    share = 0.0
    while not search.is_done:
        missed, done = search.advance()
        assert not search.is_open
        words.append(missed.words)
        share += done
    assert share == pytest.approx(1)
    return torch.cat(words)


@cache
def _compiled() -> Any:
    """The bound of one region, entered at the first block."""
    from numba import njit

    from creased.core.marching.kernels.bounds import lowest_value, propagate, weigh
    from creased.core.marching.kernels.entering import enter

    @njit(_nrt=False)
    def bound(net, levels, work, n, side):  # noqa: ANN001, ANN202
        enter(net, levels, work, 0, n)
        propagate(net, levels, work, 0, n)
        weigh(net, levels, work)
        return lowest_value(net, levels, work, 0, n, side)

    return bound


def _simplices(dim: int, size: float) -> Tensor:
    generator = torch.Generator().manual_seed(dim)
    centres = 1.8 * torch.rand((N_CELLS, 1, dim), generator=generator, dtype=torch.float64) - 0.9
    spread = torch.rand((N_CELLS, dim + 1, dim), generator=generator, dtype=torch.float64) - 0.5
    return centres + size * spread


@pytest.mark.slow  # the bound is compiled, without a cache
@pytest.mark.parametrize("size", [0.5, 0.05, 1e-3])
@pytest.mark.parametrize(("dim", "widths"), NETWORKS)
def test_bound_is_that_of_torch_and_below_all_values(dim: int, widths: tuple[int, ...], size: float) -> None:
    program, corners = random_program(dim, widths, seed=len(widths)), _simplices(dim, size)
    side = program(corners)[:, 0, 0].sign()
    forms = input_forms(dim, torch.float64, torch.device("cpu"))
    forms = AffineForms(*(part.expand(N_CELLS, *part.shape[1:]) for part in forms))
    cells = Cells(torch.nn.functional.pad(corners, (0, 1), value=1), forms, side)
    tail = Tail(program, torch.ones(dim + 1, dtype=torch.float64))
    expected = _lowest_value(tail, _relax_forward(tail, cells, 0), cells)

    problem = _problem(program)
    net, n_words = state.network_of(problem), problem.rows.layout.n_words
    levels = state.make_levels(*net.bias.shape)
    work = state.make_scratch(*net.bias.shape, n_words)
    found = torch.empty_like(expected)
    for number, (vertices, sign) in enumerate(zip(corners, side, strict=True)):
        work.vertices[: dim + 1, :dim] = vertices.numpy()
        found[number] = _compiled()(net, levels, work, dim + 1, float(sign))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)

    weights = torch.rand((N_CELLS, 100, dim + 1), dtype=torch.float64)
    inside = (weights / weights.sum(-1, keepdim=True)) @ corners
    values = torch.cat([program(inside), program(corners)], dim=1)[:, :, 0] * side[:, None]
    assert bool((found <= values.amin(1)).all())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("widths", [(6,), (8, 8), (12, 5, 9), (16,) * 4])
def test_cells_found_are_those_that_the_level_set_meets(widths: tuple[int, ...], seed: int) -> None:
    program = random_program(3, widths, seed=seed)
    whole = extract_level_set(program, Box.cube(3, 1.0), method="subdivide", prune=False)
    walls = _problem(program).rows.before[6]
    expected = {tuple(row) for row in (whole.polygon_words | walls).tolist()}
    assert {tuple(row) for row in _found(_problem(program)).tolist()} == expected


def test_dead_neurons_and_empty_blocks_are_searched() -> None:
    program = random_program(3, (8, 6), seed=1)
    first, second = program.blocks
    dead = Affine(first.affine.weight * torch.tensor([0.0] + [1.0] * 7)[:, None].double(), first.affine.bias)
    with_dead = Program((Block(dead), second), program.head)
    whole = extract_level_set(with_dead, Box.cube(3, 1.0), method="subdivide", prune=False)
    assert _found(_problem(with_dead)).shape[0] == whole.polygons.n

    like = program.head.weight
    nothing = Block(Affine(like.new_zeros((0, 6)), like.new_zeros(0)))
    constant = Program((*program.blocks, nothing), Affine(like.new_zeros((1, 0)), like.new_ones(1)))
    assert _found(_problem(constant)).shape[0] == 0


@pytest.mark.parametrize("dim", [2, 3])
def test_a_walk_completed_by_search_is_that_completed_by_subdivision(
    dim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, nowhere = Box.cube(dim, 1.0), torch.empty((0, dim), dtype=torch.float64)
    for seed in range(6):
        program = random_program(dim, (12,) * 3, seed=seed)
        monkeypatch.delenv(SWITCH, raising=False)
        searched = extract_level_set(program, box, method="march", complete=True, seeds=nowhere)
        monkeypatch.setenv(SWITCH, "0")
        subdivided = extract_level_set(program, box, method="march", complete=True, seeds=nowhere)
        check_same(searched, subdivided)
        assert searched.is_complete


def test_subdivision_proves_what_rounding_leaves_open(monkeypatch: pytest.MonkeyPatch) -> None:
    program, box = random_program(3, (8, 8), seed=2), Box.cube(3, 1.0)
    expected = extract_level_set(program, box, method="march", complete=True)
    monkeypatch.setattr(Search, "is_open", True)
    check_same(extract_level_set(program, box, method="march", complete=True), expected)


def test_only_plain_networks_in_double_precision_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, box = random_program(3, (6, 6), seed=0), Box.cube(3, 1.0)
    leaky = lower(MLP(3, 6, 2, activation=nn.LeakyReLU).double()).detach()
    assert is_searchable(_problem(plain))
    assert not is_searchable(_problem(leaky))
    single = make_problem(plain.to(dtype=torch.float32), box, 0.0, Numbers(torch.float32), Resources())
    assert not is_searchable(single)
    monkeypatch.setenv(SWITCH, "0")
    assert not is_searchable(_problem(plain))
