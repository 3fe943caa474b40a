"""3MF archives hold the mesh to the last digit, in the parts that the format asks for."""

import zipfile
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from creased.io.export import save
from creased.io.three_mf import three_mf_bytes
from creased.meshes.caps import cap
from tests.meshes.test_caps import BOXES, cut_surface

CORE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"


def _read(archive: zipfile.ZipFile) -> tuple[str, np.ndarray, np.ndarray]:
    model = ElementTree.fromstring(archive.read("3D/3dmodel.model"))
    points = [[float(v.attrib[c]) for c in "xyz"] for v in model.iter(f"{CORE}vertex")]
    faces = [[int(t.attrib[c]) for c in ("v1", "v2", "v3")] for t in model.iter(f"{CORE}triangle")]
    return model.attrib["unit"], np.array(points), np.array(faces)


def test_a_capped_surface_is_in_the_archive_to_the_last_digit(tmp_path: Path) -> None:
    level_set = cut_surface(0, BOXES[0])
    save(level_set, tmp_path / "mesh.3mf", boundary="cap")
    with zipfile.ZipFile(tmp_path / "mesh.3mf") as archive:
        assert archive.namelist() == ["[Content_Types].xml", "_rels/.rels", "3D/3dmodel.model"]
        relations = ElementTree.fromstring(archive.read("_rels/.rels"))
        ElementTree.fromstring(archive.read("[Content_Types].xml"))
        unit, points, faces = _read(archive)
    assert relations[0].attrib["Target"] == "/3D/3dmodel.model"
    expected = cap(level_set)
    assert unit == "millimeter"
    np.testing.assert_array_equal(points, expected.vertices.numpy())
    np.testing.assert_array_equal(faces, expected.triangles().numpy())


def test_the_unit_is_written_and_an_unknown_one_is_refused() -> None:
    points, faces = np.eye(3), np.array([[0, 1, 2]])
    with zipfile.ZipFile(BytesIO(three_mf_bytes(points, faces, "inch"))) as archive:
        assert _read(archive)[0] == "inch"
    with pytest.raises(ValueError, match=r"unit.*micron.*parsec"):
        three_mf_bytes(points, faces, "parsec")
    assert three_mf_bytes(points, faces) == three_mf_bytes(points, faces)
