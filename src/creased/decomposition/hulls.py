"""Merge bodies whose hull stays within an error of a solid.

The hull is proven to stay there itself (`offset_tree`): errors do not add up over merges. The pair whose hull
adds least to the two volumes comes first; it may take some away, where the two overlap.
"""

from __future__ import annotations

from typing import Any

from creased.decomposition.greedy_merge import Body
from creased.decomposition.offset_tree import OffsetTree
from creased.extras import how_to_install

FLAT = 1e-13  # height of vertices over the plane of a facet that is none, of the size of the solid


class HullsWithin:
    """The rule that no point of a hull may be farther from a solid than an error.

    Args:
        points: (V, D) float64: vertices of bodies.
        tree: of the solid.
    """

    def __init__(self, points: Any, tree: OffsetTree) -> None:
        self._points, self._noise, self._tree = points, FLAT * tree.size, tree

    def start(self, of: dict[int, Body]) -> None:
        """Make bodies pieces, with the planes of their facets."""
        for number, body in of.items():
            hull = hull_of(self._points[[*body.vertices]])
            of[number] = body._replace(
                volume=float(hull.volume), planes=hull.equations, pieces=frozenset((number,))
            )

    def priority(self, first: Body, second: Body, facet: int) -> tuple[float, ...]:
        """Put least the volume that the hull adds."""
        hull = hull_of(self._points[[*(first.vertices | second.vertices)]])
        return (float(hull.volume) - first.volume - second.volume,)

    def union(self, first: Body, second: Body, facet: int) -> Body | None:
        """Take the hull of two bodies."""
        pieces = first.pieces | second.pieces
        if self.height(second, first) <= self._noise:
            return first._replace(pieces=pieces)
        numbers = [*(first.vertices | second.vertices)]
        hull = hull_of(self._points[numbers])
        inner = [self._cut_off(first, second), self._cut_off(second, first)]
        if not self._tree.holds(planes_around(hull), inner):
            return None
        vertices = frozenset(numbers[k] for k in hull.vertices.tolist())
        return Body(vertices, float(hull.volume), self._tree.error, hull.equations, pieces)

    def height(self, body: Body, other: Body) -> float:
        """Largest height of a body over a plane of another: 0 or less where it is in that one."""
        return float(self._heights(body, other).max())

    def _cut_off(self, body: Body, other: Body) -> Any:
        """Planes of a body that another one is beyond, too."""
        return body.planes[(self._heights(other, body) > self._noise).any(axis=0)]

    def _heights(self, body: Body, other: Body) -> Any:
        """Heights of vertices of a body over planes of another."""
        return self._points[[*body.vertices]] @ other.planes[:, :-1].T + other.planes[:, -1]


def hull_of(points: Any) -> Any:
    """Compute the convex hull of points (n, D): a `scipy.spatial.ConvexHull`.

    Raises:
        ImportError: scipy is not installed.
    """
    try:
        from scipy.spatial import ConvexHull
    except ImportError as error:
        raise ImportError(f"convex parts need scipy: {how_to_install('shapes')}") from error
    return ConvexHull(points)


def planes_around(hull: Any) -> Any:
    """Return the planes (n, D + 1) of facets of a hull, and of its bounding box.

    Beyond a sharp edge no facet parts it from boxes that are near to the planes of both facets there.
    """
    import numpy as np

    axes = np.eye(hull.points.shape[1])
    ends = np.column_stack([axes, -hull.max_bound]), np.column_stack([-axes, hull.min_bound])
    return np.concatenate([hull.equations, *ends])
