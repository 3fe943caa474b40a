"""Format commands that go on with a run, as they can be pasted into a shell."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from creased.extras import LAUNCHER


def train_command(*words: str) -> str:
    """Format a command line of `train.py`, started as this process was."""
    script = sys.argv[0] if Path(sys.argv[0]).name == "train.py" else "train.py"
    return shlex.join([*_started("train", ["python", script]), *words])


def creased_command(*words: str) -> str:
    """Format a command line of `creased`, likewise."""
    return shlex.join([*_started("creased", ["creased"]), *words])


def sync_command(folder: str) -> str:
    """Format the command line that sends a W&B run which was kept offline."""
    return shlex.join([*_started("python", ["python"]), "-m", "wandb", "sync", folder])


def _started(command: str, otherwise: list[str]) -> list[str]:
    launcher = os.environ.get(LAUNCHER)
    return [launcher, command] if launcher else otherwise
