"""What is logged now and then is the mean over all steps."""

from __future__ import annotations

from typing import Any

import lightning as L
import pytest
import torch

from creased import MLP
from creased.training import ClampedDistance, SDFModule, constant
from creased.training.callbacks import TrainingBar

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore:.*does not have many workers.*")
EVERY = 4


class _Watch(L.Callback):
    """Keeps the loss of each step, and the logged one."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.shown: list[float | None] = []

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.losses.append(float(outputs["loss"]))
        shown = trainer.progress_bar_metrics.get("loss")
        self.shown.append(None if shown is None else float(shown))


def _loader(batches: list[Any]) -> Any:
    return torch.utils.data.DataLoader(batches, batch_size=None)  # type: ignore[arg-type]


def _fit(n_steps: int, *callbacks: L.Callback, max_steps: int = -1) -> L.Trainer:
    torch.manual_seed(0)
    module = SDFModule(MLP(3, 4, 1), {"distance": ClampedDistance()}, torch.optim.Adam, constant())
    quiet = {"logger": False, "enable_checkpointing": False, "enable_model_summary": False}
    trainer = L.Trainer(
        max_epochs=1,
        max_steps=max_steps,
        accelerator="cpu",
        log_every_n_steps=EVERY,
        callbacks=list(callbacks),
        enable_progress_bar=any(isinstance(callback, TrainingBar) for callback in callbacks),
        **quiet,
    )
    batches = [(points, points.norm(dim=1) - 0.5) for points in torch.rand(n_steps, 8, 3)]
    trainer.fit(module, _loader(batches), _loader([(torch.rand(8, 3),)]))
    return trainer


@pytest.mark.parametrize(("n_steps", "max_steps"), [(10, -1), (8, -1), (3, -1), (10, 7)])
def test_means_of_an_epoch_are_over_all_of_its_steps(n_steps: int, max_steps: int) -> None:
    watch = _Watch()
    logged = _fit(n_steps, watch, max_steps=max_steps).callback_metrics
    assert len(watch.losses) == (n_steps if max_steps < 0 else max_steps)
    expected = torch.tensor(watch.losses).mean()
    torch.testing.assert_close(logged["train/loss"], expected)
    torch.testing.assert_close(logged["train/distance"], expected)


def test_the_loss_is_shown_as_often_as_it_is_logged() -> None:
    watch = _Watch()
    _fit(10, watch)
    fourth, eighth, last = (watch.losses[i] for i in (3, 7, 9))
    assert watch.shown == pytest.approx([None] * 3 + [fourth] * 4 + [eighth] * 2 + [last])


def test_the_bar_reads_values_at_its_refresh_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    n_read, read = 0, TrainingBar.get_metrics

    def counted(*args: Any) -> Any:
        nonlocal n_read
        n_read += 1
        return read(*args)

    monkeypatch.setattr(TrainingBar, "get_metrics", counted)
    _fit(50, TrainingBar(refresh_rate=20))
    assert 3 <= n_read < 10  # at 20, 40 and 50 steps, and where training and validation end


def test_the_bar_ends_with_the_steps_that_were_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(TrainingBar, "_update", lambda self, task, current, **_: seen.append(current))
    _fit(50, TrainingBar(refresh_rate=20), max_steps=33)
    assert seen[-1] == 33


class _Lines(L.Callback):
    """Counts the lines of the bar after each batch of validation."""

    def __init__(self, bar: TrainingBar) -> None:
        self.bar = bar
        self.counts: list[int] = []

    def on_validation_batch_end(self, *arguments: Any, **options: Any) -> None:
        assert self.bar.progress is not None
        self.counts.append(sum(task.visible for task in self.bar.progress.tasks))


def test_validation_adds_no_line_to_the_bar() -> None:
    bar = TrainingBar(refresh_rate=1, leave=True)
    lines = _Lines(bar)
    _fit(3, bar, lines)
    assert lines.counts == [0, 1]  # before the epoch, and after it
