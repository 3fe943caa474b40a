"""Residual networks: streams that keep their size, and are remembered once."""

from __future__ import annotations

import pytest
import torch

from creased.networks import ResidualMLP
from tests.modules import agreed


def test_blocks_have_a_hidden_layer_each_and_remember_the_stream_alone() -> None:
    torch.manual_seed(0)
    program = agreed(ResidualMLP(3, 8, 4))
    assert program.widths == (8, 8, 8, 8)
    assert [block.affine.weight.shape[1] for block in program.blocks] == [3, 8, 8, 8]


@pytest.mark.parametrize("depth", [1, 4, 40])
def test_outputs_keep_their_size_with_depth(depth: int) -> None:
    torch.manual_seed(0)
    values = ResidualMLP(3, 64, depth)(torch.randn(200, 3))
    assert 0.1 < float(values.detach().std()) < 10


def test_sizes_must_be_positive() -> None:
    with pytest.raises(ValueError, match="ResidualMLP: all sizes must be positive, got in_dim=3, width=0"):
        ResidualMLP(3, 0)
