"""Cut a mesh apart into oriented manifold parts.

Corners that no pair of triangles connects become vertices of their own. What is left is a manifold with
boundary, whatever was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from creased.meshes.queries import TriangleIndex
from creased.shapes.repair.edges import areas, ends_of, find_edges, label_components, unit
from creased.shapes.repair.pairing import pair_half_edges
from creased.shapes.surface import draw_by_weight

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_POINTS = 5_000_000  # that are looked up, of all parts
OF_PART = (16, 2000)  # least and most points of a part


@dataclass(frozen=True)
class Part:
    """Triangles that are connected across edges: an oriented manifold, with or without boundary."""

    index: int  # among the parts that were read
    vertices: NDArray[np.float64]  # (V, 3)
    triangles: NDArray[np.int64]  # (T, 3)

    @cached_property
    def is_closed(self) -> bool:
        """True if no edge has one triangle only."""
        return not bool(find_edges(self.triangles).is_open.any())

    @cached_property
    def bounds(self) -> NDArray[np.float64]:
        """Least and greatest coordinates (2, 3)."""
        return np.stack([self.vertices.min(axis=0), self.vertices.max(axis=0)])

    @cached_property
    def area(self) -> float:
        """Area of the triangles."""
        return float(areas(self.vertices, self.triangles).sum())

    @cached_property
    def normals(self) -> NDArray[np.float64]:
        """Unit normals (T, 3) of the triangles."""
        a, b, c = (self.vertices[self.triangles[:, i]] for i in range(3))
        return unit(np.cross(b - a, c - a))

    @cached_property
    def volume(self) -> float:
        """Enclosed volume, negative if it is inside out."""
        a, b, c = (self.vertices[self.triangles[:, i]] - self.bounds[0] for i in range(3))
        return float((a * np.cross(b, c)).sum() / 6)

    def reversed(self) -> Part:
        """Return the part with its other side outward."""
        return Part(self.index, self.vertices, self.triangles[:, ::-1])


def draw_points(
    part: Part, n: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw points (n, 3) of a part uniformly; also the triangle (n,) of each."""
    chosen = draw_by_weight(areas(part.vertices, part.triangles), n, rng)
    corners = part.vertices[part.triangles[chosen]]
    return (rng.dirichlet(np.ones(3), n)[:, :, None] * corners).sum(axis=1), chosen


def near_parts(parts: list[Part], margin: float) -> tuple[list[list[int]], int]:
    """List for each part the others whose bounding boxes are as near; and how many points of a part to draw.

    Each part is asked about the points of the others, `N_POINTS` in all.
    """
    bounds = np.stack([part.bounds for part in parts])
    low, high = bounds[:, 0] - margin, bounds[:, 1] + margin
    near = []
    for j in range(len(parts)):
        is_near = ((bounds[:, 0] <= high[j]) & (bounds[:, 1] >= low[j])).all(axis=1)
        is_near[j] = False
        near.append(np.flatnonzero(is_near).tolist())
    n_pairs = max(sum(map(len, near)), 1)
    return near, int(np.clip(N_POINTS // n_pairs, *OF_PART))


def join_parts(parts: list[Part]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Put parts side by side: vertices (V, 3) and triangles (T, 3)."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    triangles = [part.triangles + start for part, start in zip(parts, starts, strict=False)]
    return np.concatenate([part.vertices for part in parts]), np.concatenate(triangles)


def index_of(parts: list[Part]) -> TriangleIndex:
    """Index closed parts, all turned outward."""
    return TriangleIndex(*join_parts([part if part.volume > 0 else part.reversed() for part in parts]))


def split_parts(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> tuple[list[Part], int]:
    """Cut triangles (T, 3) into parts; also count the triangles that were turned to agree with their part.

    A one-sided surface is cut open where its triangles disagree.
    """
    pairs = pair_half_edges(vertices, triangles)
    starts = triangles.reshape(-1)
    runs_alike = starts[pairs[:, 0]] == starts[pairs[:, 1]]
    component, is_turned, is_one_sided = _orient(triangles, pairs, runs_alike, areas(vertices, triangles))
    if is_one_sided.any():
        is_kept = ~(runs_alike & is_one_sided[pairs[:, 0] // 3])
        pairs, runs_alike = pairs[is_kept], runs_alike[is_kept]
        component, is_turned, _ = _orient(triangles, pairs, runs_alike, areas(vertices, triangles))
    corners = _corner_classes(triangles, pairs, runs_alike)
    crowded = _crowded_pairs(corners, pairs)
    if len(crowded):
        return split_parts(*_split_edges(vertices, triangles, crowded))
    corners[is_turned] = corners[is_turned, ::-1]
    _, first = np.unique(corners, return_index=True)
    turned = np.where(is_turned[:, None], triangles[:, ::-1], triangles)
    positions = vertices[turned.reshape(-1)[first]]
    order = np.argsort(component, kind="stable")
    ends = np.cumsum(np.bincount(component))[:-1]
    parts = []
    for index, rows in enumerate(np.split(order, ends)):
        used, local = np.unique(corners[rows], return_inverse=True)
        parts.append(Part(index, positions[used], local.reshape(-1, 3)))
    return parts, int(is_turned.sum())


def _crowded_pairs(corners: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Select pairs of half-edges (m, 2) whose ends are those of another pair, no triangle in two of them."""
    h, g = pairs.T
    ends = np.sort(np.stack(ends_of(corners, h), axis=1))
    _, first, inverse = np.unique(ends, axis=0, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[inverse] != np.arange(len(h)))
    taken: set[int] = set()
    chosen = []
    for row in again.tolist():
        pair = {int(h[row]) // 3, int(g[row]) // 3}
        if not pair & taken:
            taken |= pair
            chosen.append(row)
    return np.stack([h[chosen], g[chosen]], axis=1)


def _split_edges(
    vertices: NDArray[np.float64], triangles: NDArray[np.int64], pairs: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Split the edge of each pair of half-edges (m, 2) in its middle, by a vertex of its own."""
    corners = triangles.reshape(-1)
    following = pairs // 3 * 3 + (pairs + 1) % 3
    opposite = corners[pairs // 3 * 3 + (pairs + 2) % 3]
    start, end = corners[pairs], corners[following]
    middle = np.broadcast_to(len(vertices) + np.arange(len(pairs))[:, None], pairs.shape)
    positions = (vertices[start[:, 0]] + vertices[end[:, 0]]) / 2
    halves = [
        np.stack(of, axis=-1).reshape(-1, 3) for of in ((start, middle, opposite), (middle, end, opposite))
    ]
    kept = np.delete(triangles, (pairs // 3).reshape(-1), axis=0)
    return np.concatenate([vertices, positions]), np.concatenate([kept, *halves])


def _corner_classes(
    triangles: NDArray[np.int64], pairs: NDArray[np.int64], runs_alike: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Number the vertices (T, 3) of corners, those alike that pairs of half-edges connect."""

    def after(half_edge: NDArray[np.int64]) -> NDArray[np.int64]:
        return half_edge // 3 * 3 + (half_edge + 1) % 3

    h, g = pairs.T
    first, second = np.where(runs_alike, g, after(g)), np.where(runs_alike, after(g), g)
    links = np.concatenate([np.stack([h, first], axis=1), np.stack([after(h), second], axis=1)])
    return label_components(triangles.size, links).reshape(-1, 3)


def _orient(
    triangles: NDArray[np.int64],
    pairs: NDArray[np.int64],
    runs_alike: NDArray[np.bool_],
    area: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the component of triangles (T,), which are to be turned, and which are of a one-sided component.

    The triangles of a pair agree unless their half-edges run alike. In the graph of triangles as they are and
    turned, a two-sided component is there twice; the one with more area unturned is taken.
    """
    n, (a, b) = len(triangles), pairs.T // 3
    component = label_components(n, np.stack([a, b], axis=1))
    if not runs_alike.any():
        nothing = np.zeros(n, dtype=bool)
        return component, nothing, nothing
    links = [np.stack([a, b + n * runs_alike], axis=1), np.stack([a + n, b + n * ~runs_alike], axis=1)]
    sheet = label_components(2 * n, np.concatenate(links))
    unturned = np.bincount(sheet[:n], area, minlength=int(sheet.max()) + 1)
    own, other = sheet[:n], sheet[n:]
    is_turned = (unturned[other] > unturned[own]) | ((unturned[other] == unturned[own]) & (other < own))
    return component, is_turned, own == other
