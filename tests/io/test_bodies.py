"""Files of parts and tetrahedra are read back: objects, places, masses; none is left half written."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import torch

from creased import Box, convex_parts, save_parts, save_tetrahedra, tetrahedra
from creased.cli.main import main
from creased.decomposition import ConvexParts
from creased.io.bodies.mass import mass_of
from creased.io.export import ExportError
from creased.io.similarity import Similarity
from tests.tropical.nets import named

SHIFT = Similarity((100.0, 0.0, 0.0), 0.5, "millimeter")  # a unit of the domain is 2 mm


@pytest.fixture(scope="module")
def torus() -> ConvexParts:
    return convex_parts(named("TORUS"), Box.cube(3, 4))


def test_obj_and_glb_have_an_object_a_part(torus: ConvexParts, tmp_path: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    for ending in (".obj", ".glb"):
        path = tmp_path / f"parts{ending}"
        save_parts(torus, path, SHIFT)
        scene = trimesh.load_scene(path, **({"split_objects": True} if ending == ".obj" else {}))
        solids = scene.dump() if ending == ".glb" else list(scene.geometry.values())
        assert len(solids) == torus.n
        assert all(solid.is_watertight and solid.is_convex for solid in solids)
        assert sum(solid.volume for solid in solids) == pytest.approx(8 * torus.volume, rel=1e-5)
        assert min(solid.bounds[0][0] for solid in solids) > 90


def test_masses_of_a_cube() -> None:
    cube = convex_parts(named("CUBE"), Box.cube(3, 2))  # [-1, 1]^3
    found = mass_of(cube.moments, Similarity.identity(), 3.0)
    assert found.mass == pytest.approx(24)
    torch.testing.assert_close(found.centre, torch.zeros(3).double(), atol=1e-12, rtol=0)
    torch.testing.assert_close(found.inertia, 24 * 2 / 3 * torch.eye(3).double())


def test_masses_are_those_of_the_inside_and_not_of_its_parts(torus: ConvexParts) -> None:
    rough = convex_parts(named("TORUS"), Box.cube(3, 4), error=2)
    assert rough.overlap > 1.01
    moved = Similarity((1.0, -2.0, 0.5), 0.25)
    for exact, found in zip(*(mass_of(parts.moments, moved, 2.0) for parts in (torus, rough)), strict=True):
        torch.testing.assert_close(torch.as_tensor(found), torch.as_tensor(exact))
    by_parts = _mass_by_sampling(torus, moved, 2.0)
    assert by_parts == pytest.approx(float(mass_of(rough.moments, moved, 2.0).inertia.trace()), rel=0.02)


def _mass_by_sampling(parts: ConvexParts, to_domain: Similarity, density: float) -> float:
    """Trace of the inertia of exact parts, by a grid of points."""
    step = torch.linspace(-4, 4, 81).double()[:-1]
    points = torch.cartesian_prod(step, step, step) + torch.tensor([0.013, 0.037, 0.071])
    planes = [part.halfspaces() for part in parts.parts]
    inside = torch.stack([(points @ p[:, :-1].T + p[:, -1] <= 0).all(1) for p in planes]).any(0)
    points = to_domain.invert(points[inside])
    return float(2 * density * 1e-3 / to_domain.scale**3 * ((points - points.mean(0)) ** 2).sum())


def test_mjcf_and_urdf_are_in_metres(torus: ConvexParts, tmp_path: Path) -> None:
    save_parts(torus, tmp_path / "body.xml", SHIFT)
    model = ET.parse(tmp_path / "body.xml").getroot()
    meshes = [torch.tensor([*map(float, m.attrib["vertex"].split())]) for m in model.iter("mesh")]
    assert [len(m) // 3 for m in meshes] == [len(part.vertices) for part in torus.parts]
    assert 0.09 < float(torch.cat(meshes).reshape(-1, 3)[:, 0].min()) < 0.1
    (inertial,) = model.iter("inertial")
    assert float(inertial.attrib["mass"]) == pytest.approx(8e-9 * torus.volume * 1000)
    save_parts(torus, tmp_path / "body.urdf", SHIFT)
    robot = ET.parse(tmp_path / "body.urdf").getroot()
    files = [mesh.attrib["filename"] for mesh in robot.iter("mesh")]
    assert len(files) == 2 * torus.n
    assert all((tmp_path / name).is_file() for name in files)
    assert float(robot.find(".//mass").attrib["value"]) == pytest.approx(8e-9 * torus.volume * 1000)  # type: ignore[union-attr]


def test_a_urdf_that_fails_leaves_the_old_one(
    torus: ConvexParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_parts(torus, tmp_path / "body.urdf")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def fails(*_: object) -> str:
        raise OSError("full")

    monkeypatch.setattr("creased.io.bodies.part_files.urdf_text", fails)
    with pytest.raises(OSError, match="full"):
        save_parts(torus, tmp_path / "body.urdf", density=7)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_refusals(torus: ConvexParts, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"\.urdf"):
        save_parts(torus, tmp_path / "parts.stl")
    with pytest.raises(ExportError, match="density"):
        save_parts(torus, tmp_path / "parts.obj", density=0)
    with pytest.raises(ExportError, match="0 of 3"):
        save_parts(convex_parts(named("TORUS"), Box.cube(3, 4), -100.0), tmp_path / "parts.obj")


@pytest.mark.parametrize("ending", [".vtu", ".msh"])
def test_tetrahedra_are_read_back(ending: str, tmp_path: Path) -> None:
    meshio = pytest.importorskip("meshio")
    mesh = tetrahedra(named("OCT"), Box.cube(3, 2))
    save_tetrahedra(mesh, tmp_path / f"inside{ending}")
    found = meshio.read(tmp_path / f"inside{ending}")
    torch.testing.assert_close(torch.tensor(found.points), mesh.vertices, rtol=0, atol=0)
    assert torch.equal(torch.tensor(found.cells_dict["tetra"]).long(), mesh.simplices)


def test_the_command_writes_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layers = [torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)]
    torch.manual_seed(0)
    torch.save(torch.nn.Sequential(*layers).state_dict(), tmp_path / "net.pt")
    arguments = ["parts", str(tmp_path / "net.pt"), "--half-width", "1", "--out"]
    assert main([*arguments, str(tmp_path / "parts.obj"), "--error", "0.1"]) == 0
    said = capsys.readouterr().out
    assert "cells are inside" in said
    assert "convex parts" in said
    assert (tmp_path / "parts.obj").read_text().count("\no part_") >= 1
    assert main([*arguments, str(tmp_path / "parts.obj"), "--max-cells", "1"]) == 1
    assert "max_cells=1" in capsys.readouterr().err
    assert main([*arguments, str(tmp_path / "inside.vtu"), "--error", "0.1"]) == 1
    assert "--error" in capsys.readouterr().err
