"""Scripts run as from the command line, in this process."""

import sys
from importlib import import_module

import pytest


def run_script(name: str, options: list[str], monkeypatch: pytest.MonkeyPatch) -> int | None:
    """Run a module of scripts with the given words behind its name; return its exit status, None for 0."""
    monkeypatch.setattr(sys, "argv", [name, *options])
    status: int | None = import_module(f"scripts.{name}").main()
    return status
