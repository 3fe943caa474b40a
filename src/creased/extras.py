"""How a missing optional package is installed, in the environment of ``./run`` or in one's own."""

from __future__ import annotations

import os

LAUNCHER = "CREASED_LAUNCHER"  # environment variable: the script `run`, where that has started this process


def how_to_install(extra: str) -> str:
    """Format the command that installs an extra of pyproject.toml, as this process was started."""
    launcher = os.environ.get(LAUNCHER)
    return f"{launcher} install {extra}" if launcher else f"pip install 'creased[{extra}]'"
