"""New runs that begin with the weights of an old one."""

from __future__ import annotations

import pytest

from creased.training.folders import ResumeError
from creased.training.run import run
from tests.training.conftest import TINY, Compose


def test_a_run_of_no_steps_has_the_weights_it_started_from(configured: Compose) -> None:
    first = configured("first", *TINY, "trainer.max_epochs=1")
    trained = run(first)
    idle = [*TINY, f"start_from={first.paths.output}", "trainer.max_epochs=1", "optimizer.lr=0.0"]
    again = run(configured("again", *idle))
    assert again["n_polygons"] == trained["n_polygons"] > 0
    assert again["epochs"] == 1


def test_what_does_not_fit_is_refused(configured: Compose) -> None:
    first = configured("first", *TINY, "trainer.max_epochs=1", "data.n_batches=5")
    run(first)
    with pytest.raises(ResumeError, match="has hidden widths"):
        run(configured("wide", f"start_from={first.paths.output}", "model.width=17"))
    both = [f"start_from={first.paths.output}", f"ckpt_path={first.paths.output}", "trainer.max_epochs=3"]
    with pytest.raises(ResumeError, match="give one of them"):
        run(configured("both", *both))
    with pytest.raises(ResumeError, match="there is no checkpoint"):
        run(configured("none", "start_from=/nowhere"))


def test_a_run_on_other_grids_is_refused(configured: Compose) -> None:
    grid = ["model=grid", *TINY, "trainer.max_epochs=1", "data.n_batches=5"]
    first = configured("grid", *grid, "model.levels=[2,4]")
    run(first)
    with pytest.raises(ResumeError, match=r"on grids of \(2, 4\) cubes an axis, the model"):
        run(configured("finer", *grid, "model.levels=[2,8]", f"start_from={first.paths.output}"))
    with pytest.raises(ResumeError, match="on grids of"):
        run(
            configured(
                "deeper",
                *grid,
                "model.levels=[2,8]",
                f"ckpt_path={first.paths.output}",
                "trainer.max_epochs=3",
            )
        )
