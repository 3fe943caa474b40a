"""`threads=auto` takes what was faster by the clock, and says so."""

from __future__ import annotations

import logging
import os
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from creased.training.callbacks.threads import BLOCK, TRIALS, WARM_UP, ChooseThreads, idle_cores
from creased.training.run import run
from tests.training.conftest import TINY, Compose

N_STEPS = WARM_UP + 2 * TRIALS * BLOCK


class _Machine:
    """A machine on which a step takes so many seconds, by its number of threads."""

    def __init__(self, patch: pytest.MonkeyPatch, seconds: dict[int, float]) -> None:
        self.now, self.n_threads, self.seconds, self.used = 0.0, 1, seconds, [0]
        patch.setattr(torch, "set_num_threads", self._set)

    def _set(self, n: int) -> None:
        self.n_threads = n

    def train(self, callback: ChooseThreads, n_steps: int, device: str = "cpu", late: int = 0) -> list[int]:
        """Take steps, every one after a change of threads by ``late`` seconds later; list their threads."""
        trainer: Any = SimpleNamespace(strategy=SimpleNamespace(root_device=torch.device(device)))
        module: Any = None
        callback.on_fit_start(trainer, module)
        used = [0]
        for step in range(n_steps):
            callback.on_train_batch_start(trainer, module, None, step)
            self.now += self.seconds[self.n_threads] + late * (used[-1] != self.n_threads)
            used.append(self.n_threads)
            callback.on_train_batch_end(trainer, module, None, None, step)
        callback.on_train_epoch_end(trainer, module)
        return used[1:]


@pytest.mark.parametrize(("alone", "together", "expected"), [(1.0, 0.5, 4), (1.0, 0.95, 1), (1.0, 3.0, 1)])
def test_more_threads_are_taken_where_they_help(
    alone: float,
    together: float,
    expected: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    machine = _Machine(monkeypatch, {1: alone, 4: together})
    with caplog.at_level(logging.INFO):
        used = machine.train(callback := ChooseThreads(4, lambda: machine.now), N_STEPS + 10, late=100)
    assert used[:N_STEPS].count(4) >= (BLOCK if together > 2 * alone else TRIALS * BLOCK)
    assert together <= 2 * alone or used.count(4) == BLOCK  # no second trial
    assert used[-10:] == [expected] * 10
    assert callback.chosen == expected
    assert machine.n_threads == 1  # between epochs
    (said,) = caplog.messages
    assert f"{expected} CPU thread" in said
    assert f"{1e3 * together:.1f} ms in 4" in said


def test_before_the_last_trial_nothing_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = _Machine(monkeypatch, {1: 1.0, 4: 0.5})
    callback = ChooseThreads(4, lambda: machine.now)
    machine.train(callback, N_STEPS - 1)
    assert callback.chosen is None


@pytest.mark.parametrize(("most", "device", "why"), [(1, "cpu", "idle"), (4, "cuda", "cuda")])
def test_without_a_choice_one_thread_works(
    most: int, device: str, why: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    machine = _Machine(monkeypatch, {1: 1.0})
    with caplog.at_level(logging.INFO):
        assert set(machine.train(ChooseThreads(most, lambda: machine.now), N_STEPS, device)) == {1}
    assert why in caplog.text


@pytest.mark.parametrize(("load", "expected"), [(0.2, 8), (1.2, 8), (2.6, 6), (7.9, 1), (30.0, 1)])
def test_busy_cores_are_left_alone(load: float, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    assert idle_cores() == expected


def test_a_run_says_what_it_chose(configured: Compose, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        run(configured("auto", *TINY, "data.n_batches=60", "threads=auto"))
    assert sum("threads=auto" in message for message in caplog.messages) == 1
    assert torch.get_num_threads() == 1
