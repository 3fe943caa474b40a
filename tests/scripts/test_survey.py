"""The survey of a folder: one line a file, whatever happens."""

from pathlib import Path

import numpy as np
import pytest
from trimesh.util import concatenate

from scripts.checks.survey import find_files, main
from tests.shapes.repair.meshes import ball, capless, ground


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ball().export(tmp_path / "whole.ply")
    capless().export(tmp_path / "capless.stl")
    (tmp_path / "deeper").mkdir()
    concatenate([ball(), ground()]).export(tmp_path / "deeper" / "ground.stl")
    (tmp_path / "broken.ply").write_bytes(b"ply\nno mesh")
    (tmp_path / "large.obj").write_bytes(b"#" * 2**21)
    (tmp_path / "note.txt").write_text("no mesh")
    return tmp_path


@pytest.mark.slow
def test_each_file_is_a_line_and_all_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "--limit", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:-1]] == [
        ["refused", "broken.ply:"],
        ["changed", "capless.stl:"],
        ["refused", "deeper/ground.stl:"],
        ["accepted", "whole.ply:"],
    ]
    assert lines[-1].startswith("4 files: 2 refused, 1 changed, 1 accepted")
    assert "1 opening closed" in lines[1]
    assert "shape.open=drop" in lines[2]


@pytest.mark.slow
def test_points_with_normals_are_accepted_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points = ball(subdivisions=3).vertices
    np.savetxt(tmp_path / "ball.xyz", np.c_[points, points])
    assert main([str(tmp_path)]) == 0
    assert "642 points with normals" in capsys.readouterr().out


@pytest.mark.slow
def test_options_are_those_of_a_shape_and_slow_files_do_not_stop_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder / "deeper"), "open=drop"]) == 0
    assert "1 open part left out" in capsys.readouterr().out
    assert main([str(folder), "--limit", "1", "--seconds", "0"]) == 1
    assert "4 files: 4 too slow" in capsys.readouterr().out


def test_files_of_other_kinds_and_large_ones_are_not_read(folder: Path) -> None:
    assert [file.name for file in find_files(folder, 1)] == [
        "broken.ply",
        "capless.stl",
        "ground.stl",
        "whole.ply",
    ]
    assert "large.obj" in {file.name for file in find_files(folder, 4)}
