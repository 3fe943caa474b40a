"""Sorting networks sort, and sorted values are those of torch."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor, nn

from creased.networks.lowering.operators.sorting import comparators
from tests.modules import Does, agreed


@pytest.mark.parametrize("n", range(1, 9))
def test_comparators_sort_all_zeros_and_ones(n: int) -> None:
    for entries in product((0, 1), repeat=n):  # and so everything, by the 0-1 principle
        found = list(entries)
        for layer in comparators(n):
            assert len({i for pair in layer for i in pair}) == 2 * len(layer)
            for i, j in layer:
                found[i], found[j] = sorted((found[i], found[j]))
        assert found == sorted(entries)


@pytest.mark.parametrize(("n", "n_neurons"), [(1, 0), (2, 1), (3, 3), (4, 5), (6, 12)])
@pytest.mark.parametrize("descending", [False, True])
def test_sorted_entries_take_a_neuron_a_comparator(n: int, n_neurons: int, descending: bool) -> None:
    program = agreed(Does(lambda m, x: x.sort(dim=1, descending=descending).values), n)
    assert program.n_neurons == n_neurons


def test_group_sort_of_pairs() -> None:
    def group_sort(m: nn.Module, x: Tensor) -> Tensor:
        return torch.sort(m.parts[0](x).unflatten(1, (-1, 2)))[0].flatten(1)

    torch.manual_seed(0)
    assert agreed(Does(group_sort, nn.Linear(3, 8))).widths == (4,)


@pytest.mark.parametrize("n", [1, 4, 5])
@pytest.mark.parametrize("keepdim", [False, True])
def test_entries_by_rank(n: int, keepdim: bool) -> None:
    agreed(Does(lambda m, x: x.median(dim=1, keepdim=keepdim).values), n, 2)
    agreed(Does(lambda m, x: torch.kthvalue(x, n, 1, keepdim=keepdim)[0]), n, 2)
    agreed(Does(lambda m, x: x.topk(max(n - 1, 1), dim=1, largest=keepdim).values), n, 2)
