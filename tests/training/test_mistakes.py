"""What a user gets wrong ends in one line that says what to change."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMOKE = ["experiment=smoke", "callbacks.draw=null", "trainer.max_epochs=1"]


def _train(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "train.py"), *overrides]
    environment = os.environ | {"CREASED_ROOT": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=200)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["shape=rabbit"], "bunny"),
        ([*SMOKE, "shape.path=nowhere.obj"], "there is no file nowhere.obj"),
        ([*SMOKE, "ckpt_path=last"], "no run of shape sphere"),
        ([*SMOKE, "model.activation.path=torch.nn.GELU"], "GELU is not piecewise affine"),
        ([*SMOKE, "model.width=0"], "model.width takes a whole number, at least 1; got 0"),
        ([*SMOKE, "threads=0"], "threads takes a whole number, at least 1; got 0"),
        ([*SMOKE, "paths.output=/proc/none"], "/proc/none"),
        (["model.widht=3"], "did you mean model.width?"),
        ([*SMOKE, "data.near=2"], "data.near is a share"),
        ([*SMOKE, "optimizer.lr=1e30"], "lower optimizer.lr"),
    ],
)
def test_a_mistake_is_said_in_a_line(tmp_path: Path, overrides: list[str], message: str) -> None:
    done = _train(tmp_path, *overrides)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.skipif(
    not Path("/proc/self").exists() or os.geteuid() != 0, reason="needs root to mount a small disk"
)
def test_a_full_disk_loses_no_whole_file(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "none", str(disk)], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        done = _train(disk, *SMOKE, "trainer.max_epochs=6", "model.width=24", "model.depth=3")
        assert done.returncode != 0 or "No space left" in done.stdout
        assert "Traceback" not in done.stderr + done.stdout
        assert "No space left" in done.stderr + done.stdout
    finally:
        subprocess.run(["umount", str(disk)], check=False)
        shutil.rmtree(disk, ignore_errors=True)
