"""Point clouds as training shapes: read from every format, smoothed, and measured as points."""

import logging
import struct
from pathlib import Path

import numpy as np
import pytest

from creased.meshes.import_open3d import import_open3d
from creased.meshes.point_index import PointIndex
from creased.shapes import PointCloud, ShapeError, load_shape
from creased.shapes.point_cloud import load_cloud
from creased.shapes.sampling import sample_distances
from creased.shapes.shape import sha256_of_file
from creased.shapes.smoothing import smooth
from creased.shapes.sources.point_file import holds_points, read_points
from creased.shapes.surface import Surface
from creased.shapes.target import Sizes
from tests.shapes.boxes import DOMAIN

RADIUS, CENTRE = 20.0, np.array([100.0, 50.0, 0.0])


def _normals(n: int = 3000) -> np.ndarray:
    normals = np.random.default_rng(1).standard_normal((n, 3))
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def _write(path: Path, points: np.ndarray, normals: np.ndarray | None) -> None:
    """Write points in the format of the ending; PLY in big endian."""
    rows = points if normals is None else np.concatenate([points, normals], axis=1)
    if path.suffix == ".pcd":
        open3d = import_open3d()
        cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
        if normals is not None:
            cloud.normals = open3d.utility.Vector3dVector(normals)
        assert open3d.io.write_point_cloud(str(path), cloud, compressed=True)
    elif path.suffix == ".ply":
        names = ("x", "y", "z", "nx", "ny", "nz")[: rows.shape[1]]
        properties = "".join(f"property double {name}\n" for name in names)
        header = f"ply\nformat binary_big_endian 1.0\nelement vertex {len(rows)}\n{properties}end_header\n"
        path.write_bytes(header.encode() + b"".join(struct.pack(f">{len(row)}d", *row) for row in rows))
    elif path.suffix == ".pts":  # a count, and colours before the normals
        colours = np.full((len(rows), 3), 128.0)
        np.savetxt(
            path, np.insert(rows, [3], colours, axis=1), header=f"{len(rows)}", comments="", fmt="%.17g"
        )
    else:
        np.savetxt(path, rows, delimiter=", ", header="x y z")


@pytest.fixture(scope="module")
def ball(tmp_path_factory: pytest.TempPathFactory) -> PointCloud:
    path = tmp_path_factory.mktemp("points") / "ball.xyz"
    _write(path, CENTRE + RADIUS * _normals(), _normals())
    found = load_shape("", None, path=str(path), units="mm")
    assert isinstance(found, PointCloud)
    return found


@pytest.mark.parametrize("name", ["a.ply", "a.xyz", "a.pts", "a.pcd"])
def test_points_and_normals_are_read_from_every_format(name: str, tmp_path: Path) -> None:
    if name.endswith("pcd") and import_open3d() is None:
        pytest.skip("open3d cannot be imported")
    points, normals = CENTRE + RADIUS * _normals(100), _normals(100)
    _write(tmp_path / name, points, normals)
    assert holds_points(tmp_path / name)
    found = read_points(tmp_path / name)
    tolerance = 1e-5 if name.endswith("pcd") else 1e-14  # PCD is in single precision
    np.testing.assert_allclose(found.points, points, rtol=tolerance)
    np.testing.assert_allclose(found.normals, normals, atol=1e-6 if name.endswith("pcd") else 1e-14)
    _write(tmp_path / f"bare_{name}", points, None)
    assert read_points(tmp_path / f"bare_{name}").normals is None


def test_a_mesh_is_no_point_cloud(tmp_path: Path) -> None:
    (tmp_path / "mesh.ply").write_text(
        "ply\nformat ascii 1.0\nelement vertex 3\nelement face 1\nend_header\n"
    )
    assert not holds_points(tmp_path / "mesh.ply")
    assert not holds_points(tmp_path / "mesh.obj")
    assert not holds_points(tmp_path / "missing.ply")


def test_rows_without_a_place_or_a_normal_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    points, normals = RADIUS * _normals(100), 1.0 * _normals(100)
    points[3, 1], normals[7] = np.nan, 0
    _write(tmp_path / "a.ply", points, normals)
    with caplog.at_level(logging.WARNING):
        assert len(read_points(tmp_path / "a.ply").points) == 98
    assert "left out points without a place or a normal: 2" in caplog.text


def test_normals_that_are_all_zero_are_none(tmp_path: Path) -> None:
    _write(tmp_path / "a.ply", RADIUS * _normals(20), 0 * _normals(20))
    found = read_points(tmp_path / "a.ply")
    assert found.normals is None
    assert len(found.points) == 20


def test_files_of_nothing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.ply").write_text(
        "ply\nformat ascii 1.0\nelement vertex 0\nproperty float x\nend_header\n"
    )
    with pytest.raises(ShapeError, match="no points"):
        read_points(tmp_path / "empty.ply")
    (tmp_path / "words.xyz").write_text("this is no cloud\nof points at all\n")
    with pytest.raises(ShapeError, match=r"words\.xyz"):
        read_points(tmp_path / "words.xyz")


def test_points_lie_in_the_domain_with_their_name_unit_and_hash(ball: PointCloud, tmp_path: Path) -> None:
    assert (ball.name, ball.to_domain.unit, ball.licence) == ("ball", "millimeter", "")
    np.testing.assert_allclose(np.linalg.norm(ball.read, axis=1), 0.45, atol=0.003)
    np.testing.assert_allclose(ball.to_domain.invert(ball.read), CENTRE + RADIUS * _normals())
    _write(tmp_path / "other.ply", CENTRE + RADIUS * _normals(), _normals())
    assert sha256_of_file(str(tmp_path / "other.ply")) == ball.sha256
    _write(tmp_path / "other.ply", CENTRE + RADIUS * _normals(), -_normals())
    assert sha256_of_file(str(tmp_path / "other.ply")) != ball.sha256


def test_samples_have_the_distances_of_the_closed_form(ball: PointCloud) -> None:
    samples = sample_distances(ball, DOMAIN, 20_000, 0.8, [0.01], np.random.default_rng(0), grid_levels=[16])
    centre = ball.to_domain.apply(CENTRE[None])[0]
    expected = np.linalg.norm(samples.points - centre, axis=1) - RADIUS * ball.to_domain.scale
    assert samples.distances.dtype == np.float32
    assert np.abs(samples.distances - expected).mean() < 0.001
    assert np.array_equal(samples.distances < 0, expected < 0)


def test_results_are_measured_at_the_points_and_nothing_is_said_of_a_solid(ball: PointCloud) -> None:
    import trimesh

    centre, radius = ball.to_domain.apply(CENTRE[None])[0], 0.9 * RADIUS * ball.to_domain.scale
    mesh = trimesh.creation.icosphere(subdivisions=5, radius=radius)
    surface = Surface.of_triangles(mesh.vertices + centre, mesh.faces)
    found = ball.measure(
        lambda x: np.linalg.norm(x - centre, axis=1) - radius,
        surface,
        DOMAIN,
        Sizes(10, 10, 2000),
        np.random.default_rng(0),
    )
    assert found.comparison is None
    assert found.metrics["surface_error_mean"] == pytest.approx(radius / 9, rel=1e-6)
    assert found.metrics["points"]["points_to_mesh"]["mean"] == pytest.approx(2, rel=0.01)  # mm
    assert found.metrics["mesh_to_points"]["mean"] == pytest.approx(radius / 9, rel=0.1)  # and beside
    assert found.metrics["normal_agreement"] > 0.999
    assert not {"iou", "comparison", "differences"} & found.metrics.keys()


def test_points_without_normals_are_refused_with_what_to_do(tmp_path: Path) -> None:
    _write(tmp_path / "bare.xyz", RADIUS * _normals(), None)
    with pytest.raises(ShapeError, match=r"without normals.*shape\.normals=estimate"):
        load_cloud(tmp_path / "bare.xyz")
    with pytest.raises(ShapeError, match="guess"):
        load_cloud(tmp_path / "bare.xyz", normals="guess")
    _write(tmp_path / "few.xyz", RADIUS * _normals(9), _normals(9))
    with pytest.raises(ShapeError, match="9 points"):
        load_cloud(tmp_path / "few.xyz")


def test_estimated_normals_point_outward(tmp_path: Path) -> None:
    if import_open3d() is None:
        pytest.skip("open3d cannot be imported")
    _write(tmp_path / "bare.xyz", RADIUS * _normals(1000), None)
    found = load_cloud(tmp_path / "bare.xyz", normals="estimate")
    assert (found.normals * _normals(1000)).sum(axis=1).min() > 0.95


def test_normals_that_point_inward_are_reversed_unless_the_points_are_open(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    normals = _normals()
    _write(tmp_path / "inward.xyz", RADIUS * normals, -normals)
    bowl = normals[normals[:, 2] < 0]
    _write(tmp_path / "bowl.xyz", RADIUS * bowl, -bowl)
    with caplog.at_level(logging.WARNING):
        found = load_cloud(tmp_path / "inward.xyz")
        assert "reversed" in caplog.text
        assert (found.normals * normals).sum(axis=1).min() > 0.999
        caplog.clear()
        found = load_cloud(tmp_path / "bowl.xyz")
    assert "do not close" in caplog.text
    assert (found.normals * bowl).sum(axis=1).max() < -0.999


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_points_are_smoothed_as_far_as_their_noise_asks_for(noise: float) -> None:
    normals, rng = _normals(8000), np.random.default_rng(2)
    points = 0.4 * normals * [1, 0.8, 0.6]  # an ellipsoid: no sphere fits it exactly
    facing = normals / [1, 0.8, 0.6]
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    found = smooth(PointIndex(points + noise * rng.standard_normal(points.shape), facing), rng)
    off = np.abs(np.linalg.norm(found.points.points / [1, 0.8, 0.6], axis=1) - 0.4)
    assert found.noise == pytest.approx(noise, rel=0.2, abs=2e-4)
    assert off.mean() < (0.3 * noise if noise else 2e-5)
    assert (found.points.normals * facing).sum(axis=1).mean() > 0.98


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("# x y z\n", "holds no points"),
        ("0,5 1,25 3,0 0,0 0,0 1,0\n" * 20, "decimal comma"),
        ("1 1 1 0 0 1\n" * 20, "all points are in one place"),
    ],
)
def test_what_is_wrong_with_columns_is_said(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "points.xyz"
    path.write_text(text)
    with pytest.raises(ShapeError, match=words):
        load_cloud(path)


def test_lengths_are_said_in_the_unit_and_options_of_repair_do_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    normals = _normals(500)
    rough = normals * (1 + 0.02 * np.random.default_rng(0).standard_normal((500, 1)))
    _write(tmp_path / "rough.xyz", rough, normals)
    with caplog.at_level(logging.INFO):
        cloud = load_shape("", None, path=str(tmp_path / "rough.xyz"), units="mm", open="shell")
    assert isinstance(cloud, PointCloud)
    assert f"smoothed by {cloud.noise:.2g} mm" in caplog.text
    assert "points are not repaired" in caplog.text
