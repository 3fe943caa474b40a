"""Bounds hold on the cells, rounding included, and are tight enough to be of use."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from creased import MLP, Program, lower
from creased.core.program.affine_arithmetic import AffineForms, advance_forms, apply, input_forms, size_of
from creased.core.program.bounds import Cells, Tail, _lowest_value, _relax_forward, excludes_zero
from tests.strategies import random_program

dims, widths, depths, seeds = st.integers(1, 3), st.integers(2, 12), st.integers(1, 5), st.integers(0, 999)
slopes = st.sampled_from([0.0, 0.2, -0.5])
n_symbols = st.sampled_from([0, 3, 16])


def _cells(program: Program, n_cells: int, size: float, seed: int) -> Cells:
    """Small simplices at random places of the box of half width 1; corners are float32 numbers."""
    dim = program.in_dim
    uniform = partial(torch.rand, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    centres = 1.8 * uniform((n_cells, 1, dim)) - 0.9
    corners = (centres + size * (uniform((n_cells, dim + 1, dim)) - 0.5)).float().double()
    side = program(corners)[:, 0, 0].sign()
    state = input_forms(dim, torch.float64, torch.device("cpu"))
    state = AffineForms(*(part.expand(n_cells, *part.shape[1:]) for part in state))
    return Cells(torch.nn.functional.pad(corners, (0, 1), value=1), state, side)


def _points_inside(cells: Cells, n_points: int, seed: int) -> Tensor:
    n_cells, n_corners, _ = cells.corners.shape
    generator = torch.Generator().manual_seed(seed)
    weights = torch.rand((n_cells, n_points, n_corners), generator=generator, dtype=torch.float64)
    weights = torch.cat([weights, torch.eye(n_corners).double().expand(n_cells, -1, -1)], dim=1)
    return (weights / weights.sum(-1, keepdim=True)) @ cells.corners[:, :, :-1]


def _tail(program: Program, dtype: torch.dtype = torch.float64) -> Tail:
    return Tail(program.to(dtype=dtype), torch.ones(program.in_dim + 1, dtype=dtype))


def _lowest(tail: Tail, cells: Cells, n_symbols: int) -> Tensor:
    return _lowest_value(tail, _relax_forward(tail, cells, n_symbols), cells)


def _in_float32(cells: Cells) -> Cells:
    state = AffineForms(*(part.float() for part in cells.state))
    return Cells(cells.corners.float(), state, cells.side.float())


@given(dims, widths, depths, seeds, slopes, n_symbols, st.sampled_from([0.5, 0.01]))
def test_bound_is_below_all_values(
    dim: int, width: int, depth: int, seed: int, slope: float, n_symbols: int, size: float
) -> None:
    program = random_program(dim, (width,) * depth, seed=seed, slope=slope)
    cells = _cells(program, 30, size, seed)
    values = program(_points_inside(cells, 100, seed))[:, :, 0] * cells.side[:, None]
    assert bool((_lowest(_tail(program), cells, n_symbols) <= values.amin(1)).all())


@given(dims, widths, depths, seeds, slopes, n_symbols)
def test_rounding_in_float32_is_accounted_for(
    dim: int, width: int, depth: int, seed: int, slope: float, n_symbols: int
) -> None:
    program = random_program(dim, (width,) * depth, seed=seed, slope=slope).to(dtype=torch.float32)
    exact = program.to(dtype=torch.float64)
    cells = _cells(exact, 30, 1e-6, seed)  # the bound is as tight as rounding lets it be
    values = exact(_points_inside(cells, 20, seed))[:, :, 0] * cells.side[:, None]
    bounds = _lowest(_tail(program, torch.float32), _in_float32(cells), n_symbols)
    assert bool((bounds.double() <= values.amin(1)).all())


def test_without_the_rounding_float32_would_be_wrong() -> None:
    program = random_program(2, (12,) * 5, seed=1).to(dtype=torch.float32)
    exact = program.to(dtype=torch.float64)
    cells = _cells(exact, 300, 1e-6, 0)
    computed = program(cells.corners[:, :, :-1].float())[:, :, 0] * cells.side[:, None].float()
    values = exact(cells.corners[:, :, :-1])[:, :, 0] * cells.side[:, None]
    assert bool((computed.amin(1).double() > values.amin(1)).any())


@given(dims, widths, seeds, slopes)
def test_bound_of_one_small_block_is_exact(dim: int, width: int, seed: int, slope: float) -> None:
    program = random_program(dim, (width,), seed=seed, slope=slope)
    cells = _cells(program, 50, 1e-9, seed)
    values = (program(cells.corners[:, :, :-1])[:, :, 0] * cells.side[:, None]).amin(1)
    torch.testing.assert_close(_lowest(_tail(program), cells, 0), values, rtol=0, atol=1e-7)


@given(seeds)
def test_symbols_tighten_the_bound(seed: int) -> None:
    program = random_program(2, (12,) * 5, seed=seed)
    cells = _cells(program, 100, 0.05, seed)
    loose, tight = (_lowest(_tail(program), cells, n) for n in (0, 64))
    assert bool((tight >= loose - 1e-9).double().mean() > 0.9)  # seldom a chord is steeper than it was


@pytest.mark.parametrize("n_symbols", [0, 16])
def test_small_cells_away_from_zero_are_excluded(n_symbols: int) -> None:
    torch.manual_seed(1)
    program = lower(MLP(3, 12, 4).double()).detach()
    cells = _cells(program, 200, 1e-4, 0)
    far = program(cells.corners[:, 0, :-1])[:, 0].abs() > 0.05
    assert bool(far.any())
    assert bool(excludes_zero(_tail(program), cells, n_symbols)[far].all())


@pytest.mark.parametrize("activation", [nn.ReLU, nn.LeakyReLU])
def test_forms_on_fixed_patterns_are_those_of_the_network(activation: type) -> None:
    torch.manual_seed(4)
    program = lower(MLP(2, 6, 2, activation=activation).double()).detach()
    points = torch.rand((40, 2), dtype=torch.float64)
    reach = torch.ones(3, dtype=torch.float64)
    forms = input_forms(2, torch.float64, torch.device("cpu"))
    forms = AffineForms(*(part.expand(40, *part.shape[1:]) for part in forms))
    state = points
    for block in program.blocks:
        z = block.affine(state)
        forms = advance_forms(block, forms, (z > 0).double(), reach)
        state = block.advance(state, torch.relu(z))
    found = (torch.nn.functional.pad(points, (0, 1), value=1)[:, None] @ forms.maps)[:, 0]
    assert bool(((found - state).abs() <= forms.error).all())
    assert float(forms.error.max()) < 1e-12


def test_size_bounds_the_values() -> None:
    program = random_program(3, (5, 5), seed=2)
    reach = torch.ones(4, dtype=torch.float64)
    forms = input_forms(3, torch.float64, torch.device("cpu"))
    z = apply(program.blocks[0].affine, forms, size_of(forms, reach))
    points = torch.rand((100, 3), dtype=torch.float64) * 2 - 1
    assert bool((program.blocks[0].affine(points).abs() <= size_of(z, reach)).all())
