"""New runs that begin with the weights of an old one."""

from __future__ import annotations

from pathlib import Path

import pytest
import trimesh

from creased.io.checkpoint import read_record
from creased.training.folders import LAST, ResumeError, choose_run_folder
from creased.training.run import run
from tests.configs import composed
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


def test_another_mesh_of_the_same_name_is_not_resumed(configured: Compose, tmp_path: Path) -> None:
    scan, runs = tmp_path / "scan.stl", tmp_path / "runs"
    trimesh.creation.icosphere(subdivisions=2).export(scan)
    mine = [*TINY, f"shape.path={scan}", f"paths.runs={runs}", "data.n_batches=5"]
    run(configured(f"runs/1_{scan.stem}", *mine, "trainer.max_epochs=1"))
    checkpoint = runs / "1_scan" / LAST
    before = checkpoint.read_bytes()
    again = ["ckpt_path=last", "trainer.max_epochs=2"]
    sha256 = read_record(checkpoint).sha256
    assert choose_run_folder(str(runs), "scan", "last", sha256) == str(runs / "1_scan")
    trimesh.creation.box().export(scan)
    for name in ("last", str(runs / "1_scan")):
        with pytest.raises(ResumeError, match="other mesh"):
            run(configured("runs/1_scan", *mine, *again, f"ckpt_path={name}"))
        with pytest.raises(SystemExit):
            composed(*mine, f"ckpt_path={name}").paths.output  # noqa: B018, resolves the run folder
    assert checkpoint.read_bytes() == before
