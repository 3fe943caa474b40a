"""Values stacked in front of the points: unions and ensembles of networks, and what would mix points."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from creased import UnsupportedModuleError, lower
from tests.modules import Does, agreed

REDUCED: dict[str, Callable[[Tensor], Tensor]] = {
    "a union": lambda s: s.amin(0),
    "by place": lambda s: torch.max(s, dim=0)[0],
    "by name": lambda s: s.min(dim=-3).values,
    "kept": lambda s: s.amax(0, keepdim=True)[0],
    "a mean": lambda s: s.mean(0),
    "a sum": lambda s: torch.sum(s, dim=(0,)),
    "behind the points": lambda s: s.amax(2).amin(0),
    "both": lambda s: s.amax((0, 2)),
    "an entry": lambda s: s[1],
    "the last": lambda s: s[-1, :, :1],
    "entries": lambda s: s[1:].sum(0),
    "behind": lambda s: s[0, ..., 1],
    "selected": lambda s: s.select(0, 2),
    "unbound": lambda s: sum(part * i for i, part in enumerate(s.unbind(0))),
    "iterated": lambda s: sum(part * i for i, part in enumerate(s)),
    "transposed": lambda s: s.transpose(0, 1).flatten(1),
    "moved": lambda s: s.movedim(0, -1).flatten(1),
    "permuted": lambda s: s.permute(1, 2, 0).amax(1),
    "turned behind": lambda s: s.transpose(0, 2).permute(1, 2, 0).flatten(1),
    "number by number": lambda s: (2 * torch.relu(s) - 1).clamp(max=0.5).amax(0),
    "with another": lambda s: torch.maximum(s, 1 - s).amax(0),
    "measured": lambda s: s.sum(0) / s.shape[0] + len(s),
}


def _stacked(read: Callable[[Tensor], Tensor]) -> Does:
    torch.manual_seed(0)
    parts = [nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)) for _ in range(3)]
    return Does(lambda m, x: read(torch.stack([part(x) for part in m.parts])), *parts)


@pytest.mark.parametrize("name", [name for name in REDUCED if name != "turned behind"])
def test_what_is_read_of_a_stack_is_that_of_the_module(name: str) -> None:
    agreed(_stacked(REDUCED[name]))


def test_a_union_takes_two_neurons_an_output() -> None:
    assert agreed(_stacked(REDUCED["a union"])).widths == (12, 2, 2)


JOINED: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "unsqueezed": lambda a, b: torch.cat([a.unsqueeze(0), b.unsqueeze(dim=-3)]).amin(0),
    "indexed": lambda a, b: torch.concat((a[None], b[None, :, :])).amax(dim=0),
    "of entries": lambda a, b: torch.cat([a[None, :, 0], b[None, ..., 1]], dim=0).mean(0),
    "of stacks": lambda a, b: torch.cat([torch.stack([a, b]), b[None]], dim=0).sum(0),
    "behind the points": lambda a, b: torch.cat([a[None], b[None]], dim=-1)[0],
    "alone": lambda a, b: a[None].squeeze(0) + b.unsqueeze(0)[0],
}


@pytest.mark.parametrize("name", JOINED)
def test_axes_put_in_front_one_by_one_are_a_stack(name: str) -> None:
    torch.manual_seed(0)
    parts = [nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)) for _ in range(2)]
    agreed(Does(lambda m, x: JOINED[name](*(part(x) for part in m.parts)), *parts))


MIXED: dict[str, Callable[[Tensor], Tensor]] = {
    "over the points": lambda s: s[0] + s.amax(1)[0],
    "flattened": lambda s: s[0] + s.flatten(1).amax(),
    "an entry of the points": lambda s: s[0] + s[:, 0].amax(0),
    "turned behind": REDUCED["turned behind"],
}


@pytest.mark.parametrize("name", MIXED)
def test_what_would_mix_points_is_refused(name: str) -> None:
    with pytest.raises(UnsupportedModuleError, match="stack along dim=1"):
        lower(_stacked(MIXED[name]), input_shape=(3,))
