"""Read a mesh file: its objects as the scene places them, welded where vertices coincide, and its unit.

Objects are nodes of a scene, in OBJ, PLY, STL and OFF the whole file. Pieces that differ in material alone
are one object: each of them would be open.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.extras import how_to_install
from creased.io.limits import why_too_large
from creased.io.runs import as_named
from creased.io.units import UnitError, parse_unit, unit_of_meters
from creased.shapes.sources.rewriting import REWRITE

if TYPE_CHECKING:
    from trimesh import Trimesh
    from trimesh.scene import Scene

Source = Callable[[], "Trimesh"]

SCENES = (".3mf", ".3dxml", ".dae", ".glb", ".gltf", ".zae", ".zip")  # formats that tell objects apart
POINTS = (".pcd", ".xyz", ".xyzn", ".pts", ".asc", ".txt")  # files of points alone
COLLADA = (".dae", ".zae")
GLTF = (".glb", ".gltf")
STL_HEADER, STL_TRIANGLE = 84, 50  # bytes of a binary STL file
COPY = re.compile(r"_\d+$")  # what trimesh adds to the name of a further piece of one mesh


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
        objects = _objects(scene, path)
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


def join_objects(objects: Sequence[Trimesh], unit: str | None = None) -> Trimesh:
    """Weld coinciding vertices of each object, and concatenate the objects.

    Args:
        objects: with one triangle at least.
        unit: of their coordinates, one of `creased.io.units.UNITS`; None: not known.
    """
    import trimesh

    vertices, triangles, owners, first = [], [], [], 0
    for number, piece in enumerate(objects):
        points, corners = weld_exactly(np.asarray(piece.vertices), np.asarray(piece.faces))
        vertices.append(points)
        triangles.append(corners + first)
        owners.append(np.full(len(corners), number))
        first += len(points)
    joined = trimesh.Trimesh(np.concatenate(vertices), np.concatenate(triangles), process=False)
    joined.face_attributes["object"] = np.concatenate(owners)
    joined.metadata["unit"] = unit
    return joined


def sha256_of_mesh(mesh: Trimesh) -> str:
    """Compute the SHA-256 of positions (V, 3) in float64 and triangles (T, 3) in int64, little-endian."""
    digest = hashlib.sha256(np.ascontiguousarray(mesh.vertices, dtype="<f8").tobytes())
    digest.update(np.ascontiguousarray(mesh.faces, dtype="<i8").tobytes())
    return digest.hexdigest()


def weld_exactly(vertices: Any, triangles: Any) -> tuple[Any, Any]:
    """Make one vertex of all in exactly one place, first come first, and drop those that no triangle has.

    Args:
        vertices: (V, 3).
        triangles: (T, 3).

    Returns:
        The vertices (W, 3) and the triangles (T, 3) over them, in their order.
    """
    used = vertices[triangles.reshape(-1)].astype(np.float64) + 0.0  # +0 and -0 are one place
    keys = np.ascontiguousarray(used).view(np.dtype((np.void, 24))).reshape(-1)
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return used[first[order]], rank[place].reshape(-1, 3)


def _objects(scene: Scene, path: Path) -> list[Trimesh]:
    """List the meshes of a scene as it places them; pieces of one object are joined."""
    import trimesh

    pieces: dict[Any, list[Trimesh]] = defaultdict(list)
    for node in scene.graph.nodes_geometry:
        placement, name = scene.graph[node]
        geometry = _of_strips(scene.geometry[name])
        if not isinstance(geometry, trimesh.Trimesh) or len(geometry.faces) == 0:
            continue
        key: Any = node if path.suffix.lower() in SCENES else None
        if path.suffix.lower() in COLLADA or geometry.metadata.get("from_gltf_primitive"):
            key = (COPY.sub("", name), placement.tobytes())
        pieces[key].append(_placed(geometry, placement))
    return [trimesh.util.concatenate(group) if len(group) > 1 else group[0] for group in pieces.values()]


def _placed(geometry: Trimesh, placement: Any) -> Trimesh:
    """Move a copy of a mesh; where the placement mirrors, its triangles are reversed."""
    import trimesh

    vertices, triangles = np.asarray(geometry.vertices, dtype=np.float64), np.asarray(geometry.faces)
    turn, shift = placement[:3, :3], placement[:3, 3]
    if not np.array_equal(turn, np.eye(3)):
        vertices = vertices @ turn.T
    if np.linalg.det(turn) < 0:
        triangles = triangles[:, ::-1]
    return trimesh.Trimesh(vertices + shift, triangles, process=False)


def _of_strips(geometry: Any) -> Any:
    """Make a mesh of what trimesh takes for points where a PLY file has triangle strips."""
    import trimesh

    strips = geometry.metadata.get("_ply_raw", {}).get("tristrips")
    if strips is None or isinstance(geometry, trimesh.Trimesh):
        return geometry
    (name,) = strips["data"].dtype.names
    triangles = [triangles_of_strips(np.asarray(row["f1"])) for row in strips["data"][name].reshape(-1)]
    return trimesh.Trimesh(geometry.vertices, np.concatenate(triangles), process=False)


def triangles_of_strips(indices: Any) -> Any:
    """List the triangles (T, 3) of strips of vertices (n,), every second turned; -1 ends a strip."""
    place = np.arange(len(indices))
    first = np.maximum.accumulate(np.where(indices < 0, place + 1, 0))
    triangles = np.stack([indices[:-2], indices[1:-1], indices[2:]], axis=1)
    is_turned = (place - first)[:-2] % 2 == 1
    triangles[is_turned] = triangles[is_turned][:, [1, 0, 2]]
    a, b, c = triangles.T
    return triangles[(triangles >= 0).all(axis=1) & (a != b) & (b != c) & (c != a)]


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
