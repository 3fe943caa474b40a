"""Remove what bounds nothing: repeated triangles, and internal walls between triangles that share edges.

A patch is connected across edges of exactly two triangles. One that ends at edges of more, and has the solid
on both of its sides by the generalized winding number, is an internal wall.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from creased.meshes.queries import TriangleIndex
from creased.shapes.repair.connectivity import areas, find_edges, label_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP = 1e-4  # from a triangle to the points on its sides, in units of the size


class Walls(NamedTuple):
    """Triangles without those that bound nothing."""

    triangles: NDArray[np.int64]  # (T, 3)
    n_repeated: int
    n_internal: int


def remove_walls(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> Walls:
    """Remove repeated triangles and internal walls; positions in units of the size."""
    if find_edges(triangles).n_triangles.max(initial=0) <= 2:
        return Walls(triangles, 0, 0)
    n_read = len(triangles)
    triangles = _without_repeated(triangles)
    is_internal = _find_internal(vertices, triangles)
    kept = triangles[~is_internal]
    kept = _without_repeated(kept, in_either_direction=True)
    n_internal = int(is_internal.sum())
    return Walls(kept, n_read - n_internal - len(kept), n_internal)


def _without_repeated(triangles: NDArray[np.int64], in_either_direction: bool = False) -> NDArray[np.int64]:
    """Keep the first of triangles of the same corners, and, if so asked, of those that face the other way."""
    least = triangles.argmin(axis=1)[:, None]
    rows = np.sort(triangles, axis=1)
    if not in_either_direction:
        rows = np.take_along_axis(triangles, (least + np.arange(3)) % 3, axis=1)
    first = np.unique(rows, axis=0, return_index=True)[1]
    return triangles[np.sort(first)]


def _find_internal(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark triangles (T,) of patches that end at crowded edges and have the solid on both sides."""
    edges = find_edges(triangles)
    n_at = edges.n_triangles[edges.edge]
    simple = np.flatnonzero(n_at == 2)
    pairs = simple[np.argsort(edges.edge[simple], kind="stable")].reshape(-1, 2) // 3
    patch = label_components(len(triangles), pairs)
    ends_at_crowded = np.zeros(int(patch.max()) + 1, dtype=bool)
    ends_at_crowded[patch[np.flatnonzero(n_at > 2) // 3]] = True
    area = areas(vertices, triangles)
    largest = np.lexsort([-area, patch])
    largest = largest[np.append(True, np.diff(patch[largest]) > 0)]  # of each patch
    a, b, c = (vertices[triangles[largest, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), np.finfo(float).tiny)
    middle = (a + b + c) / 3
    index = TriangleIndex(vertices, triangles)
    is_inside = [index.contains(middle + side * STEP * normals) for side in (-1, 1)]
    return (ends_at_crowded & is_inside[0] & is_inside[1])[patch]
