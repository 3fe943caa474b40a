"""Every command takes "last" for the newest run; `--version`."""

from pathlib import Path
from runpy import run_module

import pytest

from creased import __version__
from creased.cli.main import main
from creased.io.checkpoint import CheckpointError
from creased.io.runs import LAST, last_run, named
from tests.training.conftest import Finished, finished  # noqa: F401, fixtures


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished: Finished) -> Path:  # noqa: F811
    monkeypatch.setenv("CREASED_ROOT", str(tmp_path))
    for task, name in (("train", "2026-01-01_00-00-00_a"), ("other", "2026-01-02_00-00-00_b")):
        (tmp_path / "logs" / task / "runs" / name).parent.mkdir(parents=True)
        (tmp_path / "logs" / task / "runs" / name).symlink_to(finished[0])
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["info", "last"],
        ["draw", "last", "--out", "{}/plane.svg"],
        ["extract", "last", "--out", "{}/mesh.ply"],
        ["compare", "last", "last"],
    ],
)
def test_a_command_takes_the_newest_run(words: list[str], runs: Path) -> None:
    assert main([word.format(runs) for word in words]) == 0


def test_the_newest_run_of_any_task_is_the_last(runs: Path, tmp_path: Path) -> None:
    assert last_run().name == "2026-01-02_00-00-00_b"
    assert named(Path("last")) == last_run()
    assert named(Path("first")) == Path("first")


def test_a_file_called_last_is_that_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREASED_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="no run under"):
        named(Path("last"))
    (tmp_path / "last").write_bytes(b"")
    assert named(Path("last")) == Path("last")
    assert LAST.name == "last.ckpt"


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"creased {__version__}\n"


def test_the_package_runs_as_a_module(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["creased", "--version"])
    with pytest.raises(SystemExit, match="0"):
        run_module("creased", run_name="__main__")
    assert capsys.readouterr().out == f"creased {__version__}\n"
