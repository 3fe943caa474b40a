"""Largest and smallest entries: values, and the neurons of a tournament."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from creased import UnsupportedModuleError, lower
from tests.modules import Does, agreed


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("name", ["amax", "amin"])
def test_a_tournament_has_one_neuron_less_than_entries_and_as_few_blocks_as_can_be(n: int, name: str) -> None:
    program = agreed(Does(lambda m, x: getattr(x, name)(1)), n)
    assert program.n_neurons == n - 1
    assert len(program.blocks) == math.ceil(math.log2(n))


SPELLINGS: dict[str, Callable] = {
    "amax": lambda m, x: torch.amax(x, (1, 2)),
    "amax with keepdim": lambda m, x: x.amax(dim=-1, keepdim=True),
    "max": lambda m, x: x.max(2).values,
    "max by place": lambda m, x: torch.max(x, dim=-1)[0],
    "max unpacked": lambda m, x: (lambda values, indices: values)(*x.max(2)),
    "min": lambda m, x: torch.min(x, 1, keepdim=True)[0],
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_all_spellings_are_known(name: str) -> None:
    agreed(Does(SPELLINGS[name]), 3, 4)


def test_all_axes_take_one_neuron_less_than_entries() -> None:
    assert agreed(Does(lambda m, x: x.amax((1, 2))), 3, 4).n_neurons == 11


def test_the_largest_of_relus_is_relu_of_the_largest() -> None:
    assert agreed(Does(lambda m, x: x.relu().amax(1)), 8).widths == (4, 2, 1, 1)


def test_maxout_of_linear_pieces() -> None:
    torch.manual_seed(0)

    def maxout(m: nn.Module, x: Tensor) -> Tensor:
        return m.parts[1](m.parts[0](x).unflatten(-1, (5, 3)).amax(-1))

    assert agreed(Does(maxout, nn.Linear(3, 15), nn.Linear(5, 1))).widths == (5, 5)


@pytest.mark.parametrize(
    ("function", "n_neurons"),
    [
        (lambda m, x: x.norm(p=1, dim=-1), 3),
        (lambda m, x: torch.linalg.vector_norm(x, ord=1, dim=1, keepdim=True), 3),
        (lambda m, x: torch.linalg.norm(x, ord=math.inf, dim=-1), 5),
    ],
)
def test_norms_of_order_one_and_infinity(function: Callable, n_neurons: int) -> None:
    assert agreed(Does(function)).n_neurons == n_neurons


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda m, x: x.norm(dim=-1), "a norm of order 2 is not piecewise affine; the nearest .* 1 and inf"),
        (lambda m, x: x - x.max(), "max or min over the points"),
        (lambda m, x: x - x.amax(0), "amax over the points"),
        (lambda m, x: x.argmax(1).to(x.dtype), "argmax is not continuous"),
        (lambda m, x: x.max(1)[1].to(x.dtype), "cannot be traced"),
    ],
)
def test_what_is_not_piecewise_affine_is_refused(function: Callable, reason: str) -> None:
    with pytest.raises(UnsupportedModuleError, match=reason):
        lower(Does(function), input_shape=(3,))
