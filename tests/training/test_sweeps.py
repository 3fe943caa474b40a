"""Several runs by one command: each with a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = ["experiment=smoke", "trainer.max_epochs=1", "data.n_batches=20", "data.n_samples=2000"]
TINY += ["callbacks.draw=null", "callbacks.progress=null", "evaluation.complete=false"]

pytestmark = pytest.mark.slow


def _train(folder: Path, *overrides: str) -> Path:
    """The folder of the sweep that the command makes."""
    command = [sys.executable, str(ROOT / "train.py"), *overrides, *TINY]
    environment = os.environ | {"CREASED_ROOT": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=250)
    assert done.returncode == 0, done.stderr
    (sweep,) = (folder / "logs" / "train" / "multiruns").iterdir()
    return sweep


@pytest.mark.parametrize("launcher", ["processes", "submitit_local"])
def test_launchers_give_each_run_its_folder(tmp_path: Path, launcher: str) -> None:
    sweep = _train(tmp_path, "-m", f"hydra/launcher={launcher}", "shape=sphere,torus")
    assert {path.parent.name for path in sweep.glob("*/metrics.json")} == {"0_sphere", "1_torus"}
    assert (sweep / "1_torus" / "checkpoints" / "last.ckpt").is_file()
