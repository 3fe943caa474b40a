"""Run folders: a new one for each run, and the right one to resume."""

import os
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from creased.io.runs import LAST
from creased.training.runs import folders
from creased.training.runs.folders import ResumeError, choose_run_folder, find_checkpoint


def _finished(root: Path, shape: str, sha256: str = "") -> Path:
    run = Path(choose_run_folder(str(root), shape, None))
    checkpoint = run / LAST
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"")
    (run / "config.yaml").write_text(f"shape_sha256: '{sha256}'")
    return checkpoint


def test_runs_of_one_second_get_folders_of_their_own(tmp_path: Path) -> None:
    folders = {choose_run_folder(str(tmp_path), "box", None) for _ in range(4)}
    assert len(folders) == 4


def test_last_is_the_newest_run_of_the_very_shape_whatever_its_files_name(tmp_path: Path) -> None:
    older, newer = _finished(tmp_path, "box", "b" * 64), _finished(tmp_path, "cube", "b" * 64)
    other = _finished(tmp_path, "box", "0" * 64)
    assert find_checkpoint("last", str(tmp_path)) == other
    assert find_checkpoint("last", str(tmp_path), "b" * 64) == newer != older
    with pytest.raises(
        ResumeError, match=f"of this shape; the newest is {other.parent.parent.name}: ckpt_.*start_from="
    ):
        find_checkpoint("last", str(tmp_path), "c" * 64)


def _set_clock(monkeypatch: pytest.MonkeyPatch, *time: int) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime(*time)  # type: ignore[arg-type,misc]

    monkeypatch.setattr(folders, "datetime", Clock)


def test_times_of_files_do_not_say_which_run_is_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Touched files, copies of folders, clocks of file servers."""
    runs = tmp_path / "runs"
    _set_clock(monkeypatch, 2026, 3, 1, 12)
    older = _finished(runs, "box")
    _set_clock(monkeypatch, 2026, 3, 1, 13)
    newer = _finished(runs, "box")
    for path in (newer, newer.parent.parent):
        os.utime(path, (1, 1))
    for path in (older, older.parent.parent):
        os.utime(path, (2**32, 2**32))
    assert find_checkpoint("last", str(runs)) == newer
    shutil.copytree(newer.parent.parent, tmp_path / "copies" / newer.parent.parent.name)
    shutil.copytree(older.parent.parent, tmp_path / "copies" / older.parent.parent.name)
    shutil.copytree(older.parent.parent, runs / f"copy of {older.parent.parent.name}")
    assert find_checkpoint("last", str(runs)) == newer
    copied = find_checkpoint("last", str(tmp_path / "copies"))
    assert copied.parent.parent.name == newer.parent.parent.name


def test_a_clock_set_back_does_not_change_the_order_of_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for time in ((2026, 10, 25, 2, 30), (2026, 10, 25, 2, 10), (1970, 1, 1), (2026, 10, 25, 2, 29)):
        _set_clock(monkeypatch, *time)
        newest = _finished(tmp_path, "box")
        assert find_checkpoint("last", str(tmp_path)) == newest
    assert newest.parent.parent.name == "2026-10-25_02-30-00_box~4"
    _set_clock(monkeypatch, 2026, 10, 25, 2, 31)
    newest = _finished(tmp_path, "box")
    assert newest.parent.parent.name == "2026-10-25_02-31-00_box"
    assert find_checkpoint("last", str(tmp_path)) == newest


def test_jobs_and_counters_are_ordered_as_numbers(tmp_path: Path) -> None:
    names = ["box", "9_box", "10_box", "2026-01-01_00-00-00_box~9", "2026-01-01_00-00-00_box~10"]
    for name in names:
        (tmp_path / name / LAST).parent.mkdir(parents=True)
        (tmp_path / name / LAST).write_bytes(b"")
        assert find_checkpoint("last", str(tmp_path)) == tmp_path / name / LAST
    assert choose_run_folder(str(tmp_path), "box", None) > str(tmp_path / names[-1])


def test_names_with_odd_characters_are_found(tmp_path: Path) -> None:
    for name in ("my [1] part=x", "12_{a}~3"):
        checkpoint = _finished(tmp_path, name)
        assert find_checkpoint("last", str(tmp_path)) == checkpoint


def test_a_resumed_run_stays_in_its_folder(tmp_path: Path) -> None:
    checkpoint = _finished(tmp_path, "box")
    for name in ("last", str(checkpoint), str(checkpoint.parent.parent)):
        found = find_checkpoint(name, str(tmp_path))
        assert choose_run_folder(str(tmp_path), "box", found) == str(checkpoint.parent.parent)


def test_nothing_to_resume_is_said(tmp_path: Path) -> None:
    with pytest.raises(ResumeError, match=r"no run under .* has a checkpoint"):
        find_checkpoint("last", str(tmp_path))
    with pytest.raises(ResumeError, match="there is no checkpoint"):
        find_checkpoint(str(tmp_path / "nowhere.ckpt"), str(tmp_path))
