"""Meshes as files: nothing is lost on the way, and nothing is half written."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

import creased
from creased.core.native.available import SWITCH
from creased.geometry.sublevel import sublevel_volume
from creased.io import atomic_write as files
from creased.io.export import ExportError, save
from creased.io.similarity import Similarity
from creased.meshes.caps import cap
from creased.shapes import File
from tests.strategies import random_program

TORCH_ALONE = """
import sys
for name in sys.argv[2:]:
    sys.modules[name] = None
import torch
import creased
from creased.cli.main import main
torch.manual_seed(0)
network = creased.MLP(3, 8, 2)
surface = creased.extract_level_set(network, creased.Box.cube(3, 1.0), network(torch.zeros(1, 3)).item())
for name in ("mesh.ply", "mesh.obj", "mesh.3mf"):
    creased.save(surface, f"{sys.argv[1]}/{name}")
try:
    creased.save(surface, f"{sys.argv[1]}/mesh.stl")
except ImportError as error:
    assert "pip install 'creased[shapes]'" in str(error), error
else:
    raise AssertionError("trimesh is blocked")
assert creased.parallel.extract_complex_in_parts
main(["--help"])
"""
OPTIONAL = ("numpy", "scipy", "trimesh", "networkx", "manifold3d", "pymeshfix", "warp", "lightning", "hydra")
OPTIONAL += (
    "omegaconf",
    "matplotlib",
    "PIL",
    "rich",
    "onnx",
    "open3d",
    "wandb",
    "flint",
    "viser",
    "plotly",
    "ray",
)


@pytest.fixture(scope="module")
def surface() -> creased.LevelSet:
    torch.manual_seed(0)
    network = creased.MLP(3, 12, 2).double()
    with torch.no_grad():
        network[-1].weight.abs_()
        network[-1].bias.fill_(-0.4)
    level_set = creased.extract_level_set(network, creased.Box.cube(3, 2.0))
    assert level_set.polygons.n > 10
    return level_set


@pytest.mark.parametrize("ending", ["ply", "obj", "stl", "glb"])
def test_every_format_is_read_back_by_trimesh(surface: creased.LevelSet, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mesh.{ending}"
    save(surface, path)
    found = trimesh.load(path, force="mesh", process=False)
    expected = surface.to_trimesh()
    assert len(found.faces) == len(expected.faces)
    assert found.area == pytest.approx(expected.area, rel=1e-5)


def test_ply_keeps_polygons_and_doubles(surface: creased.LevelSet, tmp_path: Path) -> None:
    path = tmp_path / "mesh.ply"
    save(surface, path)
    header, _, body = path.read_text().partition("end_header\n")
    assert f"element face {surface.polygons.n}\n" in header
    assert "property double x" in header
    lines = [line.split() for line in body.splitlines()]
    n = len(surface.vertices)
    np.testing.assert_array_equal(np.array(lines[:n], dtype=float), surface.vertices.numpy())
    polygons = {tuple(int(i) for i in line[1:]) for line in lines[n:]}
    expected = surface.polygons.indices.split(surface.polygons.sizes.tolist())
    assert polygons == {tuple(polygon.tolist()) for polygon in expected}
    assert all(int(line[0]) == len(line) - 1 for line in lines[n:])


def test_obj_keeps_polygons_and_every_digit(surface: creased.LevelSet, tmp_path: Path) -> None:
    path = tmp_path / "mesh.obj"
    save(surface, path)
    lines = path.read_text().splitlines()
    vertices = np.array([line.split()[1:] for line in lines if line.startswith("v ")], dtype=float)
    np.testing.assert_array_equal(vertices, surface.vertices.numpy())
    sizes = sorted(len(line.split()) - 1 for line in lines if line.startswith("f "))
    assert sizes == sorted(surface.polygons.sizes.tolist())


def test_vertices_come_back_in_the_users_coordinates(surface: creased.LevelSet, tmp_path: Path) -> None:
    to_domain = Similarity((10.0, 20.0, 30.0), 0.01)
    save(surface, tmp_path / "mesh.ply", to_domain)
    found = trimesh.load(tmp_path / "mesh.ply", process=False)
    np.testing.assert_allclose(to_domain.apply(found.vertices), surface.vertices.numpy(), atol=1e-9)


def test_far_from_the_origin_every_format_but_stl_keeps_what_ply_has(
    surface: creased.LevelSet, tmp_path: Path
) -> None:
    to_domain = Similarity((447213.5, 5411978.25, 312.0), 0.05, "meter")
    for ending in ("ply", "obj", "3mf", "glb"):
        save(surface, tmp_path / f"mesh.{ending}", to_domain)
    exact = File(str(tmp_path / "mesh.ply"))().vertices
    for ending in ("obj", "3mf", "glb"):
        found = File(str(tmp_path / f"mesh.{ending}"))().vertices
        assert found.shape == exact.shape
        np.testing.assert_allclose(np.sort(found, 0), np.sort(exact, 0), rtol=0, atol=1e-5)


def test_an_unknown_ending_is_refused_with_those_that_work(surface: creased.LevelSet, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"\.ply, \.obj, \.stl, \.glb, \.3mf"):
        save(surface, tmp_path / "mesh.xyz")


def test_an_empty_level_set_is_refused_with_its_status(tmp_path: Path) -> None:
    empty = creased.extract_level_set(creased.MLP(3, 4, 1), creased.Box.cube(3, 1.0), level=1e6)
    with pytest.raises(ExportError, match="does not cross the value"):
        save(empty, tmp_path / "mesh.ply")


def test_a_failed_write_leaves_the_old_file(
    surface: creased.LevelSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mesh.ply"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        save(surface, path)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["mesh.ply"]


def test_unbounded_level_set_is_refused(tmp_path: Path) -> None:
    surface = creased.extract_level_set(random_program(3, (6, 5), seed=0), creased.WholeSpace(3))
    with pytest.raises(ExportError, match=r"unbounded.*16 rays"):
        save(surface, tmp_path / "mesh.ply")
    with pytest.raises(ValueError, match="unbounded"):
        surface.to_trimesh()


@pytest.mark.parametrize("ending", ["ply", "obj", "stl", "glb"])
def test_a_capped_surface_is_closed_in_every_format(tmp_path: Path, ending: str) -> None:
    cut = creased.extract_level_set(random_program(3, (8, 8), seed=4), creased.Box.cube(3, 1.0))
    assert cut.audit().n_boundary_edges > 0
    path = tmp_path / f"mesh.{ending}"
    save(cut, path, boundary="cap")
    found = trimesh.load(path, force="mesh", process=ending == "stl")  # STL repeats vertices
    expected = cap(cut)
    assert found.is_watertight
    assert (len(found.vertices), len(found.faces)) == (len(expected.vertices), len(expected.triangles()))
    assert found.volume == pytest.approx(float(sublevel_volume(cut.vertices, cut)), rel=1e-5)


def test_a_cut_surface_is_refused_where_that_is_asked_for(tmp_path: Path) -> None:
    cut = creased.extract_level_set(random_program(3, (8, 8), seed=4), creased.Box.cube(3, 1.0))
    with pytest.raises(ExportError, match=r"walls.* \d+ vertices"):
        save(cut, tmp_path / "mesh.ply", boundary="error")
    assert not (tmp_path / "mesh.ply").exists()


@pytest.mark.slow
def test_torch_alone_saves_polygons_and_answers_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")  # kernels number vertices in another order
    torch.manual_seed(0)
    network = creased.MLP(3, 8, 2)
    command = [sys.executable, "-c", TORCH_ALONE, str(tmp_path), *OPTIONAL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage: creased" in done.stdout
    level = network(torch.zeros(1, 3)).item()
    expected = creased.extract_level_set(network, creased.Box.cube(3, 1.0), level)
    for ending in ("ply", "obj", "3mf"):
        save(expected, tmp_path / f"expected.{ending}")
        written = (tmp_path / f"mesh.{ending}").read_bytes()
        assert written == (tmp_path / f"expected.{ending}").read_bytes()
