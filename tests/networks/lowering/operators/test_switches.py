"""Masks and selections by sign: continuous ones agree with their modules, others are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from creased import UnsupportedModuleError, lower
from tests.modules import Does, agreed

CONTINUOUS: dict[str, tuple[Callable[[Any, Tensor], Tensor], int]] = {  # with the neurons a value takes
    "leaky": (lambda m, z: torch.where(z > 0, z, 0.2 * z), 1),
    "leaky, from below": (lambda m, z: torch.where(z < 0, 0.1 * z, z), 1),
    "relu by zeros": (lambda m, z: torch.where(z > 0, z, torch.zeros_like(z)), 1),
    "relu by a number": (lambda m, z: torch.where(z >= 0, z, 0.0), 1),
    "relu, the method": (lambda m, z: z.where(z > 0, torch.zeros(())), 1),
    "prelu": (lambda m, z: torch.where(z > 0, z, m.w * z), 1),
    "a slope that is chosen": (lambda m, z: torch.where(z > 0, 1.0, 0.2) * z, 1),
    "clipped": (lambda m, z: torch.where(z > 1, torch.ones_like(z), z), 1),
    "clipped on both sides": (lambda m, z: torch.where(z > 1, 1.0, torch.where(z < -1, -1.0, z)), 2),
    "a maximum": (lambda m, z: torch.where(z > z.flip(1), z, z.flip(1)), 1),
    "scaled difference": (lambda m, z: torch.where(2 * z > z.flip(1) + 1, 4 * z - 2, 2 * z.flip(1)), 1),
    "a mask": (lambda m, z: z * (z > 0), 1),
    "masks of both sides": (lambda m, z: z * (z > 0).float() + 0.1 * (z <= 0).to(z.dtype) * z, 1),
    "not": (lambda m, z: z * ~(z > 0), 1),
    "one less a mask": (lambda m, z: z * (1 - (z > 0).double()), 1),
    "filled": (lambda m, z: z.masked_fill(z < 0, 0.0), 1),
    "sign": (lambda m, z: z.sign() * z, 1),
    "by a positive part": (lambda m, z: torch.where(z > 0, torch.relu(z), -0.1 * z.abs()), 1),
    "by parameters": (lambda m, z: torch.where(z > m.w, z - m.w, torch.zeros_like(z)), 1),
    "a mask of constants": (lambda m, z: torch.where(m.w > 0, z, 2 * z), 0),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_what_is_continuous_is_lowered(name: str) -> None:
    function, n_each = CONTINUOUS[name]
    program = agreed(Does(lambda m, x: m.parts[0](function(m, x)), nn.Linear(3, 2)))
    assert program.n_neurons == 3 * n_each


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda z: torch.where(z > 0, z + 1, z), "where: both sides"),
        (lambda z: torch.where(z > 0.5, z, 0.0), "where: both sides"),
        (lambda z: torch.where(z[:, :1] > 0, z, 2 * z), "where: both sides"),
        (lambda z: torch.where(z > 0, z.flip(1), z), "where: both sides"),
        (lambda z: z * (z > 1), "both sides"),
        (lambda z: z + (z > 0), "gt is not continuous"),
        (lambda z: (z > 0).double(), "gt is not continuous"),
        (lambda z: (z >= 0).double().sum(1, keepdim=True), "ge is not continuous"),
        (lambda z: (z > 0).float() @ torch.ones(3, 1), "gt is not continuous"),
        (torch.sign, "sign is not continuous"),
        (lambda z: z if (z > 0).all() else -z, "control flow"),
        (lambda z: z * (z == 0), "control flow"),
    ],
)
def test_what_jumps_is_refused(function: Callable[[Tensor], Tensor], message: str) -> None:
    with pytest.raises(UnsupportedModuleError, match=message):
        lower(Does(lambda m, x: function(m.parts[0](x)), nn.Linear(3, 3)))
