"""A training step on the pretended device gives the gradients of the CPU, with a regularizer and without."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from creased import MLP, Box, GridMLP, LevelSet, extract_level_set, lower
from creased.geometry import Area, EdgeLength
from creased.training import ClampedDistance, Eikonal, Regularization
from tests.accelerator.pretend import Pretended

BOX = Box.cube(3, 0.5)
MAKERS: dict[str, Callable[[], nn.Module]] = {
    "grid": lambda: GridMLP(3, (1, 2), 2, 4),
    "plain": lambda: MLP(3, 8, 2),
}


def _through_the_origin(name: str) -> nn.Module:
    """A network in double precision whose zero set goes through the origin."""
    torch.manual_seed(1)
    network = MAKERS[name]().double()
    with torch.no_grad():
        network(torch.zeros(1, 3).double())
        list(network.parameters())[-1].sub_(network(torch.zeros(1, 3).double())[0])
    return network


def _loss(network: nn.Module, points: Tensor, distances: Tensor, surface: LevelSet | None) -> Tensor:
    values = network(points)[:, 0]
    terms = (ClampedDistance(), Eikonal())
    loss = torch.stack([term(network, points, values, distances) for term in terms]).sum()
    if surface is None:
        return loss
    program = lower(network, check=False)
    for term in (Area(n_samples=None), EdgeLength(n_samples=None)):
        value, factor = Regularization(term, 1.0, balanced=True)(surface, program, loss, network, 0)
        loss = loss + value * factor
    return loss


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("is_regularized", [False, True])
def test_a_step_moves_the_weights_as_on_the_cpu(name: str, is_regularized: bool, device: Pretended) -> None:
    here = _through_the_origin(name)
    there = copy.deepcopy(here).to(device.device)
    points = torch.rand(64, 3, dtype=torch.float64) - 0.5
    for network in (here, there):
        surface = extract_level_set(network, BOX) if is_regularized else None
        batch = (points, points.norm(dim=1) - 0.3)
        on = next(network.parameters()).device
        optimizer = torch.optim.Adam(network.parameters(), 0.01)
        _loss(network, *(part.to(on) for part in batch), surface).backward()
        optimizer.step()
    for one, other in zip(here.parameters(), there.parameters(), strict=True):
        torch.testing.assert_close(one, other.cpu())


@pytest.mark.parametrize("name", MAKERS)
def test_a_regularized_step_waits_twice(name: str, device: Pretended) -> None:
    network = _through_the_origin(name).to(device.device)
    surface, term = extract_level_set(network, BOX), Area(n_samples=16)
    term(surface, lower(network))  # measured once an extraction
    for counter in (device.reads, device.uploads):
        counter.clear()
    term(surface, lower(network, check=False)).backward()
    assert (device.reads + device.uploads).total() <= 2, device.reads + device.uploads
