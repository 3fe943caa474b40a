"""What a user gets wrong ends in one line that says what to change."""

import os
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from creased.training.command import objective, run_command
from tests.configs import composed, train

SMOKE = ["experiment=smoke", "callbacks.draw=null", "callbacks.progress=null", "trainer.max_epochs=1"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["shape=rabbit"], "bunny"),
        ([*SMOKE, "shape.path=nowhere.obj"], r"no file nowhere\.obj"),
        ([*SMOKE, "ckpt_path=last"], "no run under .* has a checkpoint"),
        ([*SMOKE, "model.activation.path=torch.nn.GELU"], "GELU.* piecewise affine"),
        ([*SMOKE, "model.width=0"], r"model\.width .*at least 1; got 0"),
        ([*SMOKE, "threads=0"], "threads .*at least 1; got 0"),
        ([*SMOKE, "paths.output=/proc/none"], "creased: No such file or directory: /proc/none$"),
        (["model.widht=3"], r"mean model\.width\?"),
        ([*SMOKE, "data.near=2"], r"data\.near"),
        ([*SMOKE, "optimizer.lr=1e30"], r"lower optimizer\.lr"),
    ],
)
def test_a_mistake_is_said_in_a_line(
    tmp_path: Path,
    overrides: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CREASED_ROOT", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        run_command(lambda: objective(composed(*overrides)))
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("creased: ")
    assert re.search(message, line)


@pytest.mark.parametrize(
    ("words", "message"),
    [(["model.widht=3"], "model.width?"), ([*SMOKE, "shape.path=nowhere.obj"], "no file nowhere.obj")],
)
@pytest.mark.slow
def test_the_shell_sees_the_line_and_a_status(tmp_path: Path, words: list[str], message: str) -> None:
    done = train(tmp_path, *words)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.skipif(
    not Path("/proc/self").exists() or os.geteuid() != 0, reason="needs root to mount a small disk"
)
def test_a_full_disk_loses_no_whole_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    few_points: None,
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "none", str(disk)], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    monkeypatch.setenv("CREASED_ROOT", str(disk))
    large = ["model.width=24", "model.depth=3", "trainer.max_epochs=6"]
    try:
        with suppress(SystemExit):  # where training cannot go on
            run_command(lambda: objective(composed(*SMOKE, *large)))
    finally:
        left = {path: path.stat().st_size for path in disk.rglob("*") if path.is_file()}
        subprocess.run(["umount", str(disk)], check=False)
        shutil.rmtree(disk, ignore_errors=True)
    ours = [path for path in left if path.name != ".lock"]
    assert ours
    assert all(left[path] and not path.name.startswith(".") for path in ours), "half a file is left"
    assert "No space left" in capsys.readouterr().err + caplog.text
