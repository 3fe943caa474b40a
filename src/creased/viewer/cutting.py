"""Cut meshes and segments open along a plane across an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class HalfSpace(NamedTuple):
    """The points with side * (x[axis] - offset) <= 0."""

    axis: int
    offset: float
    side: int  # 1: below the plane is kept; -1: above

    def heights(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute heights (...) of points (..., 3) over the plane, negative where they are kept."""
        return self.side * (points[..., self.axis] - np.float32(self.offset))


def cut_triangles(
    vertices: NDArray[np.float32], triangles: NDArray[np.int32], kept: HalfSpace
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.int64]]:
    """Cut off what lies above a plane.

    Args:
        vertices: (V, 3).
        triangles: (T, 3) over them.
        kept: the half-space.

    Returns:
        The vertices, with those on the plane appended; the triangles; of each the one that it is part of.
    """
    is_above = kept.heights(vertices)[triangles] > 0
    n_above = is_above.sum(axis=1)
    new, parts, owners = [vertices], [triangles[n_above == 0]], [np.flatnonzero(n_above == 0)]
    n_vertices = len(vertices)
    for n, lone in ((1, True), (2, False)):  # the corner that is alone on its side comes first
        crossing = np.flatnonzero(n_above == n)
        first = (is_above[crossing] == lone).argmax(axis=1)
        turned = np.take_along_axis(triangles[crossing], (first[:, None] + np.arange(3)) % 3, axis=1)
        a, b, c = turned.T
        new += [_crossings(vertices, a, b, kept), _crossings(vertices, a, c, kept)]
        ab = n_vertices + np.arange(len(crossing), dtype=np.int32)
        ac, n_vertices = ab + len(crossing), n_vertices + 2 * len(crossing)
        if n == 1:
            parts += [np.stack([ab, b, c], axis=1), np.stack([ab, c, ac], axis=1)]
            owners += [crossing, crossing]
        else:
            parts.append(np.stack([a, ab, ac], axis=1))
            owners.append(crossing)
    return np.concatenate(new), np.concatenate(parts).astype(np.int32), np.concatenate(owners)


def cut_segments(
    points: NDArray[np.float32], kept: HalfSpace
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cut segments (E, 2, 3) likewise: those that are left (n, 2, 3), and which (n,) they are part of."""
    heights = kept.heights(points)
    which = np.flatnonzero((heights <= 0).any(axis=1))
    left, over = points[which].copy(), heights[which]
    for end in (0, 1):
        is_above = over[:, end] > 0
        share = over[is_above, end] / (over[is_above, end] - over[is_above, 1 - end])
        here, there = points[which][is_above, end], points[which][is_above, 1 - end]
        left[is_above, end] = here + share[:, None] * (there - here)
    return left, which


def _crossings(
    vertices: NDArray[np.float32], start: NDArray[np.int32], end: NDArray[np.int32], kept: HalfSpace
) -> NDArray[np.float32]:
    """Find where edges (n,) to (n,) cross the plane: (n, 3)."""
    a, b = vertices[start], vertices[end]
    over = kept.heights(a)
    share = over / (over - kept.heights(b))
    return a + share[:, None] * (b - a)
