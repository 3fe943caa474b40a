"""The script for a GPU runs on the CPU, in small, and goes on after a part that fails or takes too long."""

import json
import time
from pathlib import Path

import pytest
import torch

from scripts.accelerator.bench import Bench
from tests.scripts.running import run_script


def test_complexes_are_compared_and_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--out", str(tmp_path), "--device", "cpu", "--quick", "--only", "complexes"]
    assert run_script("on_gpu", options, monkeypatch) == 0
    rows = {row["part"]: row for row in json.loads((tmp_path / "results.json").read_text())["rows"]}
    assert all(row["is_right"] for row in rows.values())
    assert rows["complex 3x16"]["seconds"] > 0
    assert "complex 3 grid exact" in (tmp_path / "results.md").read_text()


def test_a_part_that_fails_or_takes_too_long_stops_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def endless(_: object) -> None:
        while True:
            torch.zeros(1).add(1)

    def wrong(_: object) -> None:
        raise ValueError("a bad part")

    measured = Bench(torch.device("cpu"), None, tmp_path, True, time.monotonic() + 100)
    start = time.monotonic()
    for part, limit in ((endless, 0.2), (wrong, 5), (lambda bench: bench.check("last", True, ""), 5)):
        measured.run(part, limit)
    assert time.monotonic() - start < 5
    assert measured.failures == ["endless: stopped after 0 s", "wrong: ValueError: a bad part"]
    assert [row.part for row in measured.rows] == ["last"]
    assert "a bad part" in capsys.readouterr().err
