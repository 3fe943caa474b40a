"""Commands that are offered work when they are pasted into a shell."""

import shlex
import sys

import pytest

from creased.training.runs.commands import LAUNCHER, creased_command, train_command


def test_commands_are_those_that_the_user_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LAUNCHER, raising=False)
    monkeypatch.setattr(sys, "argv", ["/somewhere/else/train.py", "shape=bunny"])
    assert train_command("ckpt_path=last") == "python /somewhere/else/train.py ckpt_path=last"
    assert creased_command("view", "RUN") == "creased view RUN"
    monkeypatch.setenv(LAUNCHER, "./run")
    assert train_command("ckpt_path=last") == "./run train ckpt_path=last"
    assert creased_command("view", "RUN") == "./run creased view RUN"


@pytest.mark.parametrize("name", ["a b", "it's", "p=q", "x,y", "h#1", "[1]", "~t", "ö", "$HOME", 'say "yes"'])
def test_a_shell_reads_names_as_they_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LAUNCHER, "./my tools/run")
    words = shlex.split(train_command(f"ckpt_path=logs/{name}"))
    assert words == ["./my tools/run", "train", f"ckpt_path=logs/{name}"]
