"""New runs that begin with the weights of an old one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import trimesh

from creased.io.checkpoint import load_plain, read_record
from creased.io.runs import LAST
from creased.training.run import run
from creased.training.runs.folders import ResumeError, find_checkpoint
from tests.training.conftest import TINY, Compose, Finished


def test_a_run_of_no_steps_has_the_weights_it_started_from(configured: Compose) -> None:
    first = configured("first", *TINY, "trainer.max_epochs=1")
    trained = run(first)
    idle = [*TINY, f"start_from={first.paths.output}", "trainer.max_epochs=1", "optimizer.lr=0.0"]
    again = run(configured("again", *idle))
    assert again["n_polygons"] == trained["n_polygons"] > 0
    assert again["epochs"] == 1


def test_what_does_not_fit_is_refused(configured: Compose, finished: Finished) -> None:
    trained, _ = finished
    with pytest.raises(ResumeError, match="hidden widths"):
        run(configured("wide", f"start_from={trained}", "model.width=17"))
    both = [f"start_from={trained}", f"ckpt_path={trained}", "trainer.max_epochs=3"]
    with pytest.raises(ResumeError, match="give one of them"):
        run(configured("both", *both))
    with pytest.raises(ResumeError, match="there is no checkpoint"):
        run(configured("none", "start_from=/nowhere"))


def test_a_checkpoint_outside_of_its_run_is_refused_before_a_shape_is_prepared(
    configured: Compose, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = tmp_path / "copied.ckpt"
    copied.write_bytes((finished[0] / LAST).read_bytes())
    monkeypatch.setattr("creased.shapes.shape.solidify", None)
    with pytest.raises(ResumeError, match=r"trained on sphere, not on torus: .*shape=sphere and model\.\*"):
        run(configured("other", *TINY, "shape=torus", f"ckpt_path={copied}", "trainer.max_epochs=2"))


def test_a_run_on_other_grids_is_refused(configured: Compose) -> None:
    grid = ["model=grid", *TINY, "trainer.max_epochs=1", "data.n_batches=5"]
    first = configured("grid", *grid, "model.levels=[2,4]")
    run(first)
    with pytest.raises(ResumeError, match=r"on grids of \(2, 4\) cubes an axis, the model"):
        run(configured("finer", *grid, "model.levels=[2,8]", f"start_from={first.paths.output}"))
    with pytest.raises(
        ResumeError, match=r"trained with model\.levels=\[2, 4\], and cannot go on with \[2, 8\]"
    ):
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
    assert find_checkpoint("last", str(runs), sha256) == checkpoint
    trimesh.creation.box().export(scan)
    for name, words in (("last", "of this shape"), (str(runs / "1_scan"), "another mesh called scan")):
        with pytest.raises(ResumeError, match=words):
            run(configured("runs/1_scan", *mine, *again, f"ckpt_path={name}"))
    assert checkpoint.read_bytes() == before


def test_a_resumed_run_takes_the_rate_that_is_given(
    configured: Compose, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    first = configured("run", *TINY, "trainer.max_epochs=1")
    run(first)
    path = Path(first.paths.output) / LAST
    before, epoch_1 = load_plain(path), read_record(path).program
    again = [
        "trainer.max_epochs=2",
        f"ckpt_path={first.paths.output}",
        "optimizer.lr=0.0",
        "optimizer.betas=[0.5,0.5]",
    ]
    run(configured("run", *TINY, *again))
    assert "changed: optimizer.lr 0.01 -> 0.0, optimizer.betas [0.9, 0.99] -> [0.5, 0.5]" in caplog.text
    for old, new in zip(epoch_1.tensors(), read_record(path).program.tensors(), strict=True):
        torch.testing.assert_close(old, new, rtol=0, atol=0)
    (state,) = load_plain(path)["optimizer_states"]
    assert state["param_groups"][0]["betas"] == [0.5, 0.5] or state["param_groups"][0]["betas"] == (0.5, 0.5)
    assert state["state"][0]["step"] == 2 * before["optimizer_states"][0]["state"][0]["step"]
