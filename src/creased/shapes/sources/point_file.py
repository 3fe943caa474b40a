"""Read point clouds: PLY without faces, XYZ, and PCD, with normals where the file has them."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.extras import how_to_install
from creased.meshes.import_open3d import import_open3d
from creased.shapes.sources.mesh_file import POINTS, ShapeError, read_scene, require_content

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

UNIT_LENGTH = 0.05  # most by which normals are longer or shorter than 1
DECIMAL_COMMA = re.compile(r"^[ \t]*[-+]?\d+,\d+[ \t;]+[-+]?\d+,\d+[ \t;]+[-+]?\d+,\d", re.MULTILINE)
MOST = 0.9  # of the rows: as many unit vectors are normals, and not colours
NEIGHBOURS = 16  # of the planes that normals are estimated by


@dataclass(frozen=True)
class Points:
    """A point cloud in the user's coordinates."""

    points: NDArray[np.float64]  # (n, 3), finite
    normals: NDArray[np.float64] | None  # (n, 3) unit; None: the file has none


def holds_points(path: Path) -> bool:
    """Return True for a file of points alone: by its ending, of PLY by its header."""
    if path.suffix.lower() != ".ply":
        return path.suffix.lower() in POINTS
    if not path.is_file():
        return False
    with path.open("rb") as file:
        header = file.read(1 << 14).partition(b"end_header")[0].split(b"\n")
    words = [line.split() for line in header]
    faces = [row[2] for row in words if row[:1] == [b"element"] and row[1:2] in ([b"face"], [b"tristrips"])]
    return header[0].strip() == b"ply" and all(count == b"0" for count in faces)


def read_points(path: Path) -> Points:
    """Read a point cloud; points that are not finite, or whose normals have no length, are dropped.

    Raises:
        ShapeError: the file is missing, unreadable, or needs a package that is not installed.
    """
    require_content(path)
    suffix = path.suffix.lower()
    read = _read_pcd if suffix == ".pcd" else _read_ply if suffix == ".ply" else _read_columns
    points, normals = read(path)
    if normals is not None and not normals.any():
        normals = None
    rows = points if normals is None else np.concatenate([points, normals], axis=1)
    is_good = np.isfinite(rows).all(axis=1)
    if normals is not None:
        is_good &= np.linalg.norm(normals, axis=1) > 0
    if not is_good.all():
        log.warning("%s: left out points without a place or a normal: %s", path, f"{(~is_good).sum():,}")
    if normals is None:
        return Points(points[is_good], None)
    lengths = np.linalg.norm(normals[is_good], axis=1, keepdims=True)
    return Points(points[is_good], normals[is_good] / lengths)


def estimate_normals(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Estimate normals (n, 3) by planes through neighbours, oriented alike along a spanning tree of these.

    Raises:
        ShapeError: open3d is not installed.
    """
    open3d = _require_open3d("estimating normals")
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    cloud.estimate_normals(open3d.geometry.KDTreeSearchParamKNN(NEIGHBOURS))
    cloud.orient_normals_consistent_tangent_plane(NEIGHBOURS)
    return np.asarray(cloud.normals)


def _read_ply(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    found = list(read_scene(path).geometry.values())
    if not found:
        raise ShapeError(f"{path} holds no points")
    cloud = found[0]
    vertex = cloud.metadata["_ply_raw"]["vertex"]
    columns = vertex["data"]
    for names in (("nx", "ny", "nz"), ("normal_x", "normal_y", "normal_z")):
        if all(name in vertex["properties"] for name in names):
            normals = np.column_stack(
                [np.asarray(columns[name], dtype=np.float64).reshape(-1) for name in names]
            )
            return np.asarray(cloud.vertices, dtype=np.float64), normals
    return np.asarray(cloud.vertices, dtype=np.float64), None


def _read_columns(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Read x y z and further columns; of these the first three that are unit vectors are the normals."""
    text = path.read_text(errors="replace")
    if DECIMAL_COMMA.search(text):
        raise ShapeError(f"{path} has numbers with a decimal comma: write them with a point")
    lines = text.replace(",", " ").replace(";", " ").splitlines()
    lines = [line for line in lines if line.strip() and line.lstrip()[0] not in "#/"]
    if len(lines) > 1 and len(lines[0].split()) != len(lines[1].split()):
        lines = lines[1:]  # the number of points
    if not lines:
        raise ShapeError(f"{path} holds no points")
    try:
        table = np.loadtxt(lines, dtype=np.float64, ndmin=2)
    except ValueError as error:
        raise ShapeError(f"cannot read {path} as columns of numbers: {error}") from error
    if table.shape[1] < 3:
        raise ShapeError(f"cannot read {path}: it needs at least three columns, x y z")
    for first in range(3, table.shape[1] - 2):
        candidates = table[:, first : first + 3]
        is_unit = np.abs(np.linalg.norm(candidates, axis=1) - 1) < UNIT_LENGTH
        if is_unit.mean() > MOST:
            return table[:, :3], candidates
    return table[:, :3], None


def _read_pcd(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    cloud = _require_open3d("reading PCD").io.read_point_cloud(str(path))
    if not cloud.has_points():
        raise ShapeError(f"cannot read {path} as a point cloud")
    return np.asarray(cloud.points), np.asarray(cloud.normals) if cloud.has_normals() else None


def _require_open3d(what: str) -> Any:
    open3d = import_open3d()
    if open3d is None:
        raise ShapeError(f"{what} needs open3d: {how_to_install('open3d')}")
    return open3d
