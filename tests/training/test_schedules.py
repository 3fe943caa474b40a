"""Which epochs callbacks act in, and how schedules run."""

from types import SimpleNamespace
from typing import Any

import pytest

from creased.training.schedules import is_epoch_due, one_cycle


@pytest.mark.parametrize(
    ("every", "max_epochs", "due"), [(1, 3, [1, 2, 3]), (3, 7, [3, 6, 7]), (9, 4, [4]), (2, -1, [2, 4, 6])]
)
def test_every_nth_epoch_and_the_last_are_due(every: int, max_epochs: int, due: list[int]) -> None:
    def is_due(epoch: int) -> bool:
        trainer: Any = SimpleNamespace(current_epoch=epoch - 1, max_epochs=max_epochs)
        return is_epoch_due(trainer, every)

    last = max_epochs if max_epochs > 0 else 7
    assert [epoch for epoch in range(1, last + 1) if is_due(epoch)] == due


def test_one_cycle_rises_to_the_full_rate_and_falls() -> None:
    factor = one_cycle(warm_up=0.25, start=0.04, end=0.001)
    assert [factor(share) for share in (0.0, 0.25, 1.0)] == pytest.approx([0.04, 1.0, 0.001])
    assert factor(0.1) < factor(0.2)
    assert factor(0.5) > factor(0.75)
