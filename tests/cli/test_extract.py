"""`creased extract`: what is printed and what stands beside the mesh is of the mesh as it was written."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
import trimesh

import creased
from creased.cli.main import main
from creased.io.checkpoint import KEY, Record, write_record
from creased.io.similarity import Similarity
from creased.meshes.import_open3d import import_open3d
from creased.networks import lower_with_last

TO_DOMAIN = Similarity((10.0, 0.0, 0.0), 0.1)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = creased.MLP(3, 8, 2)
    with torch.no_grad():
        network[-1].bias -= network(torch.zeros(1, 3))[0]
    record = Record(creased.lower(network).detach(), creased.Box.cube(3, 0.5), TO_DOMAIN, "ball", 3)
    torch.save({KEY: write_record(record)}, tmp_path / "last.ckpt")
    return tmp_path / "last.ckpt"


def test_the_audit_is_of_the_capped_mesh(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "mesh.ply"
    assert main(["extract", str(checkpoint), "--out", str(out)]) == 0
    assert ": open (" not in (said := capsys.readouterr().out).splitlines()[0]
    assert said.startswith("expects about ")
    assert "max |f - level| at its vertices" in said
    cut = json.loads((tmp_path / "mesh.ply.json").read_text())
    assert main(["extract", str(checkpoint), "--out", str(out), "--boundary", "cap"]) == 0
    line = capsys.readouterr().out.splitlines()[1]
    known = json.loads((tmp_path / "mesh.ply.json").read_text())
    found = trimesh.load(out)
    assert line.startswith(f"{out} (capped along the walls): {known['audit']['n_polygons']:,} polygons")
    assert "closed, oriented" in line
    assert known["boundary"] == "cap"
    assert known["audit"]["n_vertices"] == len(found.vertices)
    assert known["audit"]["volume"] == pytest.approx(found.volume)
    assert known["audit"]["is_closed"]
    assert not cut["audit"]["is_closed"]
    assert known["level_set_audit"] == cut["level_set_audit"]


def test_two_meshes_of_one_name_have_metadata_each(checkpoint: Path, tmp_path: Path) -> None:
    for ending in ("ply", "glb"):
        assert main(["extract", str(checkpoint), "--out", str(tmp_path / f"mesh.{ending}")]) == 0
    for ending in ("ply", "glb"):
        assert json.loads((tmp_path / f"mesh.{ending}.json").read_text())["file"] == f"mesh.{ending}"


def test_the_audit_of_a_decimated_mesh_is_its_own(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    if import_open3d() is None:
        pytest.skip("open3d cannot be imported here")
    out = tmp_path / "mesh.obj"
    command = ["extract", str(checkpoint), "--out", str(out), "--boundary", "cap", "--decimate", "40"]
    assert main(command) == 0
    assert "(capped along the walls, decimated, no longer exact): " in capsys.readouterr().out
    known = json.loads((tmp_path / "mesh.obj.json").read_text())
    assert known["audit"]["n_polygons"] == len(trimesh.load(out).faces) <= 40
    assert not known["is_exact"]


def test_a_unit_is_written_where_the_format_has_one(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "mesh.3mf"
    assert main(["extract", str(checkpoint), "--out", str(out), "--unit", "inch"]) == 0
    with zipfile.ZipFile(out) as archive:
        assert b'unit="inch"' in archive.read("3D/3dmodel.model")
    assert json.loads((tmp_path / "mesh.3mf.json").read_text())["units"] == "inch"
    capsys.readouterr()
    assert main(["extract", str(checkpoint), "--out", str(tmp_path / "mesh.ply"), "--unit", "inch"]) == 1
    assert "3mf" in capsys.readouterr().err
    assert not (tmp_path / "mesh.ply").exists()


@pytest.fixture
def half_space(tmp_path: Path) -> Path:
    """A checkpoint of the signed distance to the plane x = 0 of the domain, one unit of which is 50 mm."""
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, 0, 0], [-1.0, 0, 0]]))
        network[0].bias.zero_()
        network[2].weight.copy_(torch.tensor([[1.0, -1.0]]))
        network[2].bias.zero_()
    to_domain = Similarity((10.0, 0.0, 0.0), 0.02, "millimeter")
    record = Record(creased.lower(network).detach(), creased.Box.cube(3, 0.5), to_domain, "half", 1)
    torch.save({KEY: write_record(record)}, tmp_path / "half.ckpt")
    return tmp_path / "half.ckpt"


@pytest.mark.parametrize(("offset", "x"), [("2", 12.0), ("1cm", 20.0), ("-5000um", 5.0)])
def test_an_offset_is_in_the_users_units_or_its_own(
    half_space: Path, tmp_path: Path, offset: str, x: float
) -> None:
    out = tmp_path / "mesh.ply"
    assert main(["extract", str(half_space), "--out", str(out), f"--offset={offset}"]) == 0
    assert trimesh.load(out).vertices[:, 0] == pytest.approx(x)
    assert json.loads((tmp_path / "mesh.ply.json").read_text())["units"] == "millimeter"


def test_a_known_unit_is_converted(half_space: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "mesh.stl"
    given = ["extract", str(half_space), "--out", str(out), "--unit", "cm", "--offset", "2"]
    assert main(given) == 0  # the plain number is in the unit that is asked for
    assert trimesh.load(out).vertices[:, 0] == pytest.approx(3.0)
    source = trimesh.creation.box(bounds=[[-15, -25, -25], [30, 25, 25]])
    source.export(tmp_path / "source.ply")
    capsys.readouterr()
    assert main([*given, "--against", str(tmp_path / "source.ply")]) == 0
    errors = json.loads((tmp_path / "mesh.stl.json").read_text())["errors"]
    assert errors["to_reference"]["max"] < 1e-4  # the plane at 30 mm is a side of the box, in millimetres


def test_an_offset_in_a_unit_needs_to_know_the_coordinates(
    checkpoint: Path, tmp_path: Path, capsys: Any
) -> None:
    given = ["extract", str(checkpoint), "--out", str(tmp_path / "mesh.ply"), "--offset", "1um"]
    assert main(given) == 1
    assert "--unit" in capsys.readouterr().err
    assert main([*given, "--unit", "mm"]) == 0


@pytest.mark.parametrize("coordinates", ["user", "domain"])
def test_distances_to_a_source_are_in_the_users_units(
    checkpoint: Path, tmp_path: Path, capsys: Any, coordinates: str
) -> None:
    assert main(["extract", str(checkpoint), "--out", str(tmp_path / "scan.ply"), "--triangles"]) == 0
    scan = trimesh.load(tmp_path / "scan.ply")
    scan.apply_translation([0, 0, 0.5])
    scan.export(tmp_path / "scan.obj")
    capsys.readouterr()
    command = ["extract", str(checkpoint), "--out", str(tmp_path / "mesh.ply"), "--coordinates", coordinates]
    assert main([*command, "--against", str(tmp_path / "scan.obj")]) == 0
    assert "against scan.obj (longest side " in capsys.readouterr().out
    errors = json.loads((tmp_path / "mesh.ply.json").read_text())["errors"]
    found = errors["to_reference"]
    assert 0 < found["mean"] <= found["rms"] <= found["p99"] <= found["max"] < 0.51
    assert errors["from_reference"]["max"] < 0.51


def test_a_missing_source_is_refused_before_any_work(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "mesh.ply"
    assert main(["extract", str(checkpoint), "--out", str(out), "--against", "nowhere.obj"]) == 1
    said = capsys.readouterr()
    assert "--against: there is no file nowhere.obj" in said.err
    assert main(["extract", str(checkpoint), "--out", str(out), "--against", "shape"]) == 1
    assert "needs a run folder" in capsys.readouterr().err
    assert said.out == ""
    assert not out.exists()


def test_what_was_found_is_certified(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    assert main(["extract", str(checkpoint), "--out", str(tmp_path / "mesh.ply"), "--certify"]) == 0
    known = json.loads((tmp_path / "mesh.ply.json").read_text())["certificate"]
    assert known["is_certified"]
    assert known["words"] in capsys.readouterr().out
    assert known["words"].startswith("level set certified: ")
    assert main(["extract", str(checkpoint), "--out", str(tmp_path / "mesh.ply")]) == 0
    assert json.loads((tmp_path / "mesh.ply.json").read_text())["certificate"] is None


def test_a_network_on_a_grid_is_certified(tmp_path: Path, capsys: Any) -> None:
    torch.manual_seed(0)
    network = creased.GridMLP(3, (2, 4), features=2, width=6)
    for table in network.grid.tables:
        torch.nn.init.normal_(table)
    program = creased.lower(network).detach()
    level = f"--level={float(program(torch.full((1, 3), 0.1)))}"
    record = Record(program, creased.Box.cube(3, 0.5), TO_DOMAIN, "grid", 3)
    torch.save({KEY: write_record(record)}, tmp_path / "grid.ckpt")
    command = ["extract", str(tmp_path / "grid.ckpt"), "--out", str(tmp_path / "mesh.ply"), level]
    for options in (["--certify"], ["--certify", "--exact"], ["--certify", "--dtype", "float32"]):
        assert main([*command, *options]) == 0
        assert "nothing is missed" in capsys.readouterr().out
        assert json.loads((tmp_path / "mesh.ply.json").read_text())["certificate"]["is_certified"]


@pytest.fixture
def degenerate(tmp_path: Path) -> Path:
    """|x| + |y| + |z| - 1/2: three pairs of opposite neurons, all of which meet in the corners."""
    rows = torch.cat([torch.eye(3), -torch.eye(3)]).double()
    block = creased.Block(creased.Affine(rows, torch.zeros(6).double()))
    head = creased.Affine(torch.ones((1, 6)).double(), torch.tensor([-0.5]).double())
    record = Record(creased.Program((block,), head), creased.Box.cube(3, 1.0), TO_DOMAIN, "octahedron", 3)
    torch.save({KEY: write_record(record)}, tmp_path / "octahedron.ckpt")
    return tmp_path / "octahedron.ckpt"


def test_degenerate_creases_are_contracted_or_refused(degenerate: Path, tmp_path: Path, capsys: Any) -> None:
    command = ["extract", str(degenerate), "--out", str(tmp_path / "mesh.ply")]
    assert main([*command, "--degeneracy", "contract"]) == 0
    found = trimesh.load(tmp_path / "mesh.ply")
    assert len(found.vertices) == 6
    assert found.is_watertight
    capsys.readouterr()
    assert main([*command, "--degeneracy", "error"]) == 1
    assert "rows vanish" in capsys.readouterr().err
    assert main([*command, "--degeneracy", "contract", "--certify"]) == 1
    assert "--certify: " in capsys.readouterr().err
    assert main([*command, "--exact", "--certify"]) == 0
    assert "level set certified" in capsys.readouterr().out


def test_levels_of_a_file_are_those_behind_its_last_activation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(creased.MLP(3, 8, 1), torch.nn.Sigmoid()).double()
    program, last = lower_with_last(network)
    box = creased.Box.cube(3, 1.0)
    record = Record(program.detach(), box, Similarity.identity(), "ball", 3, last=last)
    path, out = tmp_path / "c.ckpt", tmp_path / "mesh.ply"
    torch.save({KEY: write_record(record)}, path)
    assert main(["info", str(path)]) == 0
    assert "sigmoid(z), z the network's output" in capsys.readouterr().out
    assert main(["extract", str(path), "--out", str(out)]) == 1
    assert "level 0 is not taken" in capsys.readouterr().err
    level = float(network(torch.zeros(1, 3, dtype=torch.float64)).detach())
    assert main(["extract", str(path), "--level", str(level), "--out", str(out)]) == 0
    mesh = trimesh.load_mesh(out, process=False)
    assert len(mesh.vertices) > 3
    values = network(torch.as_tensor(mesh.vertices, dtype=torch.float64))
    torch.testing.assert_close(values, torch.full_like(values, level), rtol=1e-5, atol=1e-5)


def test_streamed_it_is_the_mesh_with_metadata(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    out, whole = tmp_path / "mesh.ply", tmp_path / "whole.ply"
    assert main(["extract", str(checkpoint), "--out", str(whole), "--method", "march"]) == 0
    capsys.readouterr()
    assert main(["extract", str(checkpoint), "--out", str(out), "--stream", "--memory", "1"]) == 0
    said = capsys.readouterr().out.splitlines()
    known, other = (json.loads(path.with_name(f"{path.name}.json").read_text()) for path in (out, whole))
    assert said[0].startswith(f"{out}: {known['audit']['n_vertices']:,} vertices, ")
    for name in ("level", "units", "to_domain", "domain", "is_exact", "is_complete"):
        assert known[name] == other[name]
    for name, value in known["audit"].items():
        assert value == other["audit"][name]
    assert trimesh.load(out).bounds == pytest.approx(trimesh.load(whole).bounds)


@pytest.mark.parametrize("option", [["--certify"], ["--method", "subdivide"], ["--boundary", "cap"]])
def test_options_of_whole_meshes_are_refused_with_stream(
    checkpoint: Path, tmp_path: Path, capsys: Any, option: list[str]
) -> None:
    assert main(["extract", str(checkpoint), "--out", str(tmp_path / "mesh.ply"), "--stream", *option]) == 1
    assert " ".join(option) in capsys.readouterr().err
