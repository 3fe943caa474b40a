"""Networks with skips: what each layer is given, and programs that keep the input no longer than needed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from creased import Box, extract_level_set
from creased.networks import SkipMLP
from tests.modules import agreed


def test_the_middle_layer_is_given_the_input_again() -> None:
    network = SkipMLP(3, 8, 4)
    assert [layer.in_features for layer in network.layers] == [3, 8, 11, 8]
    assert network(torch.zeros(5, 3)).shape == (5, 1)
    assert agreed(network).widths == (8, 8, 8, 8)


@pytest.mark.parametrize("skips", [(), (1,), (3,), (1, 2, 3)])
def test_skips_stand_where_they_are_asked_for(skips: tuple[int, ...]) -> None:
    program = agreed(SkipMLP(3, 6, 4, out_dim=2, skips=skips, activation=nn.LeakyReLU))
    assert program.widths == (6,) * 4


def test_a_network_of_one_layer_has_no_skip() -> None:
    assert agreed(SkipMLP(3, 6, 1)).widths == (6,)


@pytest.mark.parametrize("skips", [(0,), (4,), (-1,)])
def test_skips_to_no_layer_are_refused(skips: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"SkipMLP: skips must be among 1..3, got \["):
        SkipMLP(3, 6, 4, skips=skips)


def test_a_level_set_is_found_by_both_methods() -> None:
    torch.manual_seed(0)
    network = SkipMLP(3, 12, 3).double()
    level = float(network(torch.zeros(1, 3).double()).detach())
    cut, walked = (
        extract_level_set(network, Box.cube(3, 0.5), level, method=m) for m in ("subdivide", "march")
    )
    assert cut.polygons.n == walked.polygons.n > 10
    assert float(cut.residual.max()) < 1e-14
