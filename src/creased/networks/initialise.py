"""Initial weights for networks that are to become signed distance functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

Initialiser = Callable[[nn.Module], None]  # of a network that ends with a linear layer


def kaiming(bias_range: float = 0.3, gain: float = math.sqrt(2)) -> Initialiser:
    """He et al. 2015: normal weights that keep the variance; biases uniform in [-bias_range, bias_range].

    Biases spread the creases over the domain from the start, instead of through the origin. The gain makes up
    for what an activation takes away: the root of 2 for ReLU, 1 for what keeps sizes, as maxout, GroupSort.
    """
    return partial(_kaiming, bias_range=bias_range, gain=gain)


def geometric(radius: float = 0.3, bias_range: float = 0.1) -> Initialiser:
    """Atzmon and Lipman 2020 (SAL), section 5: a start near the signed distance of a sphere.

    Hidden layers as in `kaiming`; the last layer has weights of one sign, sized so that the network is
    about |x| - radius. Narrow networks are only roughly round. ``bias_range`` moves the creases off the
    origin, through which they would all pass otherwise.
    """
    return partial(_geometric, radius=radius, bias_range=bias_range)


def linear_layers(network: nn.Module) -> list[nn.Linear]:
    """All linear layers of a network, in the order in which it was built."""
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]


@torch.no_grad()
def _kaiming(network: nn.Module, bias_range: float, gain: float) -> None:
    *hidden, last = linear_layers(network)
    for layer in hidden:
        nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.in_features))
        nn.init.uniform_(layer.bias, -bias_range, bias_range)
    nn.init.normal_(last.weight, std=1 / math.sqrt(last.in_features))
    nn.init.zeros_(last.bias)


@torch.no_grad()
def _geometric(network: nn.Module, radius: float, bias_range: float) -> None:
    *hidden, last = linear_layers(network)
    for layer in hidden:
        nn.init.normal_(layer.weight, std=math.sqrt(2 / layer.out_features))
        nn.init.uniform_(layer.bias, -bias_range, bias_range)
    nn.init.normal_(last.weight, mean=math.sqrt(math.pi / last.in_features), std=1e-4)
    nn.init.constant_(last.bias, -radius)
