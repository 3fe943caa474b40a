"""`creased eval RUN`: the metrics of a run once more, or against another shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import trimesh
from torch import nn

import creased
from creased.cli.main import main
from creased.io.checkpoint import KEY, Record, write_record
from creased.io.runs import LAST
from creased.io.similarity import Similarity
from tests.training.conftest import Finished

pytestmark = pytest.mark.usefixtures("few_points")


def _evaluated(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    capsys.readouterr()
    assert main(["eval", *words, "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_has_its_own_metrics_again(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    folder, metrics = finished
    for path in (folder, folder / LAST):
        found = _evaluated(capsys, str(path))
        for name in (
            "iou",
            "surface_error_mean",
            "chamfer_l1_mean",
            "n_polygons",
            "shape",
            "shape_sha256",
            "epochs",
        ):
            assert found[name] == metrics[name], name


def test_another_shape_is_compared_where_the_user_has_it(
    finished: Finished,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A sphere of radius 1 against one of radius 1/2: normalised alike, but not the same."""
    folder, metrics = finished
    for radius, least, most in ((1.0, 0.0, 0.05), (0.5, 0.4, 0.6)):
        trimesh.creation.icosphere(subdivisions=4, radius=radius).export(tmp_path / "ball.stl")
        found = _evaluated(capsys, str(folder), "--shape", str(tmp_path / "ball.stl"))
        compared = found["comparison"]["to_reference"]["mean"]  # type: ignore[index]
        assert least <= compared <= most
    assert _evaluated(capsys, str(folder), "--shape", "torus")["iou"] < metrics["iou"]  # type: ignore[operator]


def test_the_table_and_the_json_are_both_there(
    finished: Finished,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, metrics = finished
    assert main(["eval", str(folder), "--certify", "--json", str(tmp_path / "m.json")]) == 0
    assert f"{metrics['n_polygons']:,}" in capsys.readouterr().out
    assert json.loads((tmp_path / "m.json").read_text())["certificate"] == metrics["certificate"]


def test_what_cannot_be_measured_is_said_in_a_line(
    finished: Finished,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, _ = finished
    (tmp_path / "lone.ckpt").write_bytes((folder / LAST).read_bytes())
    for words, part in (
        ([str(tmp_path / "lone.ckpt")], "give a file"),
        ([str(folder), "--shape", "nowhere.stl"], "nowhere.stl"),
        ([str(tmp_path)], "no checkpoint"),
    ):
        capsys.readouterr()
        assert main(["eval", *words]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert part in line


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (
            lambda: creased.GridMLP(3, levels=(2,), width=3),
            "a further level in model.levels, or more data.n_samples",
        ),
        (lambda: creased.MLP(3, 4, 1), "model=grid, or more data.n_samples"),
    ],
)
def test_advice_is_for_the_kind_of_network_that_the_checkpoint_holds(
    make: Callable[[], nn.Module], advice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    network = make()
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    record = Record(creased.lower(network).detach(), creased.Box.cube(3, 0.5), Similarity.identity(), "x", 1)
    torch.save({KEY: write_record(record)}, tmp_path / "x.ckpt")
    found = _evaluated(capsys, str(tmp_path / "x.ckpt"), "--shape", "sphere")
    assert str(found["advice"]).endswith(advice)
