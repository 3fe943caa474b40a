"""Networks of many inputs are refused at once, or sliced; curves of two inputs are written."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import creased
from creased.cli.main import main
from creased.cli.slices import parse_slice
from creased.io.curves import CurveError


def network(dim: int) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(dim, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 1)).double()


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    module = network(5)
    with torch.no_grad():
        module[-1].bias -= module(torch.tensor([[0.0, 0.3, 0.0, 1.0, 0.0]]).double())[0]
    torch.save(module.state_dict(), tmp_path / "wide.pt")
    return tmp_path / "wide.pt"


def _obj_points(path: Path) -> Tensor:
    rows = [line.split()[1:] for line in path.read_text().splitlines() if line.startswith("v ")]
    return torch.tensor([[float(x) for x in row] for row in rows], dtype=torch.float64)


@pytest.mark.parametrize("command", ["extract", "draw"])
def test_many_inputs_are_refused_at_once(
    wide: Path, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("creased.cli.extract.extract_level_set", None)
    assert main([command, str(wide), "--half-width", "1", "--out", str(wide.with_suffix(".svg"))]) == 1
    said = capsys.readouterr().err
    assert "two or three inputs, got 5" in said
    assert "--slice" in said


def test_view_takes_the_options_of_files_and_slices(
    wide: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = pytest.importorskip("creased.cli.view")
    shown = []

    class Page:
        def __init__(self, shots: list, *_: object) -> None:
            shown.append(shots[-1].scene)
            raise KeyboardInterrupt

    monkeypatch.setattr(view, "Page", Page)
    arguments = ["view", str(wide), "--half-width", "1", "--slope", "0.1"]
    assert main(arguments) == 1
    assert "two or three inputs, got 5" in capsys.readouterr().err
    assert main([*arguments, "--slice", "0,2,4 at 0,0.3,0,1,0"]) == 0
    (scene,) = shown
    program = creased.load_program(wide, slope=0.1)
    lifted = torch.zeros(len(scene.vertices), 5).double()
    lifted[:, [0, 2, 4]] = torch.from_numpy(scene.vertices).double()
    lifted[:, 1], lifted[:, 3] = 0.3, 1.0
    assert len(lifted) > 3
    torch.testing.assert_close(program(lifted), torch.zeros_like(lifted[:, :1]), atol=1e-5, rtol=0)


def test_slices_lie_on_the_level_set(wide: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = creased.load_program(wide)
    out = str(wide.with_suffix(".obj"))
    arguments = ["extract", str(wide), "--half-width", "1", "--out", out, "--slice"]
    assert main([*arguments, "0,2 at 7,0.3,7,1,0"]) == 0
    points = _obj_points(Path(out))
    assert len(points) > 1
    lifted = points.new_zeros(len(points), 5)
    lifted[:, 0], lifted[:, 2], lifted[:, 1], lifted[:, 3] = points[:, 0], points[:, 1], 0.3, 1.0
    torch.testing.assert_close(program(lifted), torch.zeros_like(points[:, :1]), atol=1e-12, rtol=0)
    assert "curves" in capsys.readouterr().out
    assert main([*arguments, "0,2,4 at 0,0.3,0,1,0"]) == 0
    points = _obj_points(Path(out))
    lifted = points.new_zeros(len(points), 5)
    lifted[:, [0, 2, 4]], lifted[:, 1], lifted[:, 3] = points, 0.3, 1.0
    torch.testing.assert_close(program(lifted), torch.zeros_like(points[:, :1]), atol=1e-12, rtol=0)


def test_a_slice_through_points_is_orthonormal(wide: Path) -> None:
    through = torch.tensor([[0.0, 0.3, 0, 1, 0], [1, 0.3, 0, 1, 0], [0, 0.3, 2, 1, 1]], dtype=torch.float64)
    text = "through " + "; ".join(",".join(f"{x:g}" for x in point) for point in through.tolist())
    out = wide.with_suffix(".obj")
    assert main(["extract", str(wide), "--half-width", "1", "--out", str(out), "--slice", text]) == 0
    part = creased.slice_through(creased.load_program(wide), *through)
    points = _obj_points(out)[:, :2]
    values = creased.load_program(wide)(part.lift(points))
    torch.testing.assert_close(values, torch.zeros_like(values), atol=1e-12, rtol=0)
    assert part.is_orthonormal


@pytest.mark.parametrize("text", ["", "a,b", "0,1,2,3", "0,1 at x", "through 0,0", "through 0,0;;1,1"])
def test_what_is_no_slice_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="slice"):
        parse_slice(text)


@pytest.mark.parametrize(
    ("text", "said"), [("0,5", "0 to 4"), ("1,1", "0 to 4"), ("0,1 at 1,2", "5 coordinates")]
)
def test_slices_of_other_inputs_are_refused(
    wide: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(wide.with_suffix(".svg"))
    assert main(["extract", str(wide), "--half-width", "1", "--out", out, "--slice", text]) == 1
    assert said in capsys.readouterr().err


def _circle_like() -> creased.LevelSet:
    """|x| + |y| = 1/2: a closed curve of four corners, inside on its left; and a line that walls cut."""
    first = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]], dtype=torch.float64)
    block = creased.Block(creased.Affine(first, torch.zeros(4, dtype=torch.float64)))
    head = creased.Affine(torch.ones(1, 4, dtype=torch.float64), torch.tensor([-0.5], dtype=torch.float64))
    return creased.extract_level_set(creased.Program((block,), head), creased.Box.cube(2, 1.0))


def test_curves_are_written_in_each_format(tmp_path: Path) -> None:
    found = _circle_like()
    for ending in (".svg", ".dxf", ".obj"):
        creased.save(found, tmp_path / f"c{ending}")
    (path,) = re.findall(r' d="([^"]*)"', (tmp_path / "c.svg").read_text())
    assert path.startswith("M ")
    assert path.endswith(" Z")
    corners = np.array([[float(x) for x in pair.split()] for pair in path[2:-2].split(" L ")])
    x, y = corners.T
    area = float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)
    assert area == pytest.approx(0.5)  # counter-clockwise, the inside on the left
    lines = (tmp_path / "c.dxf").read_text().split("\n")
    pairs = list(zip(lines[0::2], lines[1::2], strict=False))
    assert pairs[-1] == ("0", "EOF")
    assert ("70", "1") in pairs
    assert pairs.count(("0", "VERTEX")) == len(corners)
    obj = (tmp_path / "c.obj").read_text().splitlines()
    (line,) = (line.split()[1:] for line in obj if line.startswith("l "))
    assert line == [*map(str, range(1, len(corners) + 1)), "1"]


def test_open_curves_stay_open(tmp_path: Path) -> None:
    program = creased.lower(nn.Linear(2, 1).double()).detach()
    level = float(program(torch.zeros(1, 2).double()))
    creased.save(creased.extract_level_set(program, creased.Box.cube(2, 1.0), level), tmp_path / "c.svg")
    assert " Z" not in (tmp_path / "c.svg").read_text()


def test_curves_that_cannot_be_written_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CurveError, match=r"\.svg, \.dxf, \.obj"):
        creased.save(_circle_like(), tmp_path / "c.stl")
    torch.save(network(2).state_dict(), tmp_path / "flat.pt")
    torch.save(network(3).state_dict(), tmp_path / "solid.pt")
    for name, out, more, said in (
        ("flat.pt", "c.stl", [], "curves"),
        ("flat.pt", "c.svg", ["--boundary", "cap"], "--boundary: of surfaces alone"),
        ("flat.pt", "c.svg", ["--triangles"], "--triangles: of surfaces alone"),
        ("solid.pt", "c.svg", [], "endings"),
    ):
        path = str(tmp_path / name)
        assert main(["extract", path, "--half-width", "1", "--out", str(tmp_path / out), *more]) == 1
        assert said in capsys.readouterr().err


def test_options_of_onnx_files_reach_the_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    nodes = [helper.make_node("Concat", ["x", "t"], ["u"], axis=1), helper.make_node("Relu", ["u"], ["y"])]
    points = [helper.make_tensor_value_info(*entry) for entry in (("x", 1, ["n", "d"]), ("t", 1, [1, 1]))]
    graph = helper.make_graph(nodes, "g", points, [helper.make_tensor_value_info("y", 1, ["?"])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, str(tmp_path / "m.onnx"))
    path = str(tmp_path / "m.onnx")
    assert main(["info", path, "--fix", "t=0.5"]) == 1
    assert "--input-shape" in capsys.readouterr().err
    assert main(["info", path, "--fix", "t=0.5", "--input-shape", "2"]) == 0
    assert "2 inputs, hidden widths (3,), 3 output(s)" in capsys.readouterr().out
    assert main(["info", path, "--fix", "t=0.5", "--input-shape", "2", "--tensor", "u"]) == 0
    assert "2 inputs, hidden widths (), 3 output(s)" in capsys.readouterr().out
