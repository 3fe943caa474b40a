"""`creased check` and `creased compare`: what is wrong with a mesh, how two differ, and the exit status."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

import creased
from creased.cli.main import main
from creased.cli.parser import NAMES
from creased.io.export import write_mesh
from creased.io.metadata import Written, write_metadata
from creased.io.similarity import Similarity
from creased.meshes.import_open3d import import_open3d
from creased.meshes.mesh_audit import audit_mesh
from creased.meshes.polygon_mesh import PolygonMesh
from creased.shapes.sources.of_run import NAMED

BOX = trimesh.creation.box((10, 6, 4))


def written(mesh: trimesh.Trimesh, path: Path) -> str:
    mesh.export(path)
    return str(path)


def test_a_solid_is_one(tmp_path: Path, capsys: Any) -> None:
    ring = written(trimesh.creation.annulus(r_min=3, r_max=5, height=2, sections=16), tmp_path / "ring.stl")
    assert main(["check", ring]) == 0
    first, counts, sizes, *_ = capsys.readouterr().out.splitlines()
    assert first == f"{ring}: a solid"
    assert "closed, oriented, manifold; 1 component(s), Euler characteristic 0" in counts
    assert "10 x 10 x 2, area " in sizes
    assert sizes.endswith(", walls from 1.96")


def fault(name: str) -> trimesh.Trimesh:
    """A box with a hole, a turned face, inside out, with another on one edge, or a sheet of no volume."""
    mesh = BOX.copy()
    if name == "hole":
        mesh.update_faces(np.arange(12) > 0)
    elif name == "turned":
        mesh.faces[0] = mesh.faces[0][::-1]
    elif name == "inside out":
        mesh.invert()
    elif name == "edge":
        mesh = trimesh.util.concatenate([mesh, mesh.copy().apply_translation([10, 6, 0])])
    return mesh


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hole", "open (3 boundary edges)"),
        ("turned", "3 misoriented edges"),
        ("inside out", "inside out"),
        ("edge", "not closed, not manifold"),
    ],
)
def test_what_keeps_a_mesh_from_being_a_solid_is_said(
    name: str, words: str, tmp_path: Path, capsys: Any
) -> None:
    path = written(fault(name), tmp_path / "box.ply")
    assert main(["check", path]) == 1
    assert capsys.readouterr().out.startswith(f"{path}: not a solid: {words}")


def test_solids_that_overlap_cross_each_other(tmp_path: Path, capsys: Any) -> None:
    if import_open3d() is None:
        pytest.skip("open3d cannot be imported here")
    crossed = trimesh.util.concatenate([BOX, trimesh.creation.box((4, 10, 2))])
    assert main(["check", written(crossed, tmp_path / "crossed.obj")]) == 1
    assert "not a solid: crosses itself" in capsys.readouterr().out


def test_one_file_that_is_no_solid_or_no_mesh_decides_the_status(tmp_path: Path, capsys: Any) -> None:
    good, text = written(BOX, tmp_path / "good.stl"), tmp_path / "text.stl"
    text.write_text("hello")
    assert main(["check", str(tmp_path / "nowhere.stl"), str(text), good]) == 1
    said = capsys.readouterr()
    assert said.out.startswith(f"{good}: a solid")
    nowhere, damaged = said.err.splitlines()
    assert nowhere == f"creased: there is no file {tmp_path}/nowhere.stl"
    assert damaged.startswith("creased: ")
    assert str(text) in damaged


def test_equal_meshes_do_not_differ_and_others_do(tmp_path: Path, capsys: Any) -> None:
    box = written(BOX, tmp_path / "box.stl")
    same = written(BOX.subdivide(), tmp_path / "same.ply")
    larger = written(trimesh.creation.box((10.4, 6, 4)), tmp_path / "larger.obj")
    assert main(["compare", same, box]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "no difference within 0.1"
    assert main(["compare", larger, box]) == 1
    said = capsys.readouterr().out
    assert "closed, 1 component(s), Euler characteristic 2; 10.4 x 6 x 4, area 256" in said
    assert " is up to 0.2 from the " in said
    assert main(["compare", larger, box, "--within", "0.21"]) == 0


def test_the_mesh_of_a_run_is_compared_and_drawn(tmp_path: Path, capsys: Any) -> None:
    written(BOX, tmp_path / "mesh.ply")
    two = trimesh.util.concatenate([BOX, trimesh.creation.icosphere(radius=1).apply_translation((8, 0, 0))])
    picture = tmp_path / "error.png"
    arguments = ["compare", str(tmp_path), written(two, tmp_path / "two.stl"), "--out", str(picture)]
    assert main([*arguments, "--up", "y", "--azimuth", "20"]) == 1
    assert "they differ: 1 component where the shape has 2" in capsys.readouterr().out
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize("length", ["0", "-1", "near", "0mm", "1 parsec"])
def test_a_tolerance_is_a_length(length: str, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(["compare", "a.ply", "b.ply", f"--within={length}"])
    said = capsys.readouterr().err
    assert "argument --within" in said
    assert "got" in said
    assert length.split()[-1] in said


def in_inches(path: Path, *, larger: float = 0.0) -> str:
    """The box of 10 x 6 x 4 inches, or one that is longer."""
    mesh = trimesh.creation.box((10 + larger, 6, 4))
    write_mesh(PolygonMesh.of_triangles(mesh.vertices, mesh.faces), path, "inch")
    return str(path)


def test_lengths_have_their_unit_where_the_file_states_it(tmp_path: Path, capsys: Any) -> None:
    box, other = in_inches(tmp_path / "box.3mf"), in_inches(tmp_path / "other.3mf", larger=0.4)
    assert main(["check", box]) == 0
    said = capsys.readouterr().out
    assert "10 x 6 x 4 in, area 248 in^2, volume 240 in^3, walls from" in said
    assert main(["compare", other, box]) == 1
    first, second, distances, differs = capsys.readouterr().out.splitlines()
    assert first.endswith("10.4 x 6 x 4 in, area 256 in^2, volume 249.6 in^3")
    assert second.endswith("10 x 6 x 4 in, area 248 in^2, volume 240 in^3")
    assert "(longest side 10 in)" in distances
    assert "max 0.2 in; from it mean" in distances
    assert "is up to 0.2 in from the" in differs


@pytest.mark.parametrize(("within", "status"), [("5mm", 1), ("5.2mm", 0), ("0.19", 1), ("0.21 in", 0)])
def test_a_tolerance_is_in_the_unit_it_names(within: str, status: int, tmp_path: Path, capsys: Any) -> None:
    box, other = in_inches(tmp_path / "box.3mf"), in_inches(tmp_path / "other.3mf", larger=0.4)
    assert main(["compare", other, box, "--within", within]) == status
    assert ("no difference within 0.2" in capsys.readouterr().out) == (status == 0)


def test_shapes_that_need_no_file_go_by_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    torus = NAMED["torus"]()
    assert main(["compare", written(torus, tmp_path / "ring.ply"), "torus"]) == 0
    assert "torus: closed, 1 component(s), Euler characteristic 0; 2.8 x 2.8 x 0.8" in capsys.readouterr().out
    assert main(["compare", "sphere", "torus"]) == 1
    assert main(["check", "box"]) == 0
    BOX.export(tmp_path / "part.stl")
    (tmp_path / "part.stl").rename(tmp_path / "torus")  # what exists goes before names
    assert main(["check", "torus"]) == 1
    assert "has no ending" in capsys.readouterr().err


def test_the_names_that_the_help_lists_are_those_of_the_shapes() -> None:
    assert set(NAMES.replace(" or ", ", ").split(", ")) == set(NAMED)


def test_a_tolerance_with_a_unit_needs_files_in_one(tmp_path: Path, capsys: Any) -> None:
    box = written(BOX, tmp_path / "box.stl")
    assert main(["compare", box, box, "--within", "1mm"]) == 1
    assert "--within: neither mesh states its unit" in capsys.readouterr().err


def test_a_unit_that_only_one_of_two_states_is_said(tmp_path: Path, capsys: Any) -> None:
    surface = creased.extract_level_set(creased.MLP(3, 8, 2).double(), creased.Box.cube(3, 1.0), 0.0)
    mesh = PolygonMesh.of_triangles(BOX.vertices, BOX.faces)
    write_mesh(mesh, tmp_path / "mesh.ply")
    to_domain = Similarity((0.0, 0.0, 0.0), 0.1, "inch")
    write_metadata(Written(tmp_path / "mesh.ply", surface, audit_mesh(mesh), to_domain, "open"))
    box = written(BOX, tmp_path / "box.stl")
    write_mesh(PolygonMesh(25.4 * mesh.vertices, mesh.polygons), tmp_path / "box.3mf", "millimeter")
    assert main(["compare", str(tmp_path), str(tmp_path / "box.3mf")]) == 0  # the unit beside mesh.ply counts
    assert "note" not in capsys.readouterr().out
    assert main(["compare", str(tmp_path), box]) == 0
    assert f"is in in, the unit of {box} is not known" in capsys.readouterr().out
    written(BOX, tmp_path / "mesh.ply")  # another file: the metadata are not of it
    main(["compare", str(tmp_path), box])
    assert "note" not in capsys.readouterr().out


def test_without_open3d_no_mesh_is_known_to_be_a_solid(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("creased.cli.meshes.self_intersections", lambda mesh: None)
    assert main(["check", written(BOX, tmp_path / "box.stl")]) == 1
    assert "not known to be a solid" in capsys.readouterr().out


def test_folders_and_points_are_no_meshes_and_named(tmp_path: Path, capsys: Any) -> None:
    point = tmp_path / "point.obj"
    point.write_text("v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n")
    assert main(["check", str(tmp_path), str(point)]) == 1
    folder, one = capsys.readouterr().err.splitlines()
    assert folder.startswith(f"creased: {tmp_path} is a folder without a mesh.ply")
    assert one == f"creased: {point} has all its vertices in one point"


def test_a_picture_that_cannot_be_written_is_refused_before_any_work(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("creased.render.images.find_spec", lambda name: None)
    box = written(BOX, tmp_path / "box.stl")
    assert main(["compare", box, box, "--out", str(tmp_path / "error.png")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "pillow" in said.err
    assert main(["compare", box, box]) == 0


def test_the_picture_of_a_comparison_is_png(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(["compare", "a.ply", "b.ply", "--out", "error.jpg"])
    assert "the picture is a .png, got error.jpg" in capsys.readouterr().err
