"""Maxout layers: the largest of affine functions, with a neuron less than there are pieces."""

from __future__ import annotations

import pytest
import torch

from creased.networks import Maxout, MaxoutMLP
from tests.modules import agreed, points


def test_a_layer_is_the_largest_of_its_pieces() -> None:
    torch.manual_seed(0)
    layer = Maxout(3, 2, pieces=3).double()
    x = points(10, 3)
    pieces = (x @ layer.linear.weight.T + layer.linear.bias).reshape(10, 2, 3)
    torch.testing.assert_close(layer(x), pieces.amax(2))


@pytest.mark.parametrize(("pieces", "widths"), [(1, ()), (2, (5, 5)), (3, (5, 5, 5, 5)), (4, (10, 5, 10, 5))])
def test_neurons_take_a_crease_less_than_pieces(pieces: int, widths: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    assert agreed(MaxoutMLP(3, 5, 2, pieces=pieces)).widths == widths


def test_neurons_are_convex() -> None:
    torch.manual_seed(0)
    layer = Maxout(3, 20, pieces=4).double()
    a, b = points(50, 3), points(50, 3, seed=4)
    assert bool((layer((a + b) / 2) <= (layer(a) + layer(b)) / 2 + 1e-12).all())


def test_sizes_must_be_positive() -> None:
    with pytest.raises(ValueError, match=r"Maxout: all sizes must be positive, got .* pieces=0"):
        MaxoutMLP(3, 5, 2, pieces=0)
