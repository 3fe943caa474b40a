"""Read a mesh file: its objects as one mesh (`objects`), and its unit."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from creased.extras import how_to_install
from creased.io.limits import why_too_large
from creased.io.runs import as_named
from creased.io.units import UnitError, parse_unit, unit_of_meters
from creased.shapes.sources.objects import join_objects, objects_of
from creased.shapes.sources.rewriting import REWRITE

if TYPE_CHECKING:
    from trimesh import Trimesh
    from trimesh.scene import Scene

Source = Callable[[], "Trimesh"]

POINTS = (".pcd", ".xyz", ".xyzn", ".pts", ".asc", ".txt")  # files of points alone
GLTF = (".glb", ".gltf")
STL_HEADER, STL_TRIANGLE = 84, 50  # bytes of a binary STL file


class ShapeError(ValueError):
    """A mesh that cannot be loaded or trained on; the message says why, and what to change."""


@dataclass(frozen=True)
class File:
    """A mesh file: 3MF, DAE, GLB, glTF, OBJ, OFF, PLY, STL, and others that trimesh reads."""

    path: str

    def __call__(self) -> Trimesh:
        """Read the file as triangles; see `creased.shapes.sources` for what is in the result.

        Raises:
            ShapeError: it is missing, unreadable, or holds no triangles.
        """
        path = as_named(self.path)
        if path.suffix.lower() in POINTS and path.is_file():
            raise ShapeError(f"{path} is a point cloud, not a mesh")
        scene = read_scene(path)
        objects = objects_of(scene, path)
        if not objects:
            raise ShapeError(f"{path} {_cut_off(path) or _contents(scene)}")
        return join_objects(objects, _unit(scene, path))


def read_scene(path: Path) -> Scene:
    """Read a file by trimesh, unmerged.

    Raises:
        ShapeError: it is missing or unreadable, or its reader needs a package that is not installed.
    """
    import trimesh

    require_content(path)
    kind, said = path.suffix.lower().removeprefix("."), _Warnings()
    if not kind:
        raise ShapeError(f"cannot read {path}: its name has no ending, such as .stl, that tells its format")
    try:
        with said:
            if rewrite := REWRITE.get(kind):
                return trimesh.load_scene(BytesIO(rewrite(path.read_bytes())), kind, process=False)
            scene = trimesh.load_scene(path, process=False)
    except ImportError as error:
        raise ShapeError(
            f"cannot read {path}: a package that reads {path.suffix} is missing ({error}): install it, or "
            f"all that creased names with {how_to_install('shapes')}, or save the mesh in another format"
        ) from error
    except Exception as error:  # trimesh's loaders raise nearly anything
        raise ShapeError(f"cannot read {path} as a mesh: {error}") from error
    if undecoded := [line for line in said.lines if "didn't decode" in line]:
        remedy = "install the package that decodes it (DracoPy), or save the mesh uncompressed"
        raise ShapeError(f"cannot read {path}: {undecoded[0]}: {remedy}")
    return scene


def require_content(path: Path) -> None:
    """Require a file that is not empty.

    Raises:
        ShapeError: it is missing, a folder, or empty.
    """
    if path.is_dir():
        raise ShapeError(f"{path} is a folder, not a file")
    if not path.is_file():
        raise ShapeError(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise ShapeError(f"{path} is empty")
    if why := why_too_large(path):
        raise ShapeError(why)


class _Warnings(logging.Handler):
    """Keep the warnings of trimesh from the user; most are about pictures that colour a mesh."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(record.getMessage())

    def __enter__(self) -> None:
        log = logging.getLogger("trimesh")
        log.addHandler(self)
        log.propagate = False

    def __exit__(self, *_: object) -> None:
        log = logging.getLogger("trimesh")
        log.removeHandler(self)
        log.propagate = True


def sha256_of_mesh(mesh: Trimesh) -> str:
    """Compute the SHA-256 of positions (V, 3) in float64 and triangles (T, 3) in int64, little-endian."""
    digest = hashlib.sha256(np.ascontiguousarray(mesh.vertices, dtype="<f8").tobytes())
    digest.update(np.ascontiguousarray(mesh.faces, dtype="<i8").tobytes())
    return digest.hexdigest()


def _contents(scene: Scene) -> str:
    """Say what a file without triangles holds."""
    import trimesh

    clouds = [found for found in scene.geometry.values() if isinstance(found, trimesh.PointCloud)]
    n = sum(len(found.vertices) for found in clouds)
    return f"is a point cloud of {n:,} points, not a mesh" if n else "holds no triangles"


def _cut_off(path: Path) -> str | None:
    """Say if a binary STL file ends before the triangles that it announces; None if it is none."""
    content = path.read_bytes() if path.suffix.lower() == ".stl" else b""
    if len(content) < STL_HEADER or b"\0" not in content[:STL_HEADER]:
        return None
    announced, there = (
        int.from_bytes(content[STL_HEADER - 4 : STL_HEADER], "little"),
        len(content) - STL_HEADER,
    )
    if there >= announced * STL_TRIANGLE:
        return None
    return f"is cut off: it announces {announced:,} triangles and holds {there // STL_TRIANGLE:,}"


def _unit(scene: Scene, path: Path) -> str | None:
    """Read the unit that the file states: in 3MF and COLLADA, in glTF as an extra called unit."""
    for record in (scene.metadata, *(found.metadata for found in scene.geometry.values())):
        stated = record.get("unit" if path.suffix.lower() in GLTF else "units")
        if stated is not None:
            number, _, meters = str(stated).partition(" * ")
            try:
                return unit_of_meters(float(number)) if meters else parse_unit(number)
            except UnitError:
                return None
    return None
