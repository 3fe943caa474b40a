"""Remove what bounds nothing: repeated triangles, and walls between the cells of a complex.

Triangles that share edges divide space into cells, whichever way they face. Around an edge one side of each
triangle and the facing side of the next belong to one cell (Zhou, Grinspun, Zorin and Jacobson 2016, section
4). A bounded cell is solid, unless nearly all of its boundary faces into it. A wall has the solid on both
sides, as between two solids that share a face or between the tetrahedra of a mesh. Those of a component are
removed only if that opens no edge, and if all of them are inside the solid then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from creased.shapes.repair.edges import areas, find_edges, label_components
from creased.shapes.repair.pairing import find_angles
from creased.shapes.repair.parts import index_of, split_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = 1e-12  # of the size cubed: cells of less volume are not bounded
VOID = 0.1  # share of a boundary that faces outward: less of it is that of a cavity
CONSISTENT = 0.1  # share of the area: more of it in walls that face one way only, and facing tells nothing
FLAT = 0.05  # height of a tetrahedron in units of its longest edge: a quad that is split both ways is flatter
N_POINTS = 4000  # triangles of walls, at the most, that are looked up


class _Faces(NamedTuple):
    """Triangles, each once, and how often they were there."""

    triangles: NDArray[np.int64]  # (T, 3)
    n_along: NDArray[np.int64]  # (T,) that face as this one
    n_against: NDArray[np.int64]  # (T,) that face the other way


class Walls(NamedTuple):
    """Triangles without those that bound nothing."""

    triangles: NDArray[np.int64]  # (T, 3)
    n_repeated: int
    n_internal: int


def remove_walls(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> Walls:
    """Remove repeated triangles, whichever way they face, and walls; positions in units of the size."""
    if find_edges(triangles).n_triangles.max(initial=0) <= 2:
        return Walls(triangles, 0, 0)
    once = _count_repeated(triangles)
    faces = _merge_diagonals(vertices, once)
    is_wall = _find_walls(vertices, faces)
    if not is_wall.any():
        return Walls(once.triangles, len(triangles) - len(once.triangles), 0)
    is_wall &= ~_find_doubtful(vertices, faces.triangles, is_wall)
    kept = faces.triangles[~is_wall]
    n_internal = int(is_wall.sum())
    return Walls(kept, len(triangles) - n_internal - len(kept), n_internal)


def _count_repeated(triangles: NDArray[np.int64]) -> _Faces:
    """Count the triangles of the same corners; the first of them is kept."""
    least = triangles.argmin(axis=1)[:, None]
    turned = np.take_along_axis(triangles, (least + np.arange(3)) % 3, axis=1)
    _, first, inverse = np.unique(np.sort(triangles, axis=1), axis=0, return_index=True, return_inverse=True)
    faces_alike = (turned == turned[first[inverse]]).all(axis=1)
    order = np.argsort(first)
    n_along, n_against = (np.bincount(inverse, rows).astype(np.int64) for rows in (faces_alike, ~faces_alike))
    return _Faces(triangles[first[order]], n_along[order], n_against[order])


def _merge_diagonals(vertices: NDArray[np.float64], faces: _Faces) -> _Faces:
    """Where a quad is there twice, split along both diagonals, as by two cells, keep one."""
    edges = find_edges(faces.triangles)
    at_two = np.flatnonzero(edges.n_triangles[edges.edge] == 2)
    half_edges = at_two[np.argsort(edges.edge[at_two], kind="stable")].reshape(-1, 2)
    tips = np.sort(faces.triangles.reshape(-1)[half_edges // 3 * 3 + (half_edges + 2) % 3], axis=1)
    ends = edges.ends[edges.edge[half_edges[:, 0]]]
    n = int(faces.triangles.max()) + 1
    own, other = (pair[:, 0] * n + pair[:, 1] for pair in (ends, tips))  # own are sorted
    partner = np.searchsorted(own, other).clip(max=len(own) - 1) if len(own) else other
    is_repeated = (own[partner] == other) & (other[partner] == own) & (partner < np.arange(len(own)))
    a, b, c, d = (vertices[corner] for corner in (*ends[is_repeated].T, *tips[is_repeated].T))
    normals = np.cross(b - a, d - c)
    heights = np.abs(((c - a) * normals).sum(axis=1))  # between the diagonals
    longest = np.maximum(np.linalg.norm(b - a, axis=1), np.linalg.norm(d - c, axis=1))
    is_flat = heights <= FLAT * longest * np.linalg.norm(normals, axis=1)
    again = np.flatnonzero(is_repeated)[is_flat]
    return _merge(vertices, faces, half_edges[again] // 3, half_edges[partner[again]] // 3)


def _merge(
    vertices: NDArray[np.float64], faces: _Faces, dropped: NDArray[np.int64], stays: NDArray[np.int64]
) -> _Faces:
    """Drop the two triangles (n, 2) of quads, and count them with the two that stay."""
    a, b, c = (vertices[faces.triangles[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    faces_alike = (normals[dropped[:, 0]] * normals[stays[:, 0]]).sum(axis=1, keepdims=True) > 0
    counts = []
    for own, other in ((faces.n_along, faces.n_against), (faces.n_against, faces.n_along)):
        counts.append(own.copy())
        counts[-1][stays] += np.where(faces_alike, own[dropped], other[dropped])
    rows = [np.delete(values, dropped.reshape(-1), axis=0) for values in (faces.triangles, *counts)]
    return _Faces(*rows)


def _find_walls(vertices: NDArray[np.float64], faces: _Faces) -> NDArray[np.bool_]:
    """Mark triangles (T,) that have the solid on both sides."""
    cell = find_cells(vertices, faces.triangles)
    n_cells = int(cell.max()) + 1
    area = areas(vertices, faces.triangles)
    a, b, c = (vertices[faces.triangles[:, i]] for i in range(3))
    volume = (a * np.cross(b, c)).sum(axis=1) / 6
    volumes = np.bincount(cell[:, 1], volume, n_cells) - np.bincount(cell[:, 0], volume, n_cells)
    is_bounded = volumes > LEAST
    outward = sum(
        np.bincount(cell[:, side], area * (n > 0), n_cells)
        for side, n in ((1, faces.n_along), (0, faces.n_against))
    )
    share = outward / np.bincount(cell.T.reshape(-1), np.tile(area, 2), n_cells).clip(min=LEAST)
    is_solid = is_bounded & (share >= VOID)
    is_wall = np.asarray(is_solid[cell].all(axis=1))
    is_contradicted = is_wall & (np.minimum(faces.n_along, faces.n_against) == 0)
    if area[is_contradicted].sum() > CONSISTENT * area.sum():  # they face at random, and tell nothing
        is_wall = np.asarray(is_bounded[cell].all(axis=1))
    return is_wall


def find_cells(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the cells (T, 2) in front of and behind triangles, no two of the same corners."""
    edges = find_edges(triangles)
    half_edges = np.arange(triangles.size)
    angles = find_angles(half_edges, vertices, triangles, edges)
    order = np.lexsort([angles, edges.edge])
    is_last = np.append(np.diff(edges.edge[order]) > 0, True)
    following = np.append(order[1:], 0)
    starts = np.flatnonzero(np.append(True, is_last[:-1]))
    following[is_last] = order[starts]
    ahead = 2 * (order // 3) + ~edges.is_forward[order]  # the side that angles grow towards
    back = 2 * (following // 3) + edges.is_forward[following]
    return label_components(2 * len(triangles), np.stack([ahead, back], axis=1)).reshape(-1, 2)


def _find_doubtful(
    vertices: NDArray[np.float64], triangles: NDArray[np.int64], is_wall: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Mark the triangles (T,) of components in which an edge would be opened, or a wall is not inside."""
    edges = find_edges(triangles)
    n_left = np.bincount(edges.edge, np.repeat(~is_wall, 3))
    is_bad = ((n_left == 1) & (edges.n_triangles > 1))[edges.edge].reshape(-1, 3).any(axis=1)
    walls = np.flatnonzero(is_wall)
    chosen = np.random.default_rng(0).permutation(walls)[:N_POINTS]
    parts = [part for part in split_parts(vertices, triangles[~is_wall])[0] if part.is_closed]
    if not parts:
        return np.ones(len(triangles), dtype=bool)
    is_bad[chosen[~index_of(parts).contains(vertices[triangles[chosen]].mean(axis=1))]] = True
    order = np.argsort(edges.edge, kind="stable")
    is_same = np.diff(edges.edge[order]) == 0
    links = np.stack([order[:-1][is_same], order[1:][is_same]], axis=1) // 3
    component = label_components(len(triangles), links)
    return np.isin(component, component[is_bad])
