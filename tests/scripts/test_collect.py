"""A folder of runs becomes a table and a plot."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from scripts.runs import collect


def _write_run(root: Path, name: str, width: int, metrics: dict[str, Any] | None) -> None:
    folder = root / name
    folder.mkdir(parents=True)
    config = {
        "shape": {"name": "box", "path": None},
        "model": {"width": width, "depth": 2},
        "callbacks": {"table": {"path": f"{folder}/metrics.csv"}},
        "paths": {"output": str(folder)},
    }
    OmegaConf.save(OmegaConf.create(config), folder / "config.yaml")
    if metrics is not None:
        whole = {"shape": "box", "iou": 0.9, "is_closed": True, "seconds": {"total": 2.5}} | metrics
        (folder / "metrics.json").write_text(json.dumps(whole))


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    points = [(100, 0.02), (200, 0.01), (200, 0.03), (90, 0.02)]
    for number, (faces, chamfer) in enumerate(points):
        found = {"n_polygons": faces, "chamfer_l1_mean": chamfer}
        _write_run(tmp_path, f"{number}_box", 16 + number, found)
    _write_run(tmp_path, "10_box", 48, {"n_polygons": 0})  # empty: no distance
    _write_run(tmp_path, "9_box", 32, None)  # died
    return tmp_path


def test_a_sweep_becomes_a_table_of_what_varies(sweep: Path) -> None:
    assert collect.main([str(sweep)]) == 0
    rows = list(csv.DictReader((sweep / "table.csv").read_text().splitlines()))
    assert [row["run"] for row in rows] == ["0_box", "1_box", "2_box", "3_box", "10_box"]
    assert [row["model.width"] for row in rows] == ["16", "17", "18", "19", "48"]
    assert "model.depth" not in rows[0]
    assert "callbacks.table.path" not in rows[0]
    assert rows[0]["seconds"] == "2.5"
    assert rows[4]["chamfer_l1_mean"] == ""


def test_the_front_is_what_no_run_beats(sweep: Path) -> None:
    runs, unfinished = collect.find_runs(sweep)
    assert collect.find_front(runs) == {"1_box", "3_box"}
    assert unfinished == ["9_box"]


def test_shapes_do_not_beat_each_other(sweep: Path) -> None:
    _write_run(sweep, "11_torus", 16, {"shape": "torus", "n_polygons": 500, "chamfer_l1_mean": 0.5})
    runs, _ = collect.find_runs(sweep)
    assert collect.find_front(runs) == {"1_box", "3_box", "11_torus"}


def test_the_markdown_has_a_line_a_run_and_the_plot_is_a_picture(sweep: Path) -> None:
    from PIL import Image

    assert collect.main([str(sweep), "--out", str(sweep / "summary")]) == 0
    lines = (sweep / "summary" / "table.md").read_text().splitlines()
    assert len(lines) == 2 + 5
    assert len({line.count("|") for line in lines}) == 1
    with Image.open(sweep / "summary" / "pareto.png") as image:
        assert image.size[0] > 600
        assert len(image.convert("RGB").getcolors(1 << 20)) > 10


def test_a_folder_without_runs_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert collect.main([str(tmp_path)]) == 1
    assert "has finished" in capsys.readouterr().err
