"""Make one mesh of the objects of a scene, where it places them, welded where vertices of one coincide.

Objects are nodes of a scene, in OBJ, PLY, STL and OFF the whole file. Pieces that differ in material alone
are one object: each of them would be open.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from trimesh import Trimesh
    from trimesh.scene import Scene

SCENES = (".3mf", ".3dxml", ".dae", ".glb", ".gltf", ".zae", ".zip")  # formats that tell objects apart
COLLADA = (".dae", ".zae")
COPY = re.compile(r"_\d+$")  # what trimesh adds to the name of a further piece of one mesh


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


def objects_of(scene: Scene, path: Path) -> list[Trimesh]:
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
