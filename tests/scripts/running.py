"""Scripts run as from the command line, in this process."""

import runpy
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def run_script(name: str, options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a script with the given words behind its name."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.setattr(sys, "argv", [name, *options])
    runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")
