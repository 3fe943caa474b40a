"""The block before a run says what the configuration makes true."""

from __future__ import annotations

from pathlib import Path

import pytest

from creased.training.announce import _format_length, _format_watch
from creased.training.assembly import make_callbacks
from creased.training.runs.commands import LAUNCHER
from tests.configs import composed

VIEW = "creased view RUN"


@pytest.mark.parametrize(
    ("words", "watch"),
    [
        ("", f"{VIEW}; metrics.csv, preview.png, each epoch"),
        ("callbacks.draw=null", f"{VIEW}; metrics.csv, each epoch"),
        ("callbacks.table=null", f"{VIEW}; preview.png, each epoch"),
        (
            "callbacks.extract.every_n_epochs=5",
            f"{VIEW}; metrics.csv, each epoch; preview.png, every 5 epochs",
        ),
        ("callbacks.epochs=null callbacks.draw=null callbacks.table=null", VIEW),
        ("callbacks.epochs=null callbacks.last=null callbacks.draw=null", "metrics.csv, each epoch"),
        ("callbacks.epochs=null callbacks.last=null callbacks.draw=null callbacks.table=null", ""),
        ("callbacks.epochs=null debug=fdr", "metrics.csv, preview.png, each epoch"),
        (
            "viewer=true logger=tensorboard callbacks.draw=null callbacks.table=null",
            f"{VIEW}; the page whose address is printed below; tensorboard --logdir RUN",
        ),
    ],
)
def test_nothing_is_to_be_watched_that_is_not_written(
    words: str, watch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(LAUNCHER, raising=False)
    cfg = composed("experiment=smoke", "paths.output=RUN", *words.split())
    callbacks, _ = make_callbacks(cfg)
    assert _format_watch(cfg, callbacks, Path("RUN")) == watch


@pytest.mark.parametrize(
    ("words", "length"),
    [
        ("", "2 epochs of 100 steps"),
        ("trainer.max_epochs=1", "1 epoch of 100 steps"),
        ("debug=limit", "3 epochs of 10 steps"),
        ("debug=fdr", "1 epoch of 1 step"),
        ("trainer.max_epochs=-1 +trainer.max_steps=150", "2 epochs of 100 steps"),
        ("trainer.max_epochs=-1 +trainer.max_time=00:00:01:00", "any number of epochs of 100 steps"),
        ("+trainer.limit_train_batches=0.25", "2 epochs of 25 steps"),
    ],
)
def test_epochs_and_steps_are_those_that_will_be(words: str, length: str) -> None:
    assert _format_length(composed("experiment=smoke", "paths.output=RUN", *words.split())) == length
