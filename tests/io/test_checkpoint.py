"""Checkpoints are believed only as far as they can be checked, and nothing in them is run."""

import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
import trimesh

import creased
from creased.cli.main import main
from creased.io.checkpoint import KEY, CheckpointError, Record, read_record, write_record
from creased.io.similarity import Similarity
from creased.meshes.import_open3d import import_open3d


def _values() -> dict[str, Any]:
    torch.manual_seed(0)
    network = creased.MLP(3, 8, 2)
    with torch.no_grad():
        network[-1].bias -= network(torch.zeros(1, 3))[0]
    program = creased.lower(network).detach()
    return write_record(Record(program, creased.Box.cube(3, 0.5), Similarity.identity(), "ball", 3))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "last.ckpt"
    torch.save({KEY: _values()}, path)
    return path


def test_a_record_comes_back_as_it_was(checkpoint: Path) -> None:
    record = read_record(checkpoint)
    assert (record.shape, record.epoch, record.program.widths) == ("ball", 3, (8, 8))
    torch.testing.assert_close(record.program(torch.zeros(1, 3)), torch.zeros(1, 1))


@pytest.mark.parametrize("ending", ["ply", "obj", "stl", "glb"])
def test_extract_writes_every_format(checkpoint: Path, tmp_path: Path, ending: str, capsys: Any) -> None:
    assert main(["extract", str(checkpoint), "--out", str(tmp_path / f"mesh.{ending}")]) == 0
    assert (tmp_path / f"mesh.{ending}").stat().st_size > 100
    assert "polygons" in capsys.readouterr().out


def test_the_method_and_a_proof_are_asked_for_on_the_command_line(
    checkpoint: Path, tmp_path: Path, capsys: Any
) -> None:
    out = ["--out", str(tmp_path / "mesh.ply")]
    assert main(["extract", str(checkpoint), *out]) == 0
    assert "subdivided, as there are only 16 neurons" in capsys.readouterr().out
    assert main(["extract", str(checkpoint), *out, "--method", "march", "--complete"]) == 0
    assert "complete in the domain: every cell was walked" in capsys.readouterr().out
    assert main(["extract", str(checkpoint), *out, "--method", "march", "--memory", "1e-6"]) == 0
    assert "not complete: stopped at" in capsys.readouterr().out


def test_draw_takes_the_domain_of_the_training(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    out = ["--out", str(tmp_path / "complex.png")]
    assert main(["draw", str(checkpoint), "--across", "x", "--at", "0.5", *out]) == 0
    assert "activation cells in x = 0.5" in capsys.readouterr().out
    assert main(["draw", str(checkpoint), "--across", "x", "--at", "0.51", *out]) == 1
    assert "from -0.5 to 0.5 along x, got 0.51" in capsys.readouterr().err


def test_info_says_what_there_is(checkpoint: Path, capsys: Any) -> None:
    assert main(["info", str(checkpoint)]) == 0
    said = capsys.readouterr().out
    assert "ball, 3 epochs" in said
    assert "(8, 8)" in said


def test_count_prints_counts_and_bounds(checkpoint: Path, capsys: Any) -> None:
    assert main(["count", str(checkpoint)]) == 0
    exact = capsys.readouterr().out
    assert "exact: enumerated in integers" in exact
    assert "Montufar 2017" in exact
    assert main(["count", str(checkpoint), "--method", "engine", "--half-width", "0.5"]) == 0
    engine = capsys.readouterr().out
    assert exact.split("linear regions")[1].split()[0] == engine.split("linear regions")[1].split()[0]


def test_compress_writes_a_checkpoint_of_the_same_function(
    checkpoint: Path, tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "small.ckpt"
    assert main(["compress", str(checkpoint), "--out", str(out), "--half-width", "0.1"]) == 0
    assert "stable units" in capsys.readouterr().out
    before, after = read_record(checkpoint), read_record(out)
    assert after.domain == creased.Box.cube(3, 0.1)
    assert sum(after.program.widths) < 16
    points = torch.rand(100, 3) * 0.2 - 0.1
    torch.testing.assert_close(after.program(points), before.program(points), rtol=0, atol=1e-5)
    assert main(["extract", str(out), "--out", str(tmp_path / "mesh.ply")]) == 0


def _fail(path: Path, capsys: Any) -> str:
    assert main(["info", str(path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("creased: ")
    assert "Traceback" not in said
    return said


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("bomb-went-off"),)


def test_code_in_a_checkpoint_is_not_run(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({KEY: _Bomb()}, tmp_path / "bomb.ckpt")
    (tmp_path / "plain.ckpt").write_bytes(pickle.dumps(_Bomb()))
    assert "could run code" in _fail(tmp_path / "bomb.ckpt", capsys)
    _fail(tmp_path / "plain.ckpt", capsys)
    assert not (tmp_path / "bomb-went-off").exists()


def test_files_that_are_no_checkpoints_are_refused(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    whole = checkpoint.read_bytes()
    for name, content in {
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "stl": b"solid x\nendsolid x\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        assert name in _fail(tmp_path / name, capsys)
    torch.save({"state_dict": {}}, tmp_path / "foreign.ckpt")
    assert "no record of creased" in _fail(tmp_path / "foreign.ckpt", capsys)
    assert "there is no checkpoint" in _fail(tmp_path / "nowhere.ckpt", capsys)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("head", "weight"), torch.ones(1, 5)),
        (("head", "weight"), "x"),
        (("head", "weight"), torch.ones(1, 8, dtype=torch.int64)),
        (("domain", "lower"), [0.0]),
        (("to_domain", "scale"), 0.0),
        (("to_domain", "centre"), [0.0, float("nan"), 0.0]),
        (("epoch",), "many"),
    ],
)
def test_damaged_records_are_refused(tmp_path: Path, place: tuple[str, ...], value: Any, capsys: Any) -> None:
    values = _values()
    entry = values
    for name in place[:-1]:
        entry = entry[name]
    entry[place[-1]] = value
    torch.save({KEY: values}, tmp_path / "last.ckpt")
    assert "damaged" in _fail(tmp_path / "last.ckpt", capsys)


def test_nan_weights_are_named_with_what_to_do(tmp_path: Path) -> None:
    values = _values()
    values["blocks"][0]["weight"][0, 0] = float("nan")
    torch.save({KEY: values}, tmp_path / "last.ckpt")
    with pytest.raises(CheckpointError, match=r"NaN or infinity.*earlier checkpoint"):
        read_record(tmp_path / "last.ckpt")


def test_an_unknown_ending_is_refused_before_any_work(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    assert main(["extract", str(checkpoint), "--out", str(tmp_path / "mesh.xyz")]) == 1
    assert "give it one of the endings" in capsys.readouterr().err
    assert main(["extract", str(checkpoint), "--out", str(tmp_path / "mesh.vtu")]) == 1
    assert ".vtu is of bodies, see creased parts" in capsys.readouterr().err
    assert main(["parts", str(checkpoint), "--out", str(tmp_path / "mesh.xyz")]) == 1
    assert "endings .obj, .glb, .xml, .urdf; tetrahedra are .vtu, .msh" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "option", "name"),
    [
        ("extract", "--out", "mesh.ply"),
        ("parts", "--out", "parts.glb"),
        ("compress", "--out", "small.ckpt"),
        ("draw", "--out", "plane.png"),
        ("topology", "--json", "numbers.json"),
        ("eval", "--json", "metrics.json"),
    ],
)
def test_a_place_that_cannot_be_is_refused_before_any_work(
    command: str, option: str, name: str, checkpoint: Path, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / name).mkdir()
    for path, reason in ((checkpoint / name, f"{checkpoint} is a file"), (tmp_path / name, "it is a folder")):
        assert main([command, str(checkpoint), option, str(path)]) == 1
        assert capsys.readouterr() == ("", f"creased: cannot write {path}: {reason}\n")


def test_extract_caps_or_refuses_what_the_walls_cut(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    command = ["extract", str(checkpoint), "--out", str(tmp_path / "mesh.stl"), "--half-width", "0.2"]
    assert main([*command, "--boundary", "error"]) == 1
    assert "walls cut the surface at" in capsys.readouterr().err
    assert main([*command, "--boundary", "cap"]) == 0
    assert trimesh.load(tmp_path / "mesh.stl").is_watertight


def test_extract_writes_what_is_known_beside_the_mesh(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "mesh.ply"
    assert main(["extract", str(checkpoint), "--out", str(out), "--triangles", "--check"]) == 0
    said = capsys.readouterr().out
    known = json.loads((tmp_path / "mesh.ply.json").read_text())
    assert known["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert known["check"]["precision"] == "float64"
    assert f"{known['check']['n_triangles']:,} triangles" in said
    assert known["audit"]["n_polygons"] == known["check"]["n_triangles"]
    assert known["level_set_audit"]["n_polygons"] < known["check"]["n_triangles"]
    assert f"element face {known['check']['n_triangles']}\n" in out.read_text()
    assert known["to_domain"] == {"centre": [0, 0, 0], "scale": 1, "formula": "(x - centre) * scale"}


def test_a_decimated_mesh_is_said_to_be_no_longer_exact(
    checkpoint: Path, tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "mesh.ply"
    with pytest.raises(SystemExit):
        main(["extract", str(checkpoint), "--out", str(out), "--decimate", "3"])
    assert "--decimate: a closed mesh has at least 4 triangles, got 3" in capsys.readouterr().err
    if import_open3d() is None:
        pytest.skip("open3d cannot be imported here")
    assert main(["extract", str(checkpoint), "--out", str(out), "--decimate", "30"]) == 0
    assert "no longer exact" in capsys.readouterr().out
    assert json.loads((tmp_path / "mesh.ply.json").read_text())["is_exact"] is False
    assert len(trimesh.load(out).faces) <= 30
