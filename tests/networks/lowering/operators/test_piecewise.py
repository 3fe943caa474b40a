"""Activations with kinks: values, and as many neurons as kinks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from creased import UnsupportedModuleError, lower
from tests.modules import Does, agreed

KINKS: dict[str, tuple[int, Callable]] = {
    "relu": (1, lambda m, x: torch.relu(x)),
    "relu method": (1, lambda m, x: x.relu()),
    "relu in place": (1, lambda m, x: functional.relu(x.clone(), inplace=True)),
    "relu of its own result": (1, lambda m, x: functional.relu(x).relu()),
    "in place, seen afterwards": (1, lambda m, x: (lambda y: y.relu_() + 2 * y)(x + m.w)),
    "leaky": (1, lambda m, x: functional.leaky_relu(x, 0.2)),
    "leaky by one": (0, lambda m, x: functional.leaky_relu(x, 1.0)),
    "leaky by none": (1, lambda m, x: functional.leaky_relu(x, 0.0)),
    "prelu": (1, lambda m, x: functional.prelu(x, m.w)),
    "rrelu": (1, lambda m, x: functional.rrelu(x)),
    "abs": (1, lambda m, x: abs(x) + x.abs() + torch.abs(x)),
    "relu and abs of one value": (1, lambda m, x: x.relu() + x.abs()),
    "concatenated relu": (1, lambda m, x: torch.cat([x.relu(), (-x).relu()], dim=1)),
    "maximum with a constant": (1, lambda m, x: torch.maximum(m.w, x)),
    "max of two": (1, lambda m, x: torch.max(x, 2 * x.flip(1))),
    "min and max with a constant": (1, lambda m, x: torch.max(x, m.w) - 2 * torch.min(m.w, x)),
    "clamp": (2, lambda m, x: x.clamp(-0.5, 0.25)),
    "clamp from below": (1, lambda m, x: torch.clamp(x, min=0.5)),
    "clamp from above": (1, lambda m, x: x.clip(max=0.5)),
    "clamp by tensors": (2, lambda m, x: x.clamp(m.w - 3, m.w)),
    "clamp_min and clamp_max": (2, lambda m, x: x.clamp_min(-1).clamp_max(1)),
    "relu6": (2, lambda m, x: functional.relu6(9 * x)),
    "hardtanh": (2, lambda m, x: functional.hardtanh(x)),
    "hardsigmoid": (2, lambda m, x: functional.hardsigmoid(4 * x)),
    "softshrink": (2, lambda m, x: functional.softshrink(x, 0.3)),
    "threshold": (1, lambda m, x: functional.threshold(x, 0.1, 0.1)),
    "unused": (0, lambda m, x: (lambda unused: x)(x.relu())),
}


@pytest.mark.parametrize("name", KINKS)
def test_there_is_a_neuron_for_each_kink(name: str) -> None:
    kinks, function = KINKS[name]
    assert agreed(Does(function)).n_neurons == 3 * kinks


def test_min_and_max_of_two_share_their_creases() -> None:
    def both(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
        a, b = x.chunk(2, dim=1)
        return torch.cat([torch.maximum(a, b), torch.minimum(b, a)], dim=1)

    assert agreed(Does(both), 4).widths == (2,)


MODULES = [
    nn.ReLU(),
    nn.LeakyReLU(0.3),
    nn.PReLU(),
    nn.PReLU(4),
    nn.RReLU(),
    nn.ReLU6(),
    nn.Hardtanh(-0.5, 2),
    nn.Hardsigmoid(),
    nn.Softshrink(0.2),
    nn.Threshold(0.5, 0.5),
]


@pytest.mark.parametrize("activation", MODULES, ids=str)
def test_modules_of_torch_are_known(activation: nn.Module) -> None:
    torch.manual_seed(0)
    agreed(nn.Sequential(nn.Linear(3, 4), activation, nn.Linear(4, 4), activation))


def test_prelu_has_one_slope_a_channel() -> None:
    assert agreed(nn.Sequential(nn.Conv1d(1, 4, 2), nn.PReLU(4)), 1, 5).widths == (16,)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (
            lambda m, x: functional.threshold(x, 0.0, 1.0),
            "not continuous; the nearest supported has value = threshold",
        ),
        (lambda m, x: functional.hardshrink(x), "hardshrink is not continuous; the nearest .* is Softshrink"),
        (lambda m, x: functional.rrelu(x, training=True), "random"),
        (lambda m, x: functional.prelu(x, x[0]), "number of points|mixes the points"),
        (lambda m, x: x.clamp(1, -1), "clamp needs min <= max"),
        (lambda m, x: torch.where(x > 0, x, 1 - x), "where: both sides must agree"),
        (lambda m, x: x.sign(), "sign is not continuous; the nearest supported is Hardtanh"),
        (lambda m, x: x.round(), "round is not continuous"),
    ],
)
def test_what_jumps_is_refused(function: Callable, reason: str) -> None:
    with pytest.raises(UnsupportedModuleError, match=reason):
        lower(Does(function), input_shape=(3,))
