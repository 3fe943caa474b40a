"""The scripts of docs/papers draw and count what they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scripts.running import run_script


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "option", "lines"),
    [
        (
            "tropical.covectors",
            "--networks",
            ["network 2-4-4: 149 sign vectors", "elimination     fails 4,204 times of 22,201"],
        ),
        (
            "tropical.network_fan",
            "--cases",
            ["| 6 on a line, + - | 174 | 32 | 544 | 52 |", "comparability  fails 8,634 times of 14,641"],
        ),
    ],
)
def test_axioms_are_counted_as_on_the_pages(
    script: str,
    option: str,
    lines: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_script(script, [option, "1", "--out", str(tmp_path / "a.png")], monkeypatch)
    shown = capsys.readouterr().out
    assert all(line in shown for line in lines), shown
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_compressed_networks_read_digits_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    options = ["--widths", "8", "--penalties", "0", "1", "--steps", "300", "--seconds", "1"]
    files = ["--out", str(tmp_path / "a.png"), "--json", str(tmp_path / "a.json")]
    run_script("classifiers.compression", [*options, *files], monkeypatch)
    plain, penalized = json.loads((tmp_path / "a.json").read_text())["rows"]
    for row in (plain, penalized):
        assert row["accuracy"] == row["accuracy_after"]
        assert row["difference"] < 1e-12
    assert plain["after"] == [8, 8]
    assert sum(penalized["after"]) < 16
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_modular_addition_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--prime", "5", "--width", "8", "--steps", "3", "--points", "2", "--planes", "1"]
    files = ["--out", str(tmp_path / "a.png"), "--json", str(tmp_path / "a.json")]
    run_script("classifiers.modular", [*options, *files], monkeypatch)
    rows = json.loads((tmp_path / "a.json").read_text())["rows"]
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert all(1 < row["through training inputs"] <= 37 for row in rows)  # of 8 lines
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_pgd_is_never_below_the_exact_distance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    options = ["--images", "2", "--width", "8", "--steps", "60"]
    files = ["--out", str(tmp_path / "a.png"), "--json", str(tmp_path / "a.json")]
    run_script("classifiers.robustness", [*options, *files], monkeypatch)
    for row in json.loads((tmp_path / "a.json").read_text())["rows"]:
        assert 0 < row["exact"] <= min(row["pgd"], row["pgd_one"])
        assert 0 < row["pgd_everywhere"] < float("inf")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
