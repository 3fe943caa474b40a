"""Initial weights of networks that represent signed distance functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

Initialiser = Callable[[nn.Module], None]  # for networks that end with a linear layer


def kaiming(bias_range: float = 0.3, gain: float = math.sqrt(2)) -> Initialiser:
    """Draw normal weights that keep the variance (He et al. 2015), and biases uniform in +-bias_range.

    The biases spread the creases over the domain; with zero biases all would pass through the origin. The
    gain compensates for the activation: sqrt(2) for ReLU, 1 for maxout and GroupSort.
    """
    return partial(_kaiming, bias_range=bias_range, gain=gain)


def geometric(radius: float = 0.3, bias_range: float = 0.1) -> Initialiser:
    """Start near the signed distance of a sphere (Atzmon and Lipman 2020, SAL, section 5).

    Hidden weights are normal with variance 2 / out_features; the last layer has weights of one sign, scaled
    so that the network is about |x| - radius, roughly in narrow networks. ``bias_range`` as in `kaiming`.
    """
    return partial(_geometric, radius=radius, bias_range=bias_range)


def linear_layers(network: nn.Module) -> list[nn.Linear]:
    """List the linear layers of a network in the order in which they were built."""
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
