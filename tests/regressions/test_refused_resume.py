"""A resume that was refused had already overwritten the configuration of the run that it named."""

from pathlib import Path

import pytest

from creased.training.run import run
from creased.training.runs.folders import ResumeError
from tests.configs import train
from tests.training.conftest import TINY, Compose, configured, few_points  # noqa: F401, fixtures


def _files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_refused_resume_leaves_the_run_as_it_was(configured: Compose) -> None:  # noqa: F811
    cfg = configured("run", *TINY, "trainer.max_epochs=1")
    run(cfg)
    folder = Path(cfg.paths.output)
    before = _files(folder)
    with pytest.raises(ResumeError, match=r"model\.width=16, and cannot go on with 8"):
        run(configured("run", *TINY, "trainer.max_epochs=2", f"ckpt_path={folder}", "model.width=8"))
    assert _files(folder) == before


@pytest.mark.slow
def test_a_refused_command_leaves_no_word_in_the_run(tmp_path: Path) -> None:
    """Hydra had written its configuration, and the log had grown, by then."""
    short = ["shape=torus", "experiment=smoke", *TINY, "callbacks.draw=null", "callbacks.progress=null"]
    assert train(tmp_path, *short, "trainer.max_epochs=1").returncode == 0
    (folder,) = (tmp_path / "logs" / "train" / "runs").iterdir()
    before = _files(folder)
    assert before[folder / ".hydra" / "overrides.yaml"].startswith(b"- shape=torus")
    assert b"torus" in before[folder / "train.log"]
    for ckpt_path, option, reason in (
        ("last", "shape=sphere", "no run under"),
        (str(folder), "+shape.source.minor=0.3", "another mesh"),
        (str(folder), "model.width=8", "leave out model.width"),
        (str(folder), "callbacks.extract.every_n_epochs=1", "already done 1 epoch"),
    ):
        done = train(tmp_path, f"ckpt_path={ckpt_path}", option)
        assert done.returncode == 1
        assert reason in done.stderr
        assert _files(folder) == before
    assert train(tmp_path, "ckpt_path=last", "trainer.max_epochs=2").returncode == 0
    after = _files(folder)
    assert b"resuming" in after[folder / "train.log"]
    assert b"ckpt_path=" in after[folder / ".hydra" / "overrides.yaml"]
