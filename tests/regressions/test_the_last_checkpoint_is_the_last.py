"""Lightning's save_last writes last.ckpt only where the monitored value improved: after that it is stale."""

from __future__ import annotations

from pathlib import Path

from creased.io.checkpoint import read_record
from creased.training.run import run
from tests.training.conftest import TINY, Compose, configured, few_points  # noqa: F401, fixtures


def test_the_last_checkpoint_is_of_the_last_epoch(configured: Compose) -> None:  # noqa: F811
    # a rate that falls to zero and a loss that drives the surface away: the first epoch stays the best
    overrides = ["loss.distance.weight=-1", "trainer.max_epochs=3", "schedule=constant", "optimizer.lr=1e-4"]
    cfg = configured("worse", *TINY, *overrides)
    run(cfg)
    folder = Path(cfg.paths.output) / "checkpoints"
    assert read_record(folder / "last.ckpt").epoch == 3
    assert read_record(folder / "best.ckpt").epoch < 3
