"""Views, slices, sums and joins are exact; what mixes the points of a batch is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from creased import UnsupportedModuleError, lower
from tests.modules import Does, agreed

SPELLINGS: dict[str, Callable] = {
    "reshape": lambda m, x: x.reshape(-1, 3, 4),
    "view by the size of the batch": lambda m, x: x.view(x.size(0), -1).view(x.shape[0], 2, 6),
    "view by len": lambda m, x: x.view(len(x), -1).reshape((len(x), 2, 6)),
    "flatten": lambda m, x: torch.flatten(x, 1),
    "unflatten": lambda m, x: x.flatten(1).unflatten(-1, (4, -1)),
    "permute": lambda m, x: x.permute(0, 2, 1).contiguous().view(-1, 12),
    "transpose": lambda m, x: x.transpose(1, 2)[:, 0],
    "mT": lambda m, x: x.mT,
    "squeeze": lambda m, x: x[:, :, :1].squeeze(-1).unsqueeze(1),
    "slice": lambda m, x: x[:, 1:, ::2],
    "slice with ellipsis": lambda m, x: x[..., -1],
    "slice by numbers": lambda m, x: x[:, [2, 0]],
    "slice by a mask": lambda m, x: x[:, m.c > -9],
    "select": lambda m, x: x.select(1, 0) + torch.narrow(x, 1, 1, 1)[:, 0],
    "new axis": lambda m, x: x[:, None, :, 0],
    "chunk": lambda m, x: torch.cat(x.chunk(2, dim=2)[::-1], dim=1),
    "split": lambda m, x: x.split([1, 3], -1)[1] * 2,
    "unpack": lambda m, x: (lambda a, b, c: a - b + 2 * c)(*x.unbind(1)),
    "loop over an axis": lambda m, x: sum((i + 1) * x[:, i] for i in range(x.shape[1])),
    "stack": lambda m, x: torch.stack([x[:, 0], 2 * x[:, 1]], dim=1),
    "cat with a constant": lambda m, x: torch.cat([m.w.expand(x.shape[0], -1), x[:, :, 0]], dim=1),
    "cat with zeros": lambda m, x: torch.cat([x[:, :, 0], torch.zeros(x.shape[0], 2, dtype=x.dtype)], 1),
    "expand": lambda m, x: x[:, :1].expand(-1, 5, -1),
    "repeat": lambda m, x: x.repeat(1, 2, 1),
    "roll and flip": lambda m, x: x.roll(1, 1).flip(-1),
    "sum": lambda m, x: x.sum(1, keepdim=True) + x.sum((1, 2))[:, None, None],
    "mean": lambda m, x: x.mean(dim=-1),
    "cumsum": lambda m, x: x.cumsum(1),
    "pad": lambda m, x: functional.pad(x, (1, 2)),
    "pad by a number": lambda m, x: functional.pad(x, (1, 2), value=3.0),
    "pad by reflection": lambda m, x: functional.pad(x, (1, 2), mode="reflect"),
    "unfold": lambda m, x: x.unfold(2, 2, 1),
    "interpolate": lambda m, x: functional.interpolate(x, 7, mode="linear"),
    "average pooling": lambda m, x: functional.avg_pool1d(x, 3, 2, 1),
    "adaptive average pooling": lambda m, x: functional.adaptive_avg_pool1d(x, 3),
    "cast": lambda m, x: x.to(m.w.dtype).double().type_as(x).cpu(),
    "decided by the shape": lambda m, x: x if x.ndim == 3 and len(x) and x.shape[-1] > 3 else x * x,
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_arrangements_are_affine(name: str) -> None:
    assert agreed(Does(SPELLINGS[name]), 3, 4).widths == ()


def test_layers_that_arrange_are_affine() -> None:
    module = nn.Sequential(
        nn.Linear(16, 16),
        nn.Unflatten(1, (4, 2, 2)),
        nn.PixelShuffle(2),
        nn.ZeroPad2d(1),
        nn.Upsample(scale_factor=2),
        nn.Flatten(),
    )
    assert agreed(module, 16).widths == ()


@pytest.mark.parametrize(
    "function",
    [
        lambda m, x: x - x.mean(0),
        lambda m, x: x.sum(),
        lambda m, x: x.flip(0),
        lambda m, x: x.cumsum(0),
        lambda m, x: x[:2],
        lambda m, x: x.reshape(3, -1),
        lambda m, x: x.reshape(x.shape[0] * 3),
        lambda m, x: x.reshape(len(x) * 3),
        lambda m, x: torch.cat([x, x]),
        lambda m, x: x.T,
        lambda m, x: torch.stack(list(x)),
    ],
)
def test_what_mixes_the_points_of_a_batch_is_refused(function: Callable) -> None:
    with pytest.raises((UnsupportedModuleError, ValueError), match=r"batch|points"):
        lower(Does(function), input_shape=(3,))
