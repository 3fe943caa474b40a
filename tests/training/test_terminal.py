"""A terminal of 80 columns has one line for the bar, with messages above; no character ends a run."""

from __future__ import annotations

import fcntl
import logging
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest

from creased.training.callbacks import TrainingBar
from creased.training.console import StandardOutput, tolerate_encodings
from tests.configs import ROOT
from tests.training.conftest import TINY

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
WORDS = ["experiment=smoke", "shape=torus", *TINY, "callbacks.draw=null", "trainer.max_epochs=2"]


def _run_in_terminal(folder: Path, columns: int, **environment: str) -> str:
    """What a run writes to a terminal, until it ends."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = (
        os.environ
        | {"CREASED_ROOT": str(folder), "PYTHONPATH": f"{ROOT / 'src'}", "TERM": "xterm"}
        | environment
    )
    env.pop("COLUMNS", None)
    command = [sys.executable, str(ROOT / "train.py"), *WORDS]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 1 << 16)
            except OSError:  # of Linux, where the other side is closed
                break
            if not part:
                break
            said += part
    os.close(ours)
    assert process.returncode == 0, said.decode(errors="replace")
    return said.decode(errors="replace")


@pytest.mark.slow
def test_the_bar_is_one_line_with_messages_above_it(tmp_path: Path) -> None:
    said = _run_in_terminal(tmp_path, 80)
    assert "\x1b[1A" not in said  # up a line, as for bars of several
    lines = [line for row in CONTROL.sub("", said).split("\n") for line in row.split("\r")]
    bars = [line for line in lines if line.startswith("Epoch ")]
    assert bars
    assert max(len(line.rstrip()) for line in bars) <= 80
    assert any(re.search(r"Epoch 2/2 .*20/20 .*loss: .*faces: \d", line) for line in bars)
    warned = [line for line in lines if "cut open" in line and "epoch" in line]
    assert warned
    assert all(line.startswith("[") and "━" not in line for line in warned)


@pytest.mark.slow
def test_a_dumb_terminal_in_ascii_is_enough(tmp_path: Path) -> None:
    said = _run_in_terminal(tmp_path, 80, TERM="dumb", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert "Epoch 2/2" in said
    assert said.isascii()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_characters_that_a_terminal_lacks_are_replaced(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(content, encoding=encoding))
    tolerate_encodings()
    print("20/20 • ö", end="", flush=True)
    assert content.getvalue().startswith(b"20/20 ?")


def test_messages_go_where_the_standard_output_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = StandardOutput()
    monkeypatch.setattr(sys, "stdout", StringIO())
    handler.emit(logging.makeLogRecord({"msg": "above"}))
    assert sys.stdout.getvalue() == "above\n"  # type: ignore[attr-defined]


def test_an_endless_run_has_no_last_epoch() -> None:
    class Trainer:
        max_epochs = -1

    bar = TrainingBar()
    bar._trainer = Trainer()  # type: ignore[assignment]
    assert bar._get_train_description(1) == "Epoch 2"
