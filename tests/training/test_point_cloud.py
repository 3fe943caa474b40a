"""A run on points: trained, extracted, measured as points, and resumed by their hash."""

from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from creased.io.checkpoint import read_record
from creased.training.run import run
from creased.training.runs.folders import hash_of_shape
from tests.training.conftest import TINY, Compose

GRID = ("model=grid", "model.levels=[4,8]", "model.width=4")


def test_a_run_on_points_is_measured_as_points(configured: Compose, tmp_path: Path, capsys: Any) -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=30)  # mm
    np.savetxt(tmp_path / "ball.xyz", np.concatenate([ball.vertices, ball.vertex_normals], axis=1))
    given = (f"shape.path={tmp_path / 'ball.xyz'}", "shape.units=mm", "data.n_batches=200")
    metrics = run(configured("ball", *TINY, *GRID, *given))
    assert metrics["shape"] == "ball"
    assert metrics["licence"] == metrics["credit"] == ""
    assert metrics["points"]["n"] == len(ball.vertices)
    assert metrics["points"]["points_to_mesh"]["max"] < 4
    assert metrics["normal_agreement"] > 0.9
    assert metrics["thinness"] is None
    assert not {"iou", "differences", "comparison", "repair"} & metrics.keys()
    said = capsys.readouterr().out
    assert "made of points" in said
    assert "│ IoU" not in said
    assert "mean, in mm" in said
    last = tmp_path / "ball" / "checkpoints" / "last.ckpt"
    record = read_record(last)
    assert record.to_domain.unit == "millimeter"
    assert record.sha256 == metrics["shape_sha256"]
    assert hash_of_shape(tmp_path / "ball") == record.sha256
    (tmp_path / "ball" / "config.yaml").unlink()
    assert hash_of_shape(tmp_path / "ball") == record.sha256
