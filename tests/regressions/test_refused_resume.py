"""A resume that was refused had already overwritten the configuration of the run that it named."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from creased.training.folders import ResumeError, register_resolvers
from creased.training.run import run

CONFIGS = Path(__file__).parents[2] / "configs"


def test_a_refused_resume_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    register_resolvers()
    common = ["experiment=smoke", "callbacks.draw=null", "callbacks.progress=null", "data.n_batches=20"]
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        cfg = compose("train", [*common, f"paths.output={tmp_path}", "trainer.max_epochs=1"])
        run(cfg)
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        again = [*common, f"paths.output={tmp_path}", "trainer.max_epochs=2", f"ckpt_path={tmp_path}"]
        with pytest.raises(ResumeError, match="hidden widths"):
            run(compose("train", [*again, "model.width=8"]))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
