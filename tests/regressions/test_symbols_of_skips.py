"""Symbols were condensed before the state that a block passes on was added: unlike noises cancelled."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from creased import Affine, Block, Box, Program, extract_level_set


def _ones(*shape: int) -> Tensor:
    return torch.ones(shape, dtype=torch.float64)


def _zeros(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.float64)


def _program(n: int = 16) -> Program:
    """f(-1) = 0.01, f(0.5) = -0.04, f(1) = 0.01, by way of n equal neurons and what passes them by."""
    eye = torch.eye(n, dtype=torch.float64)
    one = Block(Affine(_ones(1, 1), _zeros(1)))
    first = Block(Affine(_ones(1, 1), -_ones(1)), mix=_zeros(1, 1), skip=_ones(1, 1))
    second = Block(
        Affine(_ones(n, 1), _zeros(n)),
        mix=torch.cat([eye, _zeros(1, n)]),
        skip=torch.cat([_zeros(n, 1), _ones(1, 1)]),
    )
    third = Block(
        Affine(torch.cat([10 * eye, _zeros(n, 1)], dim=1), -5 * _ones(n)),
        mix=torch.cat([0.15 * _ones(1, n) / n, _zeros(1, n)]),
        skip=torch.block_diag(-_ones(1, n) / n, _ones(1, 1)),
    )
    weight, bias = torch.tensor([[-1.0, -0.25]]).double(), torch.tensor([-0.325]).double()
    fourth = Block(Affine(weight, bias))
    head = Affine(-_ones(1, 1), torch.tensor([0.01]).double())
    return Program((first, second, third, fourth, one, one), head)


@pytest.mark.parametrize("prune", [False, True])
def test_both_zeros_are_found(prune: bool) -> None:
    found = extract_level_set(_program(), Box([-1], [3]), prune=prune)
    torch.testing.assert_close(
        found.vertices[:, 0].sort().values, torch.tensor([0.446667, 0.553333]).double(), atol=1e-5, rtol=0
    )
