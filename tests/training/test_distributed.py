"""Rank 0 alone extracts and writes; the others hear of it, and of its errors, and share the batches."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import lightning as L
import pytest
import torch

from creased.core.complexes.level_set import LevelSet
from creased.geometry import tracking
from creased.io.runs import LAST
from creased.networks import MLP
from creased.training import SDFModule
from creased.training.callbacks import EpochTable, ExtractLevelSet, SaveMesh, StopOnNaN
from creased.training.callbacks.guard import DivergedError
from creased.training.data import ShuffledBatches
from creased.training.distributed import RankError, all_agree, from_rank_zero
from creased.training.losses import ClampedDistance
from creased.training.runs.folders import (
    RUN_FOLDER,
    ResumeError,
    choose_run_folder,
    find_checkpoint,
    is_follower,
    require_agreement,
)
from creased.training.schedules import constant

LAUNCHED = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "WORLD_SIZE", "TORCHELASTIC_RUN_ID", RUN_FOLDER)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LAUNCHED:
        monkeypatch.delenv(name, raising=False)


class Wire:
    """Broadcasts from the first rank to those that are asked later, and decides for all."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.others_agree = True

    def at(self, rank: int) -> Any:
        """A trainer of this rank, as far as ranks need one."""
        place = iter(range(1000))

        def broadcast(value: Any) -> Any:
            if rank == 0:
                self.sent.append(value)
            return self.sent[next(place)]

        decide = lambda is_so, **_: is_so and self.others_agree  # noqa: E731
        strategy = SimpleNamespace(broadcast=broadcast, reduce_boolean_decision=decide)
        return SimpleNamespace(
            world_size=2, is_global_zero=rank == 0, strategy=strategy, global_step=3, callback_metrics={}
        )


def _module(trainer: Any) -> SDFModule:
    torch.manual_seed(0)
    network = MLP(3, 8, 2)
    module = SDFModule(network, {"distance": ClampedDistance()}, torch.optim.Adam, constant())
    module._trainer = trainer
    return module


def _extract(module: SDFModule) -> None:
    callback, trainer = ExtractLevelSet(method="subdivide"), cast(L.Trainer, module._trainer)
    callback.setup(trainer, module, "fit")
    callback._extract(module)


def test_only_rank_zero_extracts_and_all_have_the_level_set(monkeypatch: pytest.MonkeyPatch) -> None:
    wire, extracting = Wire(), []
    original = tracking.extract_level_set

    def counted(*args: Any, **options: Any) -> LevelSet:
        extracting.append(rank)
        return original(*args, **options)

    monkeypatch.setattr(tracking, "extract_level_set", counted)
    found = []
    for rank in (0, 1):
        module = _module(wire.at(rank))
        _extract(module)
        assert module.surface.level_set is not None
        found.append(module.surface.level_set)
    assert extracting == [0]
    assert not found[0].is_empty
    torch.testing.assert_close(found[1].vertices, found[0].vertices)


def test_an_extraction_that_fails_ends_the_others_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any, **__: Any) -> LevelSet:
        raise ArithmeticError("no level set today")

    wire = Wire()
    monkeypatch.setattr(tracking, "extract_level_set", failing)
    with pytest.raises(ArithmeticError, match="today"):
        _extract(_module(wire.at(0)))
    with pytest.raises(RankError, match="rank 0 has failed"):
        _extract(_module(wire.at(1)))


def test_one_process_asks_nobody() -> None:
    alone: Any = SimpleNamespace(world_size=1)
    assert from_rank_zero(alone, lambda: 3) == 3
    assert all_agree(alone, is_so=True)
    assert not all_agree(alone, is_so=False)


def test_a_loss_that_diverges_elsewhere_ends_this_rank() -> None:
    wire, fine = Wire(), {"loss": torch.zeros(())}
    guard, module = StopOnNaN(1), _module(wire.at(1))
    guard.on_train_batch_end(wire.at(1), module, fine, None, 0)
    wire.others_agree = False
    with pytest.raises(DivergedError):
        guard.on_train_batch_end(wire.at(1), module, fine, None, 0)


def test_followers_write_nothing(tmp_path: Path) -> None:
    trainer = Wire().at(1)
    module = _module(Wire().at(0))
    _extract(module)
    SaveMesh(str(tmp_path)).on_train_epoch_end(trainer, module)
    EpochTable(str(tmp_path / "metrics.csv")).on_train_epoch_end(trainer, module)
    assert not list(tmp_path.iterdir())


def test_ranks_share_the_batch_that_one_process_takes() -> None:
    samples = [torch.arange(50)]
    alone = [batch for (batch,) in ShuffledBatches(samples, 12, 9, seed=3)]
    ranks = [list(ShuffledBatches(samples, 4, 9, seed=3, rank=rank, n_ranks=3)) for rank in range(3)]
    assert len(torch.cat(alone[:4]).unique()) == 48  # without replacement
    for step, batch in enumerate(alone):
        torch.testing.assert_close(torch.cat([mine[step][0] for mine in ranks]), batch)


def test_a_follower_writes_where_rank_zero_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "told"
    (told / LAST).parent.mkdir(parents=True)
    (told / LAST).write_bytes(b"")
    newer = Path(choose_run_folder(str(tmp_path), "box", None)) / LAST
    newer.parent.mkdir()
    newer.write_bytes(b"")
    monkeypatch.setenv(RUN_FOLDER, str(told))
    assert find_checkpoint("last", str(tmp_path)) == newer
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert is_follower()
    assert find_checkpoint("last", str(tmp_path)) == told / LAST


def test_processes_started_side_by_side_need_to_be_given_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    require_agreement()
    monkeypatch.setenv("SLURM_PROCID", "0")
    require_agreement()
    monkeypatch.setenv("SLURM_PROCID", "1")
    with pytest.raises(ResumeError, match=r"give paths\.output=FOLDER"):
        require_agreement()
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    with pytest.raises(ResumeError, match=r"give paths\.output=FOLDER"):
        require_agreement()
