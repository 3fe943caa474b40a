"""Bound how far the convex hull of two convex bodies sticks out of their union.

Let P and Q be convex, S the hull of points that both have, and h = 0 any plane. A point of the hull K of P
and Q with h <= 0 is a convex combination of vertices of K with h <= 0 and of points where segments between
vertices cross the plane. The distance to P is convex, so that its maximum over this side of K is taken at
one of these. It is 0 at vertices of P, and nowhere larger than the distance to S, as S is a part of P. The
other side is the same with Q. So no point of K is farther from the union than the farthest crossing, or
vertex on the wrong side, is from S. If S is all that P and Q share, and lies in the plane, the bound is 0 if
and only if the union is convex: every crossing is then in P and in Q.

Many pairs are looked at together; lists of points are filled up with copies of points in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]


class Pairs(NamedTuple):
    """B pairs of convex bodies in D = 2 or 3 dimensions."""

    first: Floats  # (B, p, D) float64: vertices of one that are not shared
    second: Floats  # (B, q, D) float64: vertices of the other that are not shared
    shared: Floats  # (B, s, D) float64: points of both, D or more
    normals: Floats  # (B, D) float64: of a plane, of unit length, from the first to the second


def hull_gaps(pairs: Pairs, noise: float) -> Floats:
    """Bound the distances (B,) of points of the hulls from the two bodies.

    Args:
        pairs: the bodies.
        noise: distance from the plane that counts as none.
    """
    import numpy as np

    frames = _frames(pairs.normals)
    origin = pairs.shared.mean(axis=1, keepdims=True)
    first, second, shared = (np.matmul(x - origin, frames) for x in pairs[:3])  # the height comes last
    for local in (first, second, shared):
        heights = local[..., -1]
        heights[np.abs(heights) <= noise] = 0
    edges = _edges(shared[..., :-1])
    tilts = np.abs(shared[..., -1]).max(axis=1)
    wrong = np.concatenate([np.maximum(first[..., -1], 0), np.maximum(-second[..., -1], 0)], axis=1)
    gaps = np.hypot(_farthest(_crossings(first, second), edges), tilts)
    skew = ((tilts > 0) | (wrong > 0).any(axis=1)).nonzero()[0]  # all segments count, and vertices
    if len(skew):
        every = np.concatenate([first[skew], second[skew], shared[skew]], axis=1)
        flat = np.concatenate([first[skew, :, :-1], second[skew, :, :-1]], axis=1)
        few = _Edges(*(part[skew] for part in edges))
        off = np.where(wrong[skew] > 0, np.hypot(_distances(flat, few), wrong[skew] + tilts[skew, None]), 0)
        across = np.hypot(_farthest(_crossings(every, every), few), tilts[skew])
        gaps[skew] = np.maximum(across, off.max(axis=1))
    return gaps


def _frames(normals: Floats) -> Floats:
    """Orthogonal matrices (B, D, D) the last column of which is a unit vector (B, D) (Duff et al. 2017)."""
    import numpy as np

    if normals.shape[1] == 2:
        return np.stack([np.stack([-normals[:, 1], normals[:, 0]], axis=1), normals], axis=2)
    x, y, z = normals.T
    sign = np.copysign(1.0, z)
    p = -1 / (sign + z)
    q = x * y * p
    across = np.stack([1 + sign * x * x * p, sign * q, -sign * x], axis=1)
    along = np.stack([q, sign + y * y * p, -y], axis=1)
    return np.stack([across, along, normals], axis=2)


def _crossings(first: Floats, second: Floats) -> Floats:
    """Places (B, p q, D - 1) in the plane where segments from below or on it to above or on it cross it.

    Other segments have the origin, which is in the hull of what is shared.
    """
    import numpy as np

    depth, height = -first[:, :, None, -1:], second[:, None, :, -1:]
    share = depth / np.maximum(depth + height, np.finfo(float).tiny)
    start = first[:, :, None, :-1]
    found = start + share * (second[:, None, :, :-1] - start)
    found = np.where((depth >= 0) & (height >= 0), found, 0)
    return found.reshape(len(first), -1, found.shape[-1])


class _Edges(NamedTuple):
    """Edges of convex polygons, or ends of segments, filled up with copies."""

    start: Floats  # (B, k, d)
    along: Floats  # (B, k, d): unit vectors; of segments, outward
    length: Floats  # (B, k)


def _edges(points: Floats) -> _Edges:
    """Find the edges of the hulls of points (B, s, d), d = 1 or 2, counter-clockwise."""
    import numpy as np

    if points.shape[2] == 1:
        ends = np.stack([points.min(axis=1), points.max(axis=1)], axis=1)
        return _Edges(ends, np.broadcast_to([[[-1.0], [1.0]]], ends.shape), np.zeros(ends.shape[:2]))
    arms = points[:, None] - points[:, :, None]  # (B, i, j, 2): from i to j
    length = np.hypot(arms[..., 0], arms[..., 1])
    unit = arms / np.maximum(length, np.finfo(float).tiny)[..., None]
    turned = np.stack([unit[..., 1], -unit[..., 0]], axis=-1)  # to the right
    right = np.einsum("bijd,bikd->bijk", turned, arms)
    n = points.shape[1]
    rounding = 16 * np.finfo(float).eps * length.max(axis=(1, 2))
    is_edge = (
        (right <= rounding[:, None, None, None]).all(axis=3) & (length > rounding[:, None, None])
    ).reshape(-1, n * n)
    n_edges = max(int(is_edge.sum(axis=1).max()), 1)
    order = np.argsort(~is_edge, axis=1, kind="stable")[:, :n_edges]
    order = np.where(np.take_along_axis(is_edge, order, axis=1), order, order[:, :1])
    rows = np.arange(len(points))[:, None]
    unit, length = unit.reshape(len(points), -1, 2)[rows, order], length.reshape(-1, n * n)[rows, order]
    return _Edges(points[rows, order // n], unit, length)


def _farthest(points: Floats, edges: _Edges) -> Floats:
    """Largest distances (B,) of points (B, n, d) from hulls."""
    return _distances(points, edges).max(axis=1, initial=0.0)


def _distances(points: Floats, edges: _Edges) -> Floats:
    """Distances (B, n) of points (B, n, d) from hulls, 0 inside."""
    import numpy as np

    if points.shape[2] == 1:
        beyond = np.einsum("bnd,bkd->bnk", points, edges.along) - (edges.start * edges.along).sum(2)[:, None]
        return np.maximum(beyond.max(axis=2), 0)
    outward = np.stack([edges.along[..., 1], -edges.along[..., 0]], axis=-1)
    beyond = np.einsum("bnd,bkd->bnk", points, outward) - (edges.start * outward).sum(2)[:, None]
    past = np.einsum("bnd,bkd->bnk", points, edges.along) - (edges.start * edges.along).sum(2)[:, None]
    rest = past - np.clip(past, 0, edges.length[:, None])
    to_edges = np.sqrt(beyond * beyond + rest * rest).min(axis=2)
    return np.where(beyond.max(axis=2) <= 0, 0, to_edges)
