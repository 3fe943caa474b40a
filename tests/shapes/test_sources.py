"""Where meshes come from, and what is said when they cannot be had."""

import hashlib
import sys
from io import BufferedIOBase
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hydra.utils import instantiate
from omegaconf import OmegaConf

from creased.shapes import BunnyScan, Download, File, ShapeError, load_shape
from creased.shapes.shape import sha256_of_file
from creased.shapes.sources import download, source_of_run
from tests.configs import CONFIGS, composed, names_of

ALWAYS_THERE = ("bunny", "sphere", "torus", "box", "bracket")


def test_every_always_available_shape_loads_closed_and_normalised() -> None:
    for name, euler in {"sphere": 2, "torus": 0, "box": 2, "bracket": -4}.items():
        shape = instantiate(composed(f"shape={name}").shape)
        assert shape.name == name
        assert shape.mesh.is_watertight
        assert shape.mesh.volume > 0
        assert shape.mesh.euler_number == euler
        assert abs(shape.mesh.bounds).max() == pytest.approx(0.45)


def test_every_shape_config_names_licence_and_credit_or_is_ours() -> None:
    names = names_of("shape")
    assert set(ALWAYS_THERE) < set(names)
    assert len(names) >= len(ALWAYS_THERE) + 3
    for name in names:
        shape = OmegaConf.load(CONFIGS / "shape" / f"{name}.yaml")
        assert shape.name == name
        assert shape.licence
        assert shape.credit or "creased" in shape.licence
        if "url" in shape.source:
            assert shape.source.url.startswith("https://")
            assert len(shape.source.sha256) == 64


def test_the_scan_has_holes() -> None:
    assert not BunnyScan()().is_watertight


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ShapeError, match=r"there is no file .*nowhere\.obj"):
        File("nowhere.obj")()


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.ply"
    path.write_bytes(b"ply\nthis is no mesh")
    with pytest.raises(ShapeError, match=r"broken\.ply"):
        File(str(path))()


def test_a_file_without_triangles_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "points.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n")
    with pytest.raises(ShapeError, match="points"):
        File(str(path))()


def test_texture_seams_are_welded(tmp_path: Path) -> None:
    box = trimesh.creation.box()
    lines = ["v {} {} {}".format(*v) for v in box.vertices]
    lines += [f"vt 0 0.{i}" for i in range(3 * len(box.faces))]
    for t, face in enumerate(box.faces):
        lines.append("f " + " ".join(f"{v + 1}/{3 * t + c + 1}" for c, v in enumerate(face)))
    path = tmp_path / "seams.obj"
    path.write_text("\n".join(lines))
    assert File(str(path))().is_watertight


def test_a_file_with_the_right_checksum_is_used_without_the_network(tmp_path: Path) -> None:
    content = trimesh.creation.box().export(file_type="obj").encode()
    (tmp_path / "box.obj").write_bytes(content)
    checksum = hashlib.sha256(content).hexdigest()
    source = Download("https://localhost.invalid/box.obj", checksum, str(tmp_path / "cache"), [str(tmp_path)])
    assert len(source().faces) == 12


def test_a_failed_download_names_the_shapes_that_always_work(tmp_path: Path) -> None:
    source = Download("https://localhost.invalid/box.obj", "0" * 64, str(tmp_path))
    with pytest.raises(ShapeError, match=r"bunny, sphere, torus, box and bracket"):
        source()
    assert not list(tmp_path.iterdir())


def test_only_https_is_trusted(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="only https"):
        Download(f"file://{tmp_path}/box.obj", "0" * 64, str(tmp_path))()


def test_a_download_with_a_wrong_checksum_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io
    import urllib.request

    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: io.BytesIO(b"not the mesh"))
    with pytest.raises(ShapeError, match="expected 0000"):
        Download("https://localhost.invalid/box.obj", "0" * 64, str(tmp_path))()
    assert not list(tmp_path.iterdir())


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
    with pytest.raises(ShapeError, match="give a file"):
        source_of_run(tmp_path)


def test_a_file_is_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="needs a run folder"):
        source_of_run(tmp_path / "last.ckpt")


def test_what_is_no_mesh_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder.stl").mkdir()
    (tmp_path / "empty.glb").touch()
    content = trimesh.creation.icosphere().export(file_type="stl")
    (tmp_path / "cut.stl").write_bytes(content[:3000])
    (tmp_path / "unnamed").write_bytes(content)
    for name, words in {
        "folder.stl": "is a folder",
        "empty.glb": "is empty",
        "cut.stl": "announces 1,280 triangles and holds 58",
        "unnamed": "has no ending",
    }.items():
        with pytest.raises(ShapeError, match=words):
            File(str(tmp_path / name))()


def test_a_mesh_that_changed_since_the_run_is_no_shape_of_it(tmp_path: Path) -> None:
    path = tmp_path / "scan.stl"
    trimesh.creation.box().export(path)
    shape = f"shape: {{name: scan, path: {path}, source: null}}\nshape_sha256: {sha256_of_file(str(path))}\n"
    (tmp_path / "config.yaml").write_text(shape)
    assert source_of_run(tmp_path)[0]().volume == pytest.approx(1)
    trimesh.creation.icosphere().export(path)
    with pytest.raises(ShapeError, match="another mesh now"):
        source_of_run(tmp_path)[0]()


def test_options_that_do_nothing_to_a_mesh_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_shape("box", trimesh.creation.box, normals="estimate")
    assert "does nothing to a mesh" in caplog.text


def test_a_package_that_a_repair_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymeshfix", None)
    mesh = trimesh.creation.icosphere()
    mesh.update_faces(np.arange(len(mesh.faces)) > 0)
    with pytest.raises(ShapeError, match=r"needs pymeshfix: pip install 'creased\[shapes\]'"):
        load_shape("ball", lambda: mesh)


def test_a_download_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then, each within the time-out of the connection, or more bytes than a mesh has."""

    class Drip(BufferedIOBase):
        n_bytes, clock = 0, 0.0

        def read1(self, size: int = -1, /) -> bytes:
            Drip.clock += 30
            Drip.n_bytes += 1
            return b"x"

        def read(self, size: int | None = -1, /) -> bytes:
            return b"".join(self.read1() for _ in range(size or 0))

    monkeypatch.setattr(download.time, "monotonic", lambda: Drip.clock)
    with pytest.raises(ShapeError, match="does not end"):
        download._read(Drip(), "https://example.org/mesh.obj")
    assert download.MOST_SECONDS <= Drip.clock <= download.MOST_SECONDS + 60
