"""Short runs of `experiment=smoke`, one of which all tests share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import lightning as L
import pytest
from omegaconf import DictConfig

from creased.training.run import run
from tests.configs import composed

Compose = Callable[..., DictConfig]
Finished = tuple[Path, dict[str, Any]]
SMOKE = ("experiment=smoke", "callbacks.progress=null")
QUIET = (*SMOKE, "callbacks.draw=null", "callbacks.save=null")
TINY = ("data.n_samples=2000", "data.n_batches=20", "data.batch_size=256", "data.n_validation=200")


@pytest.fixture(autouse=True)
def _as_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the words of pytest's own command line be none of `train.py`."""
    monkeypatch.setattr(sys, "argv", ["train.py"])


def take_few_points(patch: pytest.MonkeyPatch) -> None:
    """Compare a finished run with its shape at a tenth of the points."""
    for name, n in (("N_SURFACE", 2000), ("N_VOLUME", 20_000), ("N_MESH", 5000)):
        patch.setattr(import_module("creased.evaluation.measure"), name, n)


def quiet_trainer(folder: Path, callback: L.Callback, epochs: int, **options: Any) -> L.Trainer:
    """Make a trainer of the CPU that writes nothing and says nothing."""
    return L.Trainer(
        max_epochs=epochs,
        callbacks=[callback],
        accelerator="cpu",
        logger=False,
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        **options,
    )


@pytest.fixture(scope="module")
def few_points() -> Iterator[None]:
    """The same for all tests of a module."""
    with pytest.MonkeyPatch.context() as patch:
        take_few_points(patch)
        yield


@pytest.fixture
def configured(tmp_path: Path, few_points: None) -> Compose:
    """Compose a run without pictures and meshes, in a folder of the test's own."""

    def make(folder: str, *overrides: str) -> DictConfig:
        return composed(*QUIET, f"paths.output={tmp_path / folder}", *overrides)

    return make


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The folder and the metrics of a run of two epochs, with all that it draws and writes."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        take_few_points(patch)
        return folder, run(composed(*SMOKE, f"paths.output={folder}"))
