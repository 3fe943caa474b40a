"""The scripts of docs/tropical.md draw what they say."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("draw_dual", [], ["E231: 7 regions, 3 vertices, 6 directions", "E2321: 14 regions, 7 vertices, 10"]),
        ("draw_zonotope", [], ["E231, 3 neurons: 8 vertices, 12 edges", "6 neurons: 32 vertices, 60 edges"]),
        ("draw_boundary", ["--steps", "100"], ["E2321: 7 regions, 5 pieces of boundary", "half-moons: "]),
    ],
)
def test_a_script_draws_and_says_what(
    name: str,
    options: list[str],
    said: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.setattr(sys, "argv", [name, "--out", str(tmp_path / "a.png"), *options])
    runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")
    shown = capsys.readouterr().out
    assert all(line in shown for line in said)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
