"""Pair triangles across edges, also where more than two meet.

An edge of two triangles connects them. Around an edge of more, triangles are paired so that each pair bounds
a wedge of the solid: in the order of their angles, one that enters the solid with the next that leaves it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from creased.shapes.repair.edges import Edges, find_edges, label_components, unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME_ANGLE = 1e-4  # radians: triangles as near as this lie on one another


def pair_half_edges(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pair half-edges of triangles (T, 3) across edges: (n, 2).

    At an edge of more than two triangles, the two of one patch are paired if there are just two of it and
    they agree, and then others by their angles. A patch is connected across edges of two triangles.
    """
    edges = find_edges(triangles)
    n_at = edges.n_triangles[edges.edge]
    simple = np.flatnonzero(n_at == 2)
    pairs = simple[np.argsort(edges.edge[simple], kind="stable")].reshape(-1, 2)
    crowded = np.flatnonzero(n_at > 2)
    if not len(crowded):
        return pairs
    patch = label_components(len(triangles), pairs // 3)
    own, left = _pair_own(crowded, patch, edges)
    return np.concatenate([pairs, own, _pair_by_angle(left, vertices, triangles, edges)])


def _pair_own(
    crowded: NDArray[np.int64], patch: NDArray[np.int64], edges: Edges
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair half-edges of crowded edges (n, 2) that are the only two of their patch; also list the others."""
    key = edges.edge[crowded] * len(patch) + patch[crowded // 3]
    order = np.argsort(key, kind="stable")
    _, first, counts = np.unique(key[order], return_index=True, return_counts=True)
    first = first[counts == 2]
    pairs = np.stack([crowded[order[first]], crowded[order[first + 1]]], axis=1)
    pairs = pairs[edges.is_forward[pairs[:, 0]] != edges.is_forward[pairs[:, 1]]]
    return pairs, np.setdiff1d(crowded, pairs)


def _pair_by_angle(
    left: NDArray[np.int64], vertices: NDArray[np.float64], triangles: NDArray[np.int64], edges: Edges
) -> NDArray[np.int64]:
    """Pair half-edges of crowded edges: those that enter the solid, backward ones, with the next that leave.

    Of triangles on one another, as of solids that share a face, those that leave come first. In rounds, since
    solids that overlap are entered twice before one is left.
    """
    left = left[np.argsort(edges.edge[left], kind="stable")]
    group = edges.edge[left]
    angles = find_angles(left, vertices, triangles, edges)
    is_first = np.append(True, group[1:] != group[:-1])[: len(left)]
    start = angles[np.maximum.accumulate(np.where(is_first, np.arange(len(left)), 0))]
    turned = (angles - start + SAME_ANGLE) % (2 * np.pi)
    order = np.lexsort([turned, group])
    steps = np.diff(turned[order], prepend=-1.0)
    direction = np.cumsum((steps > SAME_ANGLE) | is_first)  # triangles on one another have the same
    left = left[order][np.lexsort([~edges.is_forward[left[order]], direction])]
    pairs = [np.zeros((0, 2), dtype=np.int64)]
    while len(left):
        following = _next_in_group(edges.edge[left])
        is_pair = ~edges.is_forward[left] & edges.is_forward[left[following]]
        if not is_pair.any():
            break
        pairs.append(np.stack([left, left[following]], axis=1)[is_pair])
        left = left[~(is_pair | np.isin(left, pairs[-1][:, 1]))]
    return np.concatenate(pairs)


def _next_in_group(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the next item (n,) of the same group, cyclically; items are sorted by group."""
    following = np.arange(1, len(groups) + 1)
    is_last = np.append(groups[1:] != groups[:-1], True)
    starts = np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
    following[is_last] = starts
    return following


def find_angles(
    half_edges: NDArray[np.int64], vertices: NDArray[np.float64], triangles: NDArray[np.int64], edges: Edges
) -> NDArray[Any]:
    """Compute the angles (n,) of triangles about their edges, counterclockwise against their direction."""
    ends = vertices[edges.ends[edges.edge[half_edges]]]
    along = unit(ends[:, 1] - ends[:, 0])
    tips = vertices[triangles[half_edges // 3, (half_edges + 2) % 3]]
    axis = np.abs(along).argmin(axis=1)
    right = np.cross(along, np.eye(3)[axis])
    up = np.cross(along, right)
    out = tips - ends[:, 0]
    return np.arctan2((out * up).sum(axis=1), (out * right).sum(axis=1))
