"""Connect triangles across edges, and cut a mesh apart into oriented manifold parts.

An edge of two triangles connects them. Around an edge of more, triangles are paired so that each pair bounds
a wedge of the solid: in the order of their angles, one that enters the solid with the next that leaves it.
Corners that no pairing connects become vertices of their own. What is left is a manifold with boundary,
whatever was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Edges(NamedTuple):
    """Half-edges of triangles (T, 3), 3 T in all: half-edge 3 t + i runs from corner i to corner i + 1."""

    edge: NDArray[np.int64]  # (3 T,) the number of its undirected edge
    is_forward: NDArray[np.bool_]  # (3 T,) from the vertex of the lesser number to the other
    ends: NDArray[np.int64]  # (E, 2) vertices of the edges, the lesser first
    n_triangles: NDArray[np.int64]  # (E,) at the edges

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """Mark the half-edges (3 T,) of edges of one triangle."""
        return self.n_triangles[self.edge] == 1


def find_edges(triangles: NDArray[np.int64]) -> Edges:
    """Number the edges of triangles (T, 3)."""
    start, end = triangles.reshape(-1), np.roll(triangles, -1, axis=1).reshape(-1)
    n = int(triangles.max(initial=0)) + 1
    keys = np.minimum(start, end) * n + np.maximum(start, end)
    found, edge, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return Edges(edge, start < end, np.stack([found // n, found % n], axis=1), counts)


@dataclass(frozen=True)
class Part:
    """Triangles that are connected across edges: an oriented manifold, with or without boundary."""

    index: int  # among the parts that were read
    vertices: NDArray[np.float64]  # (V, 3)
    triangles: NDArray[np.int64]  # (T, 3)
    is_orientable: bool = True

    @cached_property
    def is_closed(self) -> bool:
        """True if no edge has one triangle only."""
        return self.is_orientable and not bool(find_edges(self.triangles).is_open.any())

    @cached_property
    def bounds(self) -> NDArray[np.float64]:
        """Least and greatest coordinates (2, 3)."""
        return np.stack([self.vertices.min(axis=0), self.vertices.max(axis=0)])

    @cached_property
    def area(self) -> float:
        """Area of the triangles."""
        return float(areas(self.vertices, self.triangles).sum())

    @cached_property
    def volume(self) -> float:
        """Enclosed volume, negative if it is inside out."""
        a, b, c = (self.vertices[self.triangles[:, i]] - self.bounds[0] for i in range(3))
        return float((a * np.cross(b, c)).sum() / 6)

    def reversed(self) -> Part:
        """Return the part with its other side outward."""
        return Part(self.index, self.vertices, self.triangles[:, ::-1], self.is_orientable)


def areas(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute the areas (T,) of triangles."""
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    lengths: NDArray[np.float64] = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return lengths / 2


def join_parts(parts: list[Part]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Put parts side by side: vertices (V, 3) and triangles (T, 3)."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    triangles = [part.triangles + start for part, start in zip(parts, starts, strict=False)]
    return np.concatenate([part.vertices for part in parts]), np.concatenate(triangles)


def label_components(n: int, links: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the components (n,) of items under links (m, 2), in the order of their first items."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(links), dtype=bool), (links[:, 0], links[:, 1])), shape=(n, n))
    labels = connected_components(graph, directed=False)[1]
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def split_parts(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> tuple[list[Part], int]:
    """Cut triangles (T, 3) into parts; also count the triangles that were turned to agree with their part."""
    mates = pair_half_edges(vertices, triangles)
    h = np.flatnonzero(mates > np.arange(len(mates)))
    g = mates[h]
    runs_alike = triangles.reshape(-1)[h] == triangles.reshape(-1)[g]
    component, is_turned, is_one_sided = _orient(
        len(triangles), h // 3, g // 3, runs_alike, areas(vertices, triangles)
    )
    corners = _corner_classes(triangles, h, g, runs_alike)
    corners[is_turned] = corners[is_turned, ::-1]
    _, first = np.unique(corners, return_index=True)
    turned = np.where(is_turned[:, None], triangles[:, ::-1], triangles)
    positions = vertices[turned.reshape(-1)[first]]
    order = np.argsort(component, kind="stable")
    ends = np.cumsum(np.bincount(component))[:-1]
    parts = []
    for index, rows in enumerate(np.split(order, ends)):
        used, local = np.unique(corners[rows], return_inverse=True)
        parts.append(Part(index, positions[used], local.reshape(-1, 3), not is_one_sided[rows[0]]))
    return parts, int(is_turned.sum())


def _corner_classes(
    triangles: NDArray[np.int64], h: NDArray[np.int64], g: NDArray[np.int64], runs_alike: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Number the vertices (T, 3) of corners, those alike that paired half-edges h and g connect."""

    def after(half_edge: NDArray[np.int64]) -> NDArray[np.int64]:
        return half_edge // 3 * 3 + (half_edge + 1) % 3

    first, second = np.where(runs_alike, g, after(g)), np.where(runs_alike, after(g), g)
    links = np.concatenate([np.stack([h, first], axis=1), np.stack([after(h), second], axis=1)])
    return label_components(triangles.size, links).reshape(-1, 3)


def _orient(
    n: int,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    runs_alike: NDArray[np.bool_],
    area: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the component of triangles (n,), which are to be turned, and which are of a one-sided component.

    Triangles a and b are neighbours, and agree unless their half-edges run alike. In the graph of triangles
    as they are and turned, a two-sided component is there twice; the one with more area unturned is taken.
    """
    component = label_components(n, np.stack([a, b], axis=1))
    if not runs_alike.any():
        nothing = np.zeros(n, dtype=bool)
        return component, nothing, nothing
    sheet = label_components(
        2 * n,
        np.concatenate(
            [np.stack([a, b + n * runs_alike], axis=1), np.stack([a + n, b + n * ~runs_alike], axis=1)]
        ),
    )
    unturned = np.bincount(sheet[:n], area, minlength=int(sheet.max()) + 1)
    return component, unturned[sheet[n:]] > unturned[sheet[:n]], sheet[:n] == sheet[n:]


def pair_half_edges(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pair the half-edges (3 T,) of triangles: the mate of each, -1 where there is none."""
    edges = find_edges(triangles)
    mates = np.full(triangles.size, -1)
    n_at = edges.n_triangles[edges.edge]
    simple = np.flatnonzero(n_at == 2)
    _pair(mates, simple[np.argsort(edges.edge[simple], kind="stable")].reshape(-1, 2))
    crowded = np.flatnonzero(n_at > 2)
    if len(crowded):
        _pair_by_angle(mates, crowded, vertices, triangles, edges)
    return mates


def _pair(mates: NDArray[np.int64], pairs: NDArray[np.int64]) -> None:
    mates[pairs[:, 0]], mates[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]


def _pair_by_angle(
    mates: NDArray[np.int64],
    left: NDArray[np.int64],
    vertices: NDArray[np.float64],
    triangles: NDArray[np.int64],
    edges: Edges,
) -> None:
    """Pair half-edges of crowded edges: those that enter the solid, backward ones, with the next that leave.

    In rounds, since solids that overlap are entered twice before one is left. Where two that run alike are
    left over, as of triangles that face the wrong way, they are paired.
    """
    angles = _angles(left, vertices, triangles, edges)
    left = left[np.lexsort([edges.is_forward[left], angles, edges.edge[left]])]
    while len(left):
        following = _next_in_group(edges.edge[left])
        is_pair = ~edges.is_forward[left] & edges.is_forward[left[following]]
        if not is_pair.any():
            break
        _pair(mates, np.stack([left, left[following]], axis=1)[is_pair])
        left = left[mates[left] < 0]
    _, first, counts = np.unique(edges.edge[left], return_index=True, return_counts=True)
    first = first[counts == 2]
    _pair(mates, np.stack([left[first], left[np.minimum(first + 1, max(len(left) - 1, 0))]], axis=1))


def _next_in_group(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the next item (n,) of the same group, cyclically; items are sorted by group."""
    following = np.arange(1, len(groups) + 1)
    is_last = np.append(groups[1:] != groups[:-1], True)
    starts = np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
    following[is_last] = starts
    return following


def _angles(
    half_edges: NDArray[np.int64], vertices: NDArray[np.float64], triangles: NDArray[np.int64], edges: Edges
) -> NDArray[Any]:
    """Compute the angles (n,) of triangles about their edges, counterclockwise against their direction."""
    ends = vertices[edges.ends[edges.edge[half_edges]]]
    along = ends[:, 1] - ends[:, 0]
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), np.finfo(float).tiny)
    tips = vertices[triangles[half_edges // 3, (half_edges + 2) % 3]]
    axis = np.abs(along).argmin(axis=1)
    right = np.cross(along, np.eye(3)[axis])
    up = np.cross(along, right)
    out = tips - ends[:, 0]
    return np.arctan2((out * up).sum(axis=1), (out * right).sum(axis=1))
