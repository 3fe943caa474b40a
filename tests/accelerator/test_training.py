"""A training step on the pretended device gives the gradients of the CPU, with a regularizer and without."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from creased import MLP, Box, GridMLP, LevelSet, extract_level_set, lower
from creased.geometry import (
    Area,
    Bending,
    Compactness,
    Convexity,
    EdgeLength,
    FaceCount,
    GaussianCurvature,
    MeanCurvature,
    Planarity,
    Regularizer,
    Slivers,
    Volume,
)
from creased.training import ClampedDistance, Eikonal, Regularization, SDFModule, constant
from tests.accelerator.pretend import Pretended
from tests.slow import slow

BOX = Box.cube(3, 0.5)
TERMS = (
    *(Area, Bending, Compactness, Convexity, EdgeLength, FaceCount, GaussianCurvature),
    *(MeanCurvature, Planarity, Slivers, Volume),
)
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


def _waits_of_a_step(
    name: str, term: Regularizer | None, device: Pretended, patch: pytest.MonkeyPatch
) -> Counter[str]:
    """Waits of the host by line in the second step with a network, as the module takes it."""
    network = _through_the_origin(name).to(device.device)
    regularizers = {} if term is None else {"term": Regularization(term, 1.0, balanced=True)}
    adam = partial(torch.optim.Adam, lr=0.01)
    module = SDFModule(network, {"distance": ClampedDistance()}, adam, constant(), regularizers)
    module.surface.keep(extract_level_set(network, BOX, dtype=torch.float64))
    trainer = SimpleNamespace(
        estimated_stepping_batches=100, log_every_n_steps=50, is_last_batch=False, max_steps=-1
    )
    patch.setattr(SDFModule, "trainer", trainer)
    patch.setattr(SDFModule, "global_step", 1)
    points = (torch.rand(64, 3, dtype=torch.float64) - 0.5).to(device.device)
    batch, optimizer = (points, points.norm(dim=1) - 0.3), adam(network.parameters())
    for index in range(2):
        device.reads.clear(), device.uploads.clear()
        module.training_step(batch, index).backward()
        optimizer.step()
    return device.reads + device.uploads


@pytest.mark.parametrize("name", MAKERS)
def test_a_plain_step_never_waits(name: str, device: Pretended, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _waits_of_a_step(name, None, device, monkeypatch) == {}


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("name", ["plain", slow("grid")])
def test_a_regularized_step_waits_twice(
    name: str, term: type[Regularizer], device: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = _waits_of_a_step(name, term(n_samples=16), device, monkeypatch)
    assert waits.total() <= 2, waits


def test_ratios_of_gradients_are_measured_in_one_wait(device: Pretended) -> None:
    network = _through_the_origin("plain").to(device.device)
    surface, term = extract_level_set(network, BOX), Area(n_samples=16)
    loss, program = network(torch.rand(8, 3).double().to(device.device)).square().mean(), lower(network)
    term(surface, program)
    device.reads.clear(), device.uploads.clear()
    Regularization(term, 1.0, balanced=True)(surface, program, loss, network, 0)
    assert (device.reads + device.uploads).total() <= 2, device.reads + device.uploads
