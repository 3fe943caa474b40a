"""Two processes never write to one run folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from creased.training.run import run
from creased.training.runs.folders import ResumeError
from creased.training.runs.lock import locked
from tests.training.conftest import TINY, Compose

HOLD = """
import sys, time
from pathlib import Path
from filelock import FileLock
lock = FileLock(Path(sys.argv[1]) / ".lock")
lock.acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_is_dead(configured: Compose, tmp_path: Path) -> None:
    cfg = configured("run", *TINY, "trainer.max_epochs=1", "data.n_batches=5")
    folder = Path(cfg.paths.output)
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ResumeError, match="in use by another run"):
            run(cfg)
        assert [path.name for path in folder.iterdir()] == [".lock"]  # that of the other
        os.kill(other.pid, signal.SIGKILL)
    run(cfg)
    with pytest.raises(ResumeError, match=r"holds a run: resume with .*train\.py"):
        run(cfg)


def test_a_lock_ends_with_its_run(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path), pytest.raises(ResumeError), locked(tmp_path):
            pass
