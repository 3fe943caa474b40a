"""Mesh files of each format, with the pitfalls of each: what is read is what was meant."""

import json
import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import trimesh

from creased.io.export import write_mesh
from creased.meshes.polygon_mesh import PolygonMesh
from creased.shapes import File, ShapeError, load_shape

BOX = trimesh.creation.box(bounds=[[0, 0, 0], [1, 2, 3]])
QUADS = (
    (0, 2, 3, 1),
    (4, 5, 7, 6),
    (0, 1, 5, 4),
    (2, 6, 7, 3),
    (0, 4, 6, 2),
    (1, 3, 7, 5),
)  # by bits of x, y, z
CORNERS = [(x, 2 * y, 3 * z) for z in (0, 1) for y in (0, 1) for x in (0, 1)]
DAE = """<?xml version="1.0"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
<asset><created>2020-01-01T00:00:00Z</created><modified>2020-01-01T00:00:00Z</modified>
<unit name="inch" meter="0.0254"/><up_axis>Z_UP</up_axis></asset>
<library_geometries><geometry id="g"><mesh>
<source id="p"><float_array id="pa" count="12">0 0 0 1 0 0 0 1 0 0 0 1</float_array><technique_common>
<accessor source="#pa" count="4" stride="3"><param name="X" type="float"/><param name="Y" type="float"/>
<param name="Z" type="float"/></accessor></technique_common></source>
<vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
<triangles count="3"><input semantic="VERTEX" source="#v" offset="0"/><p>0 2 1 0 1 3 1 2 3</p></triangles>
<triangles count="1"><input semantic="VERTEX" source="#v" offset="0"/><p>0 3 2</p></triangles>
</mesh></geometry></library_geometries>
<library_visual_scenes><visual_scene id="s">
<node id="n"><translate>10 0 0</translate><instance_geometry url="#g"/></node>
<node id="m"><scale>-2 2 2</scale><instance_geometry url="#g"/></node>
</visual_scene></library_visual_scenes>
<scene><instance_visual_scene url="#s"/></scene></COLLADA>"""


def _binary_stl() -> bytes:
    header = b"solid of an exporter that begins all headers so".ljust(80)
    triangles = [struct.pack("<12fH", 0, 0, 0, *corners.ravel(), 0) for corners in BOX.triangles]
    return header + struct.pack("<I", len(triangles)) + b"".join(triangles)


def _obj() -> bytes:
    lines = ["mtllib none.mtl", *("v {} {} {}".format(*corner) for corner in CORNERS)]
    for number, quad in enumerate(QUADS):  # each has a material of its own, the last negative indices
        corners = [i - 8 if number == 5 else i + 1 for i in quad]
        lines += [f"usemtl m{number}", "f " + " ".join(f"{corner}//{corner}" for corner in corners)]
    return "\n".join([*lines, "v 9 9 9", "vn 0 0 1"]).encode()


def _off() -> bytes:
    rows = [
        *("{} {} {}".format(*corner) for corner in CORNERS),
        *("4 " + " ".join(map(str, q)) for q in QUADS),
    ]
    return "\n".join(["OFF # a comment", "8 6 0", *rows]).encode()


def _big_endian_ply() -> bytes:
    header = (
        "ply\nformat binary_big_endian 1.0\nelement vertex 8\nproperty double x\nproperty double y\n"
        "property double z\nelement face 6\nproperty list uchar int vertex_indices\nend_header\n"
    )
    faces = b"".join(struct.pack(">B4i", 4, *quad) for quad in QUADS)
    return header.encode() + np.array(CORNERS, dtype=">f8").tobytes() + faces


FILES = {
    "ascii.stl": trimesh.exchange.stl.export_stl_ascii(BOX).encode(),
    "solid.stl": _binary_stl(),
    "quads.obj": _obj(),
    "quads.off": _off(),
    "big.ply": _big_endian_ply(),
}


@pytest.mark.parametrize("name", FILES)
def test_the_box_of_every_format_is_read_whole(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    found = File(str(tmp_path / name))()
    assert found.is_watertight
    assert (len(found.vertices), len(found.faces)) == (8, 12)
    assert found.volume == pytest.approx(6)
    np.testing.assert_array_equal(found.bounds, [[0, 0, 0], [1, 2, 3]])
    assert set(found.face_attributes["object"]) == {0}
    assert found.metadata["unit"] is None


@pytest.mark.parametrize("ending", ["glb", "3mf"])
def test_a_scene_is_read_as_it_is_placed(ending: str, tmp_path: Path) -> None:
    scene = trimesh.Scene()
    moved = trimesh.transformations.translation_matrix([5, 0, 0])
    mirrored = np.diag([-1.0, 1.0, 1.0, 1.0])
    scene.add_geometry(BOX, geom_name="box", transform=moved)
    scene.add_geometry(scene.geometry["box"], geom_name="box", transform=mirrored)  # shares the face at x = 0
    scene.add_geometry(BOX, geom_name="third")
    path = tmp_path / f"scene.{ending}"
    scene.export(path)
    found = File(str(path))()
    np.testing.assert_allclose(found.bounds, [[-1, 0, 0], [6, 2, 3]])
    assert found.volume == pytest.approx(18)  # the mirrored one is not inside out
    assert found.is_watertight
    assert len(found.vertices) == 24  # objects that touch are not welded
    assert np.bincount(found.face_attributes["object"]).tolist() == [12, 12, 12]


def test_pieces_of_a_gltf_mesh_are_one_object(tmp_path: Path) -> None:
    top = BOX.triangles_center[:, 2] > 1.5
    halves = [BOX.submesh([np.flatnonzero(half)], append=True) for half in (top, ~top)]
    merged = trimesh.Scene(halves).export(file_type="gltf")
    model = json.loads(merged["model.gltf"])
    model["meshes"][0]["primitives"] += model["meshes"].pop()["primitives"]
    model["nodes"] = [{"name": "part", "mesh": 0, "translation": [0, 0, 7]}]
    model["scenes"] = [{"nodes": [0]}]
    merged["model.gltf"] = json.dumps(model).encode()
    for name, content in merged.items():
        (tmp_path / name).write_bytes(content)
    found = File(str(tmp_path / "model.gltf"))()
    assert found.is_watertight
    assert found.bounds[:, 2].tolist() == [7, 10]
    assert set(found.face_attributes["object"]) == {0}


def test_collada_is_read_with_its_nodes_its_unit_and_whole_objects(tmp_path: Path) -> None:
    (tmp_path / "two.dae").write_text(DAE)
    found = File(str(tmp_path / "two.dae"))()
    assert found.is_watertight
    assert found.volume == pytest.approx(1 / 6 + 8 / 6)
    np.testing.assert_allclose(found.bounds, [[-2, 0, 0], [11, 2, 2]])
    assert np.bincount(found.face_attributes["object"]).tolist() == [4, 4]
    assert found.metadata["unit"] == "inch"


@pytest.mark.parametrize("ending", ["3mf", "glb"])
def test_own_exports_are_read_with_their_unit_to_the_last_digit(ending: str, tmp_path: Path) -> None:
    turned = BOX.copy().apply_transform(trimesh.transformations.rotation_matrix(1.0, [1, 2, 3]))
    mesh = PolygonMesh.of_triangles(turned.vertices, turned.faces)
    write_mesh(mesh, tmp_path / f"mesh.{ending}", "foot")
    found = File(str(tmp_path / f"mesh.{ending}"))()
    assert found.metadata["unit"] == "foot"
    assert load_shape("", None, path=str(tmp_path / f"mesh.{ending}")).to_domain.unit == "foot"
    assert len(found.vertices) == 8
    lost = np.sort(found.vertices, 0) - np.sort(turned.vertices, 0)
    assert np.abs(lost).max() <= (0 if ending == "3mf" else 1e-7)


def test_a_unit_of_the_users_own_comes_first(tmp_path: Path) -> None:
    write_mesh(PolygonMesh.of_triangles(BOX.vertices, BOX.faces), tmp_path / "mesh.3mf", "foot")
    assert load_shape("", None, path=str(tmp_path / "mesh.3mf"), units="cm").to_domain.unit == "centimeter"
    with pytest.raises(ValueError, match="parsec"):
        load_shape("", None, path=str(tmp_path / "mesh.3mf"), units="parsec")


def test_vertices_of_small_meshes_stay_apart(tmp_path: Path) -> None:
    small = trimesh.creation.icosphere(subdivisions=2)
    small.vertices *= 1e-8
    small.export(tmp_path / "small.obj", digits=17)
    found = File(str(tmp_path / "small.obj"))()
    assert len(found.vertices) == 162
    assert found.is_watertight


def test_relative_indices_count_from_the_vertices_before_them(tmp_path: Path) -> None:
    lines = []
    for quad in QUADS:  # each followed by vertices that the next counts over
        lines += ["v {} {} {}".format(*CORNERS[i]) for i in quad]
        lines += ["vn 0 0 1", "f -4//-1 -3//-1 \\", " -2//-1 -1//-1", "v 9 9 9"]
    (tmp_path / "interleaved.obj").write_text("\n".join(lines))
    found = File(str(tmp_path / "interleaved.obj"))()
    assert found.is_watertight
    assert found.volume == pytest.approx(6)


def test_off_faces_may_go_over_several_lines(tmp_path: Path) -> None:
    rows = ["{} {}\n{}".format(*corner) for corner in CORNERS]
    rows += ["4 {}\n{} {}\n{}".format(*quad) for quad in QUADS]
    (tmp_path / "broken.off").write_text("\n".join(["OFF", "8 6 0", *rows]))
    found = File(str(tmp_path / "broken.off"))()
    assert found.is_watertight
    assert found.volume == pytest.approx(6)


def test_triangle_strips_are_read_with_every_second_triangle_turned(tmp_path: Path) -> None:
    strips = [0, 2, 1, 3, -1, 4, 5, 6, 7, -1, 0, 1, 4, 5, -1, 2, 6, 3, 7, -1, 0, 4, 2, 6, -1, 1, 3, 5, 7, -1]
    header = (
        "ply\nformat binary_little_endian 1.0\nelement vertex 8\nproperty float x\nproperty float y\n"
        "property float z\nelement tristrips 1\nproperty list int int vertex_indices\nend_header\n"
    )
    content = (
        np.array(CORNERS, dtype="<f4").tobytes() + np.array([len(strips), *strips], dtype="<i4").tobytes()
    )
    (tmp_path / "strips.ply").write_bytes(header.encode() + content)
    found = File(str(tmp_path / "strips.ply"))()
    assert len(found.faces) == 12
    assert found.is_watertight
    assert found.volume == pytest.approx(6)


@pytest.mark.skipif(find_spec("DracoPy") is not None, reason="the package that is named here is installed")
def test_compressed_gltf_that_cannot_be_decoded_is_refused(tmp_path: Path) -> None:
    parts = trimesh.Scene(BOX).export(file_type="gltf")
    model = json.loads(parts["model.gltf"])
    name = "KHR_draco_mesh_compression"
    model["meshes"][0]["primitives"][0]["extensions"] = {
        name: {"bufferView": 0, "attributes": {"POSITION": 0}}
    }
    for accessor in model["accessors"]:
        del accessor["bufferView"]
    model["extensionsUsed"] = model["extensionsRequired"] = [name]
    parts["model.gltf"] = json.dumps(model).encode()
    for file, content in parts.items():
        (tmp_path / file).write_bytes(content)
    with pytest.raises(ShapeError, match=r"KHR_draco_mesh_compression.*DracoPy"):
        File(str(tmp_path / "model.gltf"))()


@pytest.mark.skipif(find_spec("cascadio") is not None, reason="the package that is named here is installed")
def test_a_missing_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "part.step").write_text("ISO-10303-21;")
    with pytest.raises(ShapeError, match=r"part\.step.*cascadio"):
        File(str(tmp_path / "part.step"))()


def test_a_point_cloud_is_called_one(tmp_path: Path) -> None:
    trimesh.PointCloud(BOX.vertices).export(tmp_path / "points.ply")
    with pytest.raises(ShapeError, match="point cloud of 8 points"):
        File(str(tmp_path / "points.ply"))()
    (tmp_path / "points.pcd").touch()
    with pytest.raises(ShapeError, match="is a point cloud"):
        File(str(tmp_path / "points.pcd"))()
