"""Self-intersections of a mesh once coordinates are rounded to a file's precision.

An exact level set has none; its rounded copy may. open3d tests all pairs, so the surface is first split by
planes until each part has few triangles; triangles that a plane meets are in both parts, so that two that
intersect share one. open3d has a tolerance and reports near slivers too: its pairs are decided again in
rational arithmetic.

Not found: triangles that fold over a neighbour with which they share a vertex, which open3d skips.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from creased.meshes.exact_triangles import are_apart
from creased.meshes.import_open3d import as_open3d, import_open3d
from creased.meshes.polygon_mesh import PolygonMesh

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAF = 300  # most triangles of a part
MANY = 5_000  # most pairs decided in rationals, at 0.3 ms each; the others are reported as they are
SINGLE = (".stl", ".glb")  # suffixes of formats in single precision


def precision_of(path: Path) -> str:
    """Return the precision of a file's coordinates: "float32" or "float64"."""
    return "float32" if path.suffix.lower() in SINGLE else "float64"


def self_intersections(mesh: PolygonMesh, precision: str = "float64") -> NDArray[np.int64] | None:
    """Find pairs (n, 2) of intersecting fan triangles, sorted; None without open3d.

    Args:
        mesh: its polygons are triangulated by fans.
        precision: "float32" or "float64", to which coordinates are rounded first.
    """
    open3d = import_open3d()
    if open3d is None:
        return None
    points = mesh.vertices.numpy().astype(precision).astype(np.float64)
    triangles = mesh.triangles().numpy()
    corners = points[triangles]
    leaves = _leaves(corners.min(1), corners.max(1))
    found = [_pairs(open3d, points, triangles, leaf) for leaf in leaves if len(leaf)]
    pairs = np.concatenate([*found, np.zeros((0, 2), dtype=np.int64)])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    meets = np.array([not are_apart(*corners[pair].tolist()) for pair in pairs[:MANY]], dtype=bool)
    return np.concatenate([pairs[:MANY][meets], pairs[MANY:]])


def _leaves(lower: NDArray[Any], upper: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Split triangles with bounds (T, 3) into sets, any two whose bounds intersect sharing one."""
    todo, leaves = [np.arange(len(lower))], []
    while todo:
        here = todo.pop()
        halves = _halve(here, lower, upper) if len(here) > LEAF else []
        if halves and max(map(len, halves)) < 0.9 * len(here):
            todo += halves
        else:
            leaves.append(here)
    return leaves


def _halve(here: NDArray[np.int64], lower: NDArray[Any], upper: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Split triangles by a plane across the longest side; those that it meets are on both sides."""
    middle = (lower[here] + upper[here]) / 2
    axis = int(np.ptp(middle, axis=0).argmax())
    plane = np.median(middle[:, axis])
    return [here[lower[here, axis] <= plane], here[upper[here, axis] >= plane]]


def _pairs(
    open3d: Any, points: NDArray[Any], triangles: NDArray[Any], leaf: NDArray[Any]
) -> NDArray[np.int64]:
    used, local = np.unique(triangles[leaf], return_inverse=True)
    mesh = as_open3d(open3d, points[used], local.reshape(-1, 3))
    pairs = np.asarray(mesh.get_self_intersecting_triangles(), dtype=np.int64).reshape(-1, 2)
    return leaf[pairs]
