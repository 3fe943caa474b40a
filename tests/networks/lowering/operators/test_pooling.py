"""Max-pooling in all its options: torch's own values, and no more neurons than windows need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from creased import UnsupportedModuleError, lower
from creased.networks.lowering.operators.pooling import windows
from tests.modules import Does, agreed

POOLS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int]] = {
    "1d": (lambda: nn.MaxPool1d(2), (2, 6), 6),
    "1d overlapping": (lambda: nn.MaxPool1d(3, 1), (1, 6), 8),
    "2d": (lambda: nn.MaxPool2d(2), (1, 4, 6), 18),
    "2d padded": (lambda: nn.MaxPool2d(3, 2, 1), (1, 5, 5), 20 + 12),
    "2d dilated": (lambda: nn.MaxPool2d((2, 1), 1, dilation=(2, 1)), (2, 4, 3), 12),
    "3d": (lambda: nn.MaxPool3d(2), (1, 2, 2, 4), 14),
    "adaptive 1d": (lambda: nn.AdaptiveMaxPool1d(3), (1, 6), 3),
    "adaptive 2d, uneven": (lambda: nn.AdaptiveMaxPool2d((2, None)), (1, 5, 2), 8),
    "adaptive 3d": (lambda: nn.AdaptiveMaxPool3d(1), (1, 2, 2, 2), 7),
}


@pytest.mark.parametrize("name", POOLS)
def test_pools_have_torchs_values_and_few_neurons(name: str) -> None:
    make, shape, n_neurons = POOLS[name]
    assert agreed(Does(lambda m, x: m.parts[0](x), make()), *shape).n_neurons == n_neurons


@given(
    size=st.integers(1, 12),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    ceil=st.booleans(),
    data=st.data(),
)
def test_windows_are_those_of_torch(
    size: int, kernel: int, stride: int, dilation: int, ceil: bool, data: st.DataObject
) -> None:
    padding = data.draw(st.integers(0, kernel // 2))
    x = torch.randn(1, 1, size, dtype=torch.float64)
    options: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil}
    try:
        expected = functional.max_pool1d(x, kernel, **options)[0, 0]
    except RuntimeError:  # a window does not fit
        return
    groups = windows(size, kernel, stride, padding, dilation, ceil=ceil)
    found = [max((float(x[0, 0, i]) for i in group), default=-torch.inf) for group in groups]
    torch.testing.assert_close(torch.tensor(found, dtype=torch.float64), expected)


def test_relu_and_pooling_take_one_neuron_a_window_for_relu() -> None:
    module = nn.Sequential(nn.Conv2d(1, 1, 2), nn.ReLU(), nn.MaxPool2d(2))
    assert agreed(module, 1, 5, 5).n_neurons == 4 * 3 + 4


def test_indices_are_refused() -> None:
    with pytest.raises(
        UnsupportedModuleError, match=r"Sequential\[1\] \(MaxPool1d\): .*indices are not continuous"
    ):
        lower(nn.Sequential(nn.Conv1d(1, 1, 1), nn.MaxPool1d(2, return_indices=True)), input_shape=(1, 4))


def test_functions_are_known_too() -> None:
    agreed(Does(lambda m, x: functional.max_pool2d(x, 2, stride=1)), 1, 3, 3)
    agreed(Does(lambda m, x: functional.adaptive_max_pool2d(x, (1, 2))), 1, 3, 3)
