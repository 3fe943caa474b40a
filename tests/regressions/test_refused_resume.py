"""A resume that was refused had already overwritten the configuration of the run that it named."""

from pathlib import Path

import pytest

from creased.training.folders import ResumeError
from creased.training.run import run
from tests.training.conftest import TINY, Compose, configured, few_points  # noqa: F401, fixtures


def test_a_refused_resume_leaves_the_run_as_it_was(configured: Compose) -> None:  # noqa: F811
    cfg = configured("run", *TINY, "trainer.max_epochs=1")
    run(cfg)
    folder = Path(cfg.paths.output)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(ResumeError, match="hidden widths"):
        run(configured("run", *TINY, "trainer.max_epochs=2", f"ckpt_path={folder}", "model.width=8"))
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
