"""The shape of points is found where one alone will do, and asked for elsewhere."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from creased import lower
from creased.networks.lowering.graph.evaluation import find_input_shape
from tests.modules import Does


@pytest.mark.parametrize(
    ("module", "dim"),
    [
        (nn.Linear(5, 2), 5),
        (nn.Linear(784, 2), 784),
        (nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 9), nn.ReLU(), nn.Linear(9, 1)), 4),
        (Does(lambda m, x: m.parts[0](torch.cat([x, x.abs()], 1)), nn.Linear(6, 1)), 3),
        (Does(lambda m, x: m.parts[0](x - m.c), nn.Linear(3, 1)), 3),  # a number would be broadcast
        (nn.Sequential(nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 1, 2)), 4),
    ],
)
def test_the_one_dimension_that_a_module_takes_is_found(module: nn.Module, dim: int) -> None:
    assert find_input_shape(module) == (dim,)
    assert lower(module).in_dim == dim


def test_a_module_of_any_dimension_must_be_told() -> None:
    with pytest.raises(
        ValueError, match=r"ReLU accepts points of any size; give one, such as input_shape=\(3,\)"
    ):
        lower(nn.ReLU())
    assert lower(nn.ReLU(), input_shape=(4,)).widths == (4,)


def test_a_module_of_images_must_be_told() -> None:
    module = nn.Conv2d(1, 2, 3)
    with pytest.raises(ValueError, match=r"give it, such as input_shape=\(1, 28, 28\).*Conv2d says: "):
        lower(module)
    assert lower(module, input_shape=(1, 5, 4)).out_dim == 12


def test_a_shape_that_does_not_fit_is_refused_with_what_the_module_says() -> None:
    with pytest.raises(
        ValueError, match=r"on points of shape \(4,\): mat1 and mat2 shapes cannot be multiplied"
    ):
        lower(nn.Linear(3, 1), input_shape=(4,))
