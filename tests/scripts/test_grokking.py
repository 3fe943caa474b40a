"""A short training is counted and drawn."""

import json
from pathlib import Path

import pytest

from tests.scripts.running import run_script


def test_accuracy_and_complexity_are_recorded_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--steps", "10", "--width", "16", "--images", "50", "--points", "3", "--scale", "1"]
    files = ["--out", str(tmp_path / "a.png"), "--json", str(tmp_path / "a.json")]
    run_script("classifiers.grokking", [*options, *files], monkeypatch)
    rows = json.loads((tmp_path / "a.json").read_text())["rows"]
    assert [row["step"] for row in rows] == [1, 2, 3, 5, 7, 10]
    for row in rows:
        assert 0 <= row["test_accuracy"] <= 1
        assert 0 <= row["train_by_corners"] <= row["train_crossing"]
        assert row["train_cells"] >= 1
    assert rows[0]["train_crossing"] > 0
    assert (tmp_path / "a.png").stat().st_size > 5000
