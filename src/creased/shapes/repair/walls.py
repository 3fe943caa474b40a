"""Remove what bounds nothing: repeated triangles, and internal walls between triangles that share edges.

A patch is connected across edges of exactly two triangles. One that ends at edges of more, and has the solid
on both of its sides, is an internal wall. Inside is where the generalized winding number is above 1/4: beside
a single wall between two solids, one of which it leaves open, it is about 1/2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from creased.meshes.queries import TriangleIndex
from creased.shapes.repair.edges import areas, find_edges, label_components, unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLACES = np.vstack([np.full(3, 1 / 3), 0.05 + 0.85 * np.eye(3)])  # in the middle, and near corners: (4, 3)
OF_PATCH = 16  # triangles of a patch, the largest, that are looked at
MOST = 4000  # patches, and triangles, that are looked at
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
    largest_first = np.lexsort([-area, patch])
    largest = largest_first[np.append(True, np.diff(patch[largest_first]) > 0)]  # of each patch
    index = TriangleIndex(vertices, np.concatenate([triangles, triangles]))  # inside is 1/4, not 1/2
    may_be = ends_at_crowded.copy()
    chosen = np.flatnonzero(may_be)
    chosen = chosen[np.argsort(-area[largest[chosen]], kind="stable")]
    may_be[chosen[MOST:]] = False  # not decided, and kept
    chosen = chosen[:MOST]
    may_be[chosen] = _is_within(vertices[triangles[largest[chosen]]], PLACES[:1], index)
    rows = largest_first[may_be[patch[largest_first]]]
    starts = np.where(np.diff(patch[rows], prepend=-1) > 0, np.arange(len(rows)), 0)
    rank = np.arange(len(rows)) - np.maximum.accumulate(starts)
    rows = rows[rank < OF_PATCH]
    may_be[patch[rows[MOST:]]] = False
    rows = rows[:MOST]
    is_within = _is_within(vertices[triangles[rows]], PLACES, index)
    is_shown = np.bincount(patch[rows], ~is_within, len(may_be)) > 0
    return (may_be & ~is_shown)[patch]


def _is_within(
    corners: NDArray[np.float64], places: NDArray[np.float64], index: TriangleIndex
) -> NDArray[np.bool_]:
    """Decide which triangles (n, 3, 3) have the solid on both sides, at barycentric coordinates (m, 3)."""
    if not len(corners):
        return np.zeros(0, dtype=bool)
    normals = unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    points = places @ corners  # (n, m, 3)
    sides = np.concatenate([points + side * STEP * normals[:, None] for side in (-1, 1)], axis=1)
    is_inside = index.contains(sides.reshape(-1, 3)).reshape(len(corners), -1)
    return np.asarray(is_inside.all(axis=1))
