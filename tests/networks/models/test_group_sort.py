"""GroupSort: groups in order, gradients of length one, half as many creases as neurons."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from creased import MLP
from creased.networks import GroupSort
from tests.modules import agreed, points


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_groups_are_sorted_and_keep_their_numbers(size: int) -> None:
    x = points(10, 6)
    groups = GroupSort(size)(x).unflatten(1, (-1, size))
    torch.testing.assert_close(groups, x.unflatten(1, (-1, size)).sort(2).values)


def test_gradients_keep_their_length() -> None:
    x = points(10, 6).requires_grad_()
    covector = points(10, 6, seed=4)
    (gradient,) = torch.autograd.grad((GroupSort(2)(x) * covector).sum(), x)
    torch.testing.assert_close(gradient.norm(dim=1), covector.norm(dim=1))


def test_pairs_take_one_crease() -> None:
    torch.manual_seed(0)
    assert agreed(MLP(3, 8, 2, activation=partial(GroupSort, 2))).widths == (4, 4)
    assert agreed(MLP(3, 6, 1, activation=partial(GroupSort, 3))).n_neurons == 6


def test_a_size_must_be_positive() -> None:
    with pytest.raises(ValueError, match="GroupSort: all sizes must be positive, got size=0"):
        GroupSort(0)
    assert str(GroupSort(4)) == "GroupSort(size=4)"
