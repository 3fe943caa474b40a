"""`./run` installs what a command needs, once, and again when the pins change."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.configs import ROOT

PYTHON = """#!/bin/sh
case "$*" in
    "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$0" "$3/bin/creased" ;;
    *"pip install"*) [ ! -e "$OFFLINE" ] || exit 1; echo "install ${*##*'['}" >>"$CALLS" ;;
    *version_info*) ;;
    *) echo "run" >>"$CALLS" ;;
esac
"""


class Tree:
    """A copy of `run` and of what it reads, with a Python that only writes down what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.offline = folder, folder / "offline"
        for name in ("run", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder)
        (folder / "python").write_text(PYTHON)
        (folder / "python").chmod(0o755)

    def run(self, *words: str) -> tuple[list[str], str]:
        """What was installed by a command, and what was said; it has run if it should."""
        calls = self.folder / "calls"
        calls.write_text("")
        names = {"PYTHON": str(self.folder / "python"), "CALLS": str(calls), "OFFLINE": str(self.offline)}
        done = subprocess.run(
            ["sh", str(self.folder / "run"), *words], capture_output=True, text=True, env=os.environ | names
        )
        lines = calls.read_text().split("\n")
        assert ("run" in lines) == (done.returncode == 0 and words[0] != "install"), done.stderr
        return [line.removeprefix("install ").rstrip("]") for line in lines if "install" in line], done.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_training_installs_less_than_the_tests_and_says_what_waits(tree: Tree) -> None:
    installed, said = tree.run("train", "experiment=smoke")
    assert installed == ["standard"]
    assert "./run install open3d" in said
    assert tree.run("creased", "--help") == ([], "")
    assert tree.run("test")[0] == ["dev"]
    for words in (["test"], ["train", "logger=wandb"], ["python", "-m", "mkdocs"], ["install", "open3d"]):
        assert tree.run(*words) == ([], "")
    assert tree.run("train", "logger=tensorboard")[0] == ["tensorboard"]  # the tests do without it


@pytest.mark.parametrize(
    ("word", "extra"),
    [
        ("logger=wandb", "wandb"),
        ("logger=[csv,wandb]", "wandb"),
        ("logger=[tensorboard,wandb]", "wandb,tensorboard"),
        ("hparams_search=optuna", "sweeps"),
        ("hydra/launcher=processes", "sweeps"),
        ("hydra/launcher=workers", "ray"),
    ],
)
def test_an_option_brings_what_it_needs(tree: Tree, word: str, extra: str) -> None:
    assert tree.run("train")[0] == ["standard"]
    assert tree.run("train", word)[0] == [extra]
    assert tree.run("train", word)[0] == []


def test_new_pins_install_again_all_that_was_there(tree: Tree) -> None:
    tree.run("train", "logger=wandb")
    (tree.folder / "constraints.txt").write_text("torch==2.0\n")
    assert tree.run("creased", "--help")[0] == ["standard,wandb"]


def test_a_failed_installation_is_tried_again(tree: Tree) -> None:
    tree.offline.touch()
    assert "the installation failed" in tree.run("train")[1]
    tree.offline.unlink()
    assert tree.run("train")[0] == ["standard"]


def test_an_extra_that_is_not_there_is_refused(tree: Tree) -> None:
    installed, said = tree.run("install", "opend3")
    assert installed == []
    assert "no extra opend3" in said
