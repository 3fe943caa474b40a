"""Several runs by one command: each with a folder of its own."""

from pathlib import Path

import pytest

from tests.configs import train

TINY = ["experiment=smoke", "trainer.max_epochs=1", "data.n_batches=20", "data.n_samples=2000"]
TINY += ["callbacks.draw=null", "callbacks.progress=null", "evaluation.complete=false"]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("launcher", ["processes", "submitit_local"])
def test_launchers_give_each_run_its_folder(tmp_path: Path, launcher: str) -> None:
    done = train(tmp_path, "-m", f"hydra/launcher={launcher}", "shape=sphere,torus", *TINY)
    assert done.returncode == 0, done.stderr
    (sweep,) = (tmp_path / "logs" / "train" / "multiruns").iterdir()
    assert {path.parent.name for path in sweep.glob("*/metrics.json")} == {"0_sphere", "1_torus"}
    assert (sweep / "1_torus" / "checkpoints" / "last.ckpt").is_file()
