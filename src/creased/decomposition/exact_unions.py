"""Merge bodies whose union is convex, as the vertices that they share tell.

Let P and Q be convex, on either side of a plane, and S the hull of the vertices that both have, which are in
the plane. A point of the hull of P and Q on one side is a convex combination of vertices there and of places
where segments between a vertex of P and one of Q cross the plane. So the union is convex if and only if all
these crossings are in S. Then S is the facet between the bodies, and a vertex of it is none of the union if
and only if a crossing is there; all other vertices are vertices of the union.

Pairs across neurons of the last layer come first, then the largest. What a neuron of the last layer cut was
whole before it, so that cells of earlier layers come back, wherever no surface is between: on a bunny of
three layers that leaves 1,243 bodies of 12,818 cells, where the order of volumes alone leaves 3,122.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from creased.decomposition.greedy_merge import Bodies, Body
from creased.decomposition.inside_cells import InsideCells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

ROUNDING = 1e-11  # distances that are none, of the size of the domain


def cells_as_bodies(cells: InsideCells) -> Bodies:
    """Make every cell a body; facets are numbered as pairs of cells, and ranked by layer."""
    corners = cells.corners.tolist()
    ends = pairwise(cells.offsets.tolist())
    of = {
        k: Body(frozenset(corners[start:end]), volume)
        for k, ((start, end), volume) in enumerate(zip(ends, cells.volumes.tolist(), strict=True))
    }
    around: dict[int, dict[int, int]] = {k: {} for k in of}
    for facet, (first, second) in enumerate(cells.pairs.tolist()):
        around[first][second] = around[second][first] = facet
    return Bodies(of, around, cells.layers.tolist())


class ExactUnions:
    """The rule that a union has to be convex, up to rounding."""

    def __init__(self, cells: InsideCells) -> None:
        self._points, self._normals = cells.vertices.numpy(), cells.normals.numpy()
        self._layers, self._noise = cells.layers.tolist(), ROUNDING * cells.size

    def priority(self, first: Body, second: Body, facet: int) -> tuple[float, ...]:
        """Put the last layer first, then the largest."""
        return -self._layers[facet], -first.volume - second.volume

    def union(self, first: Body, second: Body, facet: int) -> Body | None:
        """Merge bodies whose union is convex."""
        shared = [*(first.vertices & second.vertices)]
        if len(shared) < self._points.shape[1]:
            return None
        sides = ([*(body.vertices.difference(shared))] for body in (first, second))
        below, above, between = (self._points[numbers] for numbers in (*sides, shared))
        vanishes = vanishing_vertices(below, above, between, self._normals[facet], self._noise)
        if vanishes is None:
            return None
        gone = (vertex for vertex, is_gone in zip(shared, vanishes.tolist(), strict=True) if is_gone)
        return Body((first.vertices | second.vertices).difference(gone), first.volume + second.volume)


def vanishing_vertices(
    first: Floats, second: Floats, shared: Floats, normal: Floats, noise: float
) -> NDArray[Any] | None:
    """Mark the shared vertices (s,) that are none of the union; None where it is not convex.

    Args:
        first: vertices (p, D) of one body that are not shared, D = 2 or 3.
        second: vertices (q, D) of the other that are not shared.
        shared: vertices (s, D) of both, D or more.
        normal: (D,) of the plane between them, of unit length; 0 for that which fits the shared vertices.
        noise: distance that counts as none.
    """
    import numpy as np

    centre = shared.mean(axis=0)
    frame = _frame(normal if normal.any() else np.linalg.svd(shared - centre)[2][-1])
    first, second, shared = ((points - centre) @ frame for points in (first, second, shared))
    turn = -1 if first[:, -1].sum() > second[:, -1].sum() else 1
    depth, height = -turn * first[:, -1], turn * second[:, -1]
    if max(-depth.min(initial=0), -height.min(initial=0), np.abs(shared[:, -1]).max()) > noise:
        return None
    depth, height = np.maximum(depth, 0)[:, None], np.maximum(height, 0)
    share = (depth / np.maximum(depth + height, np.finfo(float).tiny))[..., None]
    start = first[:, None, :-1]
    crossings = (start + share * (second[:, :-1] - start)).reshape(-1, len(frame) - 1)
    corners, outward = _edges(shared[:, :-1])
    beyond = crossings @ outward.T - (corners * outward).sum(axis=1)
    if beyond.max(initial=0) > noise:
        return None
    return (np.abs(crossings[:, None] - shared[:, :-1]).max(axis=2) <= noise).any(axis=0)


def _frame(normal: Floats) -> Floats:
    """Orthogonal matrix (D, D) the last column of which is a unit vector (Duff et al. 2017)."""
    import numpy as np

    if len(normal) == 2:
        return np.array([[-normal[1], normal[0]], [normal[0], normal[1]]])
    x, y, z = normal.tolist()
    sign = 1.0 if z >= 0 else -1.0
    p = -1 / (sign + z)
    q = x * y * p
    return np.array([[1 + sign * x * x * p, q, x], [sign * q, sign + y * y * p, y], [-sign * x, -y, z]])


def _edges(points: Floats) -> tuple[Floats, Floats]:
    """Corners (s, d) of a convex polygon, given in any order, and unit normals (s, d) outward of its edges.

    Of d = 1 both ends of a segment.
    """
    import numpy as np

    if points.shape[1] == 1:
        return np.array([points.min(axis=0), points.max(axis=0)]), np.array([[-1.0], [1.0]])
    corners = points[np.argsort(np.arctan2(points[:, 1], points[:, 0]))]
    along = np.roll(corners, -1, axis=0) - corners
    along /= np.hypot(along[:, 0], along[:, 1])[:, None]
    return corners, np.stack([along[:, 1], -along[:, 0]], axis=1)
