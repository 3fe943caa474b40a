"""Every command has examples in its --help, and they parse."""

import argparse
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from creased.cli.examples import EXAMPLES
from creased.cli.main import main
from creased.cli.parser import make_parser

ROOT = Path(__file__).parents[2]


def _commands() -> dict[str, argparse.ArgumentParser]:
    (action,) = (a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    return action.choices


@pytest.mark.parametrize("name", sorted(_commands()))
def test_every_command_has_examples_that_parse(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])
    shown = capsys.readouterr().out
    examples = re.findall(r"^ +creased (.*?)(?:  .*)?$", shown[shown.index("examples:") :], re.MULTILINE)
    assert len(examples) >= 2
    for example in examples:
        assert make_parser().parse_args(shlex.split(example)).command == name


@pytest.mark.parametrize("port", ["0", "70000", "-1", "http"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["view", "mesh.ply", "--port", port])
    assert "from 1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("density", ["0", "-1", "inf", "heavy"])
def test_a_density_that_is_none_is_refused_before_the_work(
    density: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["parts", "run", "--out", "body.xml", "--density", density])
    assert f"positive number, got {density}" in capsys.readouterr().err


def test_examples_are_of_commands() -> None:
    assert set(EXAMPLES) <= set(_commands())


@pytest.mark.parametrize("words", [(), ("--help",), ("help",)])
def test_run_alone_says_what_it_can_do(words: tuple[str, ...]) -> None:
    done = subprocess.run(["sh", str(ROOT / "run"), *words], capture_output=True, text=True, check=True)
    for command in ("train", "creased extract", "test", "python"):
        assert f"./run {command}" in done.stdout


def test_an_unknown_command_is_refused_with_those_there_are() -> None:
    done = subprocess.run(["sh", str(ROOT / "run"), "trian"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unknown command trian" in done.stderr
    assert "./run train" in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.ckpt", b"hello there", "damaged"),
        ("empty.ckpt", b"", "damaged"),
        ("text.npz", b"hello", "damaged"),
        ("text.onnx", b"hello", "ONNX"),
    ],
)
def test_other_kinds_of_files_are_refused_in_a_line(
    name: str, content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert main(["info", str(tmp_path / name)]) == 1
    said = capsys.readouterr().err
    assert name in said
    assert message in said
    assert said.count("\n") == 1
    assert "allow_pickle" not in said


@pytest.mark.parametrize("size", ["0", "-1", "inf", "nan", "wide"])
def test_a_box_has_a_size(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["extract", "weights.npz", "--out", "mesh.ply", "--half-width", size])
    said = capsys.readouterr().err
    assert "--half-width" in said
    assert f"positive number, got {size}" in said
