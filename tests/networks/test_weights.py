"""Plain networks from weights alone: names in many styles, and refusals that say what does not fit."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from creased import MLP
from creased.networks.weights import WeightsError, mlp_of_weights


def _network() -> MLP:
    torch.manual_seed(0)
    return MLP(3, 5, 11)  # layer 10 stands behind layer 2 in the order of letters


def _renamed(style: str) -> dict[str, Tensor]:
    layers = [layer for layer in _network() if isinstance(layer, nn.Linear)]
    return {
        style.format(part=part, i=i): getattr(layer, part)
        for i, layer in sorted(enumerate(layers), key=lambda entry: str(entry[0]))
        for part in ("bias", "weight")
    }


@pytest.mark.parametrize(
    "style",
    ["{part}_{i}", "layers.{i}.{part}", "fc{i}.{part}", "module.net.{i}.linear.{part}", "{i}/{part}:0"],
)
def test_names_are_read_in_the_order_of_their_numbers(style: str) -> None:
    x = torch.randn(10, 3)
    torch.testing.assert_close(mlp_of_weights(_renamed(style))(x), _network()(x))


def test_a_state_dict_is_read() -> None:
    x = torch.randn(10, 3)
    torch.testing.assert_close(mlp_of_weights(_network().state_dict())(x), _network()(x))


def test_names_without_numbers_are_read_in_their_own_order() -> None:
    layers = [("first", nn.Linear(3, 4)), ("a", nn.Linear(4, 4, bias=False)), ("out", nn.Linear(4, 1))]
    tensors = {f"{name}.{part}": t for name, layer in layers for part, t in layer.state_dict().items()}
    (_, a), (_, b), (_, c) = layers
    x = torch.randn(10, 3)
    leaky = nn.functional.leaky_relu
    torch.testing.assert_close(mlp_of_weights(tensors, slope=0.1)(x), c(leaky(b(leaky(a(x), 0.1)), 0.1)))


def _with(**changes: Tensor | None) -> Mapping[str, Tensor]:
    tensors = {name.replace(".", "_"): tensor for name, tensor in MLP(3, 4, 1).state_dict().items()}
    return {name: tensor for name, tensor in (tensors | changes).items() if tensor is not None}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({}, "no weight"),
        (_with(norm_mean=torch.ones(4)), "unexpected tensors norm_mean"),
        (
            _with(**{"2_weight": torch.ones(1, 7)}),
            r"0_weight has 4 outputs, 2_weight takes 7 inputs; .*\(out, in\)",
        ),
        (
            _with(**{"0_bias": torch.ones(3)}),
            r"0_weight of shape \(4, 3\) needs a bias of shape \(4,\), got \(3,\)",
        ),
        (
            _with(**{"0_weight": torch.ones(4, 3, dtype=torch.int64)}),
            "weights must be floating, got torch.int64",
        ),
        ({"0.weight_g": torch.ones(4, 1), "0.weight_v": torch.ones(4, 3)}, "0.weight_g is a factor of a"),
        ({"weight": torch.ones(4, 3, 3)}, "unexpected tensors weight"),
    ],
)
def test_what_is_no_plain_network_is_refused(tensors: Mapping[str, Tensor], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        mlp_of_weights(tensors)
