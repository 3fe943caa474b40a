"""How far a mesh is from its source: known distances come out, in the user's units."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from creased.shapes import ShapeError
from creased.shapes.error_report import error_report, format_errors, source_of_run


@pytest.mark.parametrize("place", [0.0, 1e5])
def test_two_boxes_are_as_far_apart_as_they_are(place: float) -> None:
    inner = trimesh.creation.box((100.0, 100.0, 100.0))
    outer = trimesh.creation.box((104.0, 104.0, 104.0))
    for mesh in (inner, outer):
        mesh.apply_translation([place, 0, 0])
    found = error_report(outer.vertices, outer.faces, inner, "box", n=4000)
    assert found["source_longest_side"] == pytest.approx(100)
    assert found["from_source"]["mean"] == pytest.approx(2, abs=1e-3)
    assert found["from_source"]["rms"] == pytest.approx(2, abs=1e-3)
    assert 2 < found["to_source"]["rms"] < found["to_source"]["max"] <= 2 * 3**0.5 + 1e-3
    assert found["to_source"]["mean"] < found["to_source"]["rms"]
    assert found["normal_consistency"] > 0.95
    assert "against box (longest side 100): to it mean 2.0" in format_errors(found)


def test_a_surface_is_no_distance_from_itself() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=3)
    found = error_report(sphere.vertices, sphere.faces, sphere, "sphere", n=2000)
    assert found["to_source"]["max"] < 1e-6
    assert found["from_source"]["max"] < 1e-6


def test_what_a_run_was_trained_on_is_found(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    torus = "{name: torus, path: null, source: {_target_: creased.shapes.torus, minor: 0.3}}"
    config.write_text(f"shape: {torus}\n")
    source, name = source_of_run(tmp_path)
    assert name == "torus"
    assert np.ptp(source().vertices[:, 2]) == pytest.approx(0.6)
    trimesh.creation.box().export(tmp_path / "scan.stl")
    config.write_text(f"shape: {{name: torus, path: {tmp_path}/scan.stl, source: null}}\n")
    source, name = source_of_run(tmp_path)
    assert name == "scan.stl"
    assert source().volume == pytest.approx(1)


@pytest.mark.parametrize(
    "text",
    ["shape: {name: x, path: null, source: {_target_: os.system, command: touch x}}", "a: [", "[]", ""],
)
def test_no_other_name_in_a_file_is_called(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ShapeError, match="--against FILE"):
        source_of_run(tmp_path)


def test_a_file_is_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="needs a run folder"):
        source_of_run(tmp_path / "last.ckpt")
