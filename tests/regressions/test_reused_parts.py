"""A module used twice was lowered once, and parts in their own mode were put in their parent's."""

from __future__ import annotations

import torch
from torch import nn

from creased import lower


def test_one_activation_may_serve_every_layer() -> None:
    activation = nn.ReLU()
    layers = [nn.Linear(2, 4), activation, nn.Linear(4, 4), activation, nn.Linear(4, 1)]
    program = lower(nn.Sequential(*layers))
    assert program.widths == (4, 4)


def test_tied_layers_are_lowered_each_time() -> None:
    tied = nn.Linear(3, 3)
    module = nn.Sequential(tied, nn.ReLU(), tied, nn.ReLU(), nn.Linear(3, 1))
    x = torch.randn(10, 3)
    program = lower(module)
    assert program.widths == (3, 3)
    torch.testing.assert_close(program(x), module(x))


def test_parts_keep_their_own_mode() -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Dropout(), nn.Linear(3, 1)).train()
    module[2].eval()
    lower(module)
    assert [part.training for part in module] == [True, True, False, True]
