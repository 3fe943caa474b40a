"""Denormal numbers count as zero within a step of the optimizer, and nowhere else."""

import lightning as L
import pytest
import torch

from creased import MLP
from creased.training import ClampedDistance, SDFModule, constant

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore:.*does not have many workers.*"),
    pytest.mark.skipif(not torch.set_flush_denormal(False), reason="this processor cannot"),
]


def _flushes() -> bool:
    return bool(torch.tensor(1e-30) * 1e-10 == 0)


class _Watch(L.Callback):
    def __init__(self) -> None:
        self.inside: list[bool] = []
        self.outside: list[bool] = []

    def on_before_optimizer_step(self, *args: object) -> None:
        self.inside.append(_flushes())

    def on_train_batch_end(self, *args: object) -> None:
        self.outside.append(_flushes())


def _fit(watch: _Watch, points: torch.Tensor) -> None:
    module = SDFModule(MLP(3, 4, 1), {"distance": ClampedDistance()}, torch.optim.Adam, constant())
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "num_sanity_val_steps": 0,
    }
    trainer = L.Trainer(
        max_epochs=1, accelerator="cpu", callbacks=[watch], enable_model_summary=False, **quiet
    )
    batches = torch.utils.data.DataLoader([(points, points[:, 0])] * 2, batch_size=None)
    trainer.fit(module, batches, torch.utils.data.DataLoader([(points,)], batch_size=None))


def test_denormals_are_flushed_in_steps_alone() -> None:
    watch = _Watch()
    _fit(watch, torch.rand(8, 3))
    assert watch.inside == [True, True]
    assert watch.outside == [False, False]


def test_a_step_that_fails_leaves_nothing_flushed() -> None:
    with pytest.raises(RuntimeError):
        _fit(_Watch(), torch.rand(8, 2))  # too few columns
    assert not _flushes()
