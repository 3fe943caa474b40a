"""Limits on the launches of extractions on a device, and on the waits of the host for it.

A launch takes some microseconds whatever its size, so that their number is the time of small extractions.
Limits are up to a tenth above what was counted when they were set.
"""

from __future__ import annotations

import pytest
import torch

from creased import MLP, Box, GridMLP, Program, extract_complex, extract_level_set, lower
from tests.accelerator.pretend import Pretended

BOX = Box.cube(3, 0.5)


@pytest.fixture
def plain(device: Pretended) -> Program:
    torch.manual_seed(0)
    return lower(MLP(3, 8, 2).double()).detach().to(device.device)


@pytest.fixture
def grid(device: Pretended) -> Program:
    torch.manual_seed(0)
    network = GridMLP(3, (4, 8), 2, 8).double()
    for table in network.grid.tables:
        torch.nn.init.normal_(table, std=0.1)
    return lower(network).detach().to(device.device)


def _level_of(program: Program) -> float:
    """The value at the origin."""
    return float(program.outputs_at(torch.zeros(1, 3, dtype=torch.float64, device=program.device)))


def _clear(device: Pretended) -> None:
    for counter in (device.launches, device.reads, device.uploads):
        counter.clear()


def test_subdivision_waits_three_times_a_neuron(device: Pretended, plain: Program) -> None:
    _clear(device)
    extract_complex(plain, BOX, level=None)
    of_cuts = sum(n for line, n in device.reads.items() if "core/arrangement" in line or "core/exact" in line)
    assert of_cuts <= 3 * plain.n_neurons + 3 * len(plain.blocks)
    assert device.launches.total() <= 115 * plain.n_neurons


def test_marching(device: Pretended, plain: Program) -> None:
    level = _level_of(plain)
    _clear(device)
    extract_level_set(plain, BOX, level, method="march")
    assert device.launches.total() <= 3_000
    assert (device.reads + device.uploads).total() <= 64, device.reads + device.uploads


@pytest.mark.slow
def test_marching_deep_networks(device: Pretended) -> None:
    torch.manual_seed(0)
    program = lower(MLP(3, 32, 8).double()).detach().to(device.device)
    level = _level_of(program)
    _clear(device)
    extract_level_set(program, BOX, level, method="march")
    assert device.launches.total() <= 6_000
    assert (device.reads + device.uploads).total() <= 102, device.reads + device.uploads


def test_grids(device: Pretended, grid: Program) -> None:
    level = _level_of(grid)
    extract_level_set(grid, None, level)  # tables of grids are made once
    _clear(device)
    extract_level_set(grid, None, level)
    assert device.launches.total() <= 2000
    assert (device.reads + device.uploads).total() <= 87, device.reads + device.uploads
