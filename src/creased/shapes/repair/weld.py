"""Weld vertices along open edges, and nowhere else: a closed mesh is left alone, however fine its detail.

Vertices in the same place are merged first. Those still on open edges are merged within a tolerance that is
relative to the size of the mesh, but never across more than a quarter of an edge. At last an open edge that
passes through vertices of others, a T-junction, is split there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from creased.shapes.repair.edges import ends_of, find_edges, label_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

OF_EDGE = 0.25  # of the shortest open edge at a vertex: it is not merged with another farther away
N_NEAREST = 4  # vertices that one may be merged with
MOST = 5_000_000  # pairs of an edge and a vertex near it; with more T-junctions are not looked for


class Welded(NamedTuple):
    """A mesh after welding."""

    vertices: NDArray[np.float64]  # (V, 3)
    triangles: NDArray[np.int64]  # (T, 3)
    n_merged: int  # vertices merged within the tolerance, not in the same place
    n_split: int  # edges split at T-junctions


def weld(vertices: NDArray[np.float64], triangles: NDArray[np.int64], tolerance: float) -> Welded:
    """Weld triangles (T, 3) over vertices (V, 3) along open edges, within a length."""
    vertices, triangles = merge_same(vertices, triangles)
    n_merged = n_split = 0
    if tolerance > 0 and find_edges(triangles).is_open.any():
        triangles, n_merged = _merge_near(vertices, triangles, tolerance)
        triangles, n_split = _split_at_vertices(vertices, triangles, tolerance)
    return Welded(vertices, triangles, n_merged, n_split)


def merge_same(
    vertices: NDArray[np.float64], triangles: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Merge vertices on open edges that are in the same place; drop triangles that have a corner twice."""
    triangles = without_collapsed(triangles)
    is_open = np.zeros(len(vertices), dtype=bool)
    edges = find_edges(triangles)
    is_open[edges.ends[edges.n_triangles == 1].reshape(-1)] = True
    chosen = np.flatnonzero(is_open)
    if len(chosen):
        rows = np.ascontiguousarray(vertices[chosen] + 0.0)  # -0 becomes 0
        keys = rows.view([("", rows.dtype)] * 3)[:, 0]
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        place = np.arange(len(vertices))
        place[chosen] = chosen[first[inverse]]
        triangles = without_collapsed(place[triangles])
    return vertices, triangles


def without_collapsed(triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """Leave out triangles that have a corner twice."""
    a, b, c = triangles.T
    return triangles[(a != b) & (b != c) & (c != a)]


def _merge_near(
    vertices: NDArray[np.float64], triangles: NDArray[np.int64], tolerance: float
) -> tuple[NDArray[np.int64], int]:
    """Merge vertices on open edges within the tolerance; also their number."""
    from scipy.spatial import cKDTree

    edges = find_edges(triangles)
    ends = edges.ends[edges.n_triangles == 1]
    lengths = np.linalg.norm(vertices[ends[:, 0]] - vertices[ends[:, 1]], axis=1)
    shortest = np.full(len(vertices), np.inf)
    np.minimum.at(shortest, ends.reshape(-1), np.repeat(lengths, 2))
    chosen = np.unique(ends)
    distance, near = cKDTree(vertices[chosen]).query(
        vertices[chosen], k=min(N_NEAREST, len(chosen)), distance_upper_bound=tolerance
    )
    row, column = np.nonzero(np.isfinite(distance) & (near != np.arange(len(chosen))[:, None]))
    links = np.stack([chosen[row], chosen[near[row, column]]], axis=1)
    is_small = distance[row, column] < OF_EDGE * shortest[links].min(axis=1)
    links = links[is_small]
    if not len(links):
        return triangles, 0
    labels = label_components(len(vertices), links)
    _, first = np.unique(labels, return_index=True)
    merged = without_collapsed(first[labels][triangles])
    return merged, len(vertices) - len(first)


def _split_at_vertices(
    vertices: NDArray[np.float64], triangles: NDArray[np.int64], tolerance: float
) -> tuple[NDArray[np.int64], int]:
    """Split triangles at vertices of others that are on an open edge of theirs; also count the edges.

    One edge of a triangle at a time, so that three rounds split all.
    """
    n_split = 0
    for _ in range(3):
        half_edges, through = _t_junctions(vertices, triangles, tolerance)
        if not len(half_edges):
            break
        first = np.unique(half_edges // 3, return_index=True)[1]
        is_first = np.isin(half_edges, half_edges[first])
        half_edges, through = half_edges[is_first], through[is_first]
        n_split += len(first)
        triangles = _fan(triangles, half_edges, through)
    return triangles, n_split


def _t_junctions(
    vertices: NDArray[np.float64], triangles: NDArray[np.int64], tolerance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find open half-edges (n,) and the vertices (n,) on them, in the order of both."""
    from scipy.spatial import cKDTree

    nothing = np.zeros(0, dtype=np.int64)
    edges = find_edges(triangles)
    half_edges = np.flatnonzero(edges.is_open)
    if not len(half_edges):
        return nothing, nothing
    start, end = ends_of(triangles, half_edges)
    chosen = np.unique(np.concatenate([start, end]))
    middle, along = (vertices[start] + vertices[end]) / 2, vertices[end] - vertices[start]
    length = np.linalg.norm(along, axis=1)
    tree, radius = cKDTree(vertices[chosen]), length / 2 + tolerance
    counts = tree.query_ball_point(middle, radius, return_length=True)
    if counts.sum() > MOST:
        return nothing, nothing
    near = tree.query_ball_point(middle, radius)
    row = np.repeat(np.arange(len(half_edges)), counts)
    vertex = chosen[np.concatenate([np.asarray(found, dtype=np.int64) for found in near])]
    offset = vertices[vertex] - vertices[start[row]]
    size = np.maximum(length[row], np.finfo(float).tiny)
    place = (offset * along[row]).sum(axis=1) / size
    away = np.linalg.norm(offset - (place / size)[:, None] * along[row], axis=1)
    margin = np.minimum(tolerance, OF_EDGE * size)
    is_on = (away < margin) & (place > margin) & (place < size - margin)
    row, vertex, place = row[is_on], vertex[is_on], place[is_on]
    order = np.lexsort([place, row])
    return _that_meet(half_edges[row[order]], vertex[order], triangles, edges.ends[edges.n_triangles == 1])


def _that_meet(
    half_edges: NDArray[np.int64],
    through: NDArray[np.int64],
    triangles: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Select the junctions of half-edges of which a piece is another open edge, with the given ends."""
    if not len(half_edges):
        return half_edges, through
    n = int(triangles.max()) + 1
    is_first = np.append(True, half_edges[1:] != half_edges[:-1])
    is_last = np.append(half_edges[1:] != half_edges[:-1], True)
    start, end = ends_of(triangles, half_edges)
    before = np.where(is_first, start, np.roll(through, 1))
    open_keys = ends[:, 0] * n + ends[:, 1]

    def is_open(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.isin(np.minimum(a, b) * n + np.maximum(a, b), open_keys)

    meets = is_open(before, through) | (is_last & is_open(through, end))
    chosen = np.isin(half_edges, half_edges[meets])
    return half_edges[chosen], through[chosen]


def _fan(
    triangles: NDArray[np.int64], half_edges: NDArray[np.int64], through: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Split the triangle of each half-edge into a fan over the vertices that the half-edge passes through."""
    last = np.append(half_edges[1:] != half_edges[:-1], True)
    first = np.append(True, last[:-1])
    corners = triangles.reshape(-1)

    def corner(half_edges: NDArray[np.int64], ahead: int) -> NDArray[np.int64]:
        return corners[half_edges // 3 * 3 + (half_edges + ahead) % 3]

    before = np.where(first, corner(half_edges, 0), np.roll(through, 1))
    pieces = np.stack([before, through, corner(half_edges, 2)], axis=1)
    ends = half_edges[last]
    closing = np.stack([through[last], corner(ends, 1), corner(ends, 2)], axis=1)
    kept = np.delete(triangles, np.unique(half_edges // 3), axis=0)
    return without_collapsed(np.concatenate([kept, pieces, closing]))
