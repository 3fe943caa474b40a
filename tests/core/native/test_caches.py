"""Without a home folder caches lie in a folder that no other user can write to."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from creased.core.native import caches


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in caches.FOLDERS:
        monkeypatch.setenv(name, "x")  # what is set here is taken back
        monkeypatch.delenv(name)
    return tmp_path


def test_a_home_folder_is_left_alone(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(temporary))
    caches.keep_caches()
    assert not set(caches.FOLDERS) & set(os.environ)


def test_without_one_packages_share_a_folder(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(temporary / "none"))
    monkeypatch.setenv("XDG_CONFIG_HOME", "/mine")
    caches.keep_caches()
    folder = Path(os.environ["XDG_CACHE_HOME"])
    assert os.environ["XDG_CONFIG_HOME"] == "/mine"
    assert folder.parent == temporary
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_can_write_to_is_not_taken(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(temporary / "none"))
    planted = temporary / f"creased-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    caches.keep_caches()
    assert os.environ["XDG_CACHE_HOME"] != str(planted)
