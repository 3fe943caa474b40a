"""Every script starts, those that are run by their paths too."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import scripts
from tests.configs import ROOT

SCRIPTS = ROOT / "scripts"
BY_PATH = ("bench_extraction", "on_gpu", "time_certify")


def test_every_script_can_be_imported() -> None:
    names = [module.name for module in walk_packages(scripts.__path__, "scripts.")]
    assert {f"scripts.{name}" for name in BY_PATH} < set(names)
    for name in names:
        import_module(name)


def test_folders_are_short() -> None:
    for folder in (SCRIPTS, *(path.parent for path in SCRIPTS.rglob("__init__.py"))):
        assert len([path for path in folder.iterdir() if path.is_file()]) <= 14, folder


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_PATH)
def test_scripts_run_by_their_paths_from_anywhere(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / f"{name}.py"), "--help"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stderr
    assert f"usage: {name}.py" in done.stdout
