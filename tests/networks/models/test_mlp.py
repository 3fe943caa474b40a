"""The multilayer perceptron and its initial weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from creased import MLP, Box, extract_level_set, lower
from creased.networks.initialise import geometric, kaiming


def test_layers_alternate_and_end_linear() -> None:
    module = MLP(2, 7, 3, out_dim=2, activation=nn.LeakyReLU)
    kinds = [type(part) for part in module]
    assert kinds == [nn.Linear, nn.LeakyReLU] * 3 + [nn.Linear]
    assert module(torch.zeros(5, 2)).shape == (5, 2)
    assert lower(module).widths == (7, 7, 7)


@pytest.mark.parametrize("sizes", [(0, 3, 3, 1), (3, 0, 3, 1), (3, 3, 0, 1), (3, 3, 3, 0)])
def test_sizes_must_be_positive(sizes: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="sizes must be positive, got in_dim="):
        MLP(*sizes)


def test_kaiming_spreads_the_biases_in_range() -> None:
    torch.manual_seed(0)
    module = MLP(3, 200, 2, initialise=kaiming(0.4))
    bias = module[0].bias.detach()
    assert float(bias.abs().max()) <= 0.4
    assert float(bias.std()) == pytest.approx(0.8 / 12**0.5, rel=0.15)
    assert float(module[2].weight.detach().std()) == pytest.approx((2 / 200) ** 0.5, rel=0.05)
    assert not bool(module[-1].bias.any())


@pytest.mark.parametrize("radius", [0.2, 0.3])
def test_geometric_start_is_near_a_sphere(radius: float) -> None:
    torch.manual_seed(0)
    module = MLP(3, 64, 2, initialise=geometric(radius, bias_range=0.01)).double()
    surface = extract_level_set(module, Box.cube(3, 1))
    found = surface.audit()
    assert (found.is_closed, found.n_components, found.euler_characteristic) == (True, 1, 2)
    assert float(surface.vertices.norm(dim=1).mean()) == pytest.approx(radius, rel=0.3)
    centre = module(torch.zeros(1, 3, dtype=torch.float64))
    assert bool(centre < 0)
