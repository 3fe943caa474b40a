"""The scripts of docs/tropical.md and of docs/papers draw what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts.running import run_script


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        (
            "dual",
            [],
            ["E231: 7 regions, 3 vertices, 6 directions", "E2321: 14 regions, 7 vertices, 10"],
        ),
        (
            "zonotope",
            [],
            ["E231, 3 neurons: 8 vertices, 12 edges", "6 neurons: 32 vertices, 60 edges"],
        ),
        ("boundary", ["--steps", "100"], ["E2321: 7 regions, 5 pieces of boundary", "half-moons: "]),
        ("complex", ["--steps", "20", "--width", "6"], ["activation cells, "]),
        (
            "edge_subdivision",
            ["--widest", "8"],
            ["2D, 8x4: 115 vertices", "| 3D, 1x12 | 473, 1268, 1136, 340 |"],
        ),
        ("region_bound", [], ["| 3, 3, 3 | 343 | 208 | 8 to 33 |"]),
        (
            "pruning",
            ["--width", "4", "--steps", "40", "--seeds", "1"],
            ["| all, for comparison |", "times too long"],
        ),
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
    run_script(f"tropical.{name}", ["--out", str(tmp_path / "a.png"), *options], monkeypatch)
    shown = capsys.readouterr().out
    assert all(line in shown for line in said)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_digits_are_drawn_with_the_distances_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    network = ["--width", "8", "--steps", "60"]
    run_script("classifiers.distance", ["--images", "1", *network], monkeypatch)
    title, _, plane, space = capsys.readouterr().out.splitlines()
    assert title.startswith("64-8-8-10, test accuracy 0.")
    flat, deep = ([float(x) for x in line.split()[2:5]] for line in (plane, space))
    assert all(0 < a <= b + 1e-4 for a, b in zip(deep, flat, strict=True))  # the plane lies in the space
    assert flat[2] <= flat[1] <= flat[0]
    run_script("classifiers.plane", ["--out", str(tmp_path / "a.png"), *network], monkeypatch)
    shown = capsys.readouterr().out
    assert (
        "changes class after "
        + ", ".join(
            f"{value:.4f} ({name})" for value, name in zip(flat, ("1-norm", "2-norm", "∞-norm"), strict=True)
        )
        in shown
    )
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
