"""Merge bodies whose hull stays within an error of {f < level}.

The hull is proven to stay there itself (`offset_tree`): errors do not add up over merges. The pair whose hull
adds least to the two volumes comes first; it may take some away, where the two overlap.
"""

from __future__ import annotations

from typing import Any

from creased.decomposition.greedy_merge import Bodies, Body
from creased.decomposition.inside_cells import InsideCells
from creased.decomposition.offset_tree import OffsetTree
from creased.extras import how_to_install

FLAT = 1e-13  # height of vertices over the plane of a facet that is none, of the size of the domain


class HullsWithin:
    """The rule that no point of a hull may be farther from {f < level} than an error."""

    def __init__(self, cells: InsideCells, tree: OffsetTree) -> None:
        self._points, self._noise, self._tree = cells.vertices.numpy(), FLAT * cells.size, tree

    def start(self, bodies: Bodies) -> None:
        """Give bodies the planes of their facets."""
        for number, body in bodies.of.items():
            hull = hull_of(self._points[[*body.vertices]])
            bodies.of[number] = body._replace(planes=hull.equations, hull_volume=float(hull.volume))

    def priority(self, first: Body, second: Body, facet: int) -> tuple[float, ...]:
        """Put least the volume that the hull adds."""
        hull = hull_of(self._points[[*(first.vertices | second.vertices)]])
        return (float(hull.volume) - first.hull_volume - second.hull_volume,)

    def union(self, first: Body, second: Body, facet: int) -> Body | None:
        """Take the hull of two bodies."""
        numbers = [*(first.vertices | second.vertices)]
        points = self._points[numbers]
        hull = hull_of(points)
        inner = [self._inner(body, points) for body in (first, second)]
        if not self._tree.holds(hull.equations, inner):
            return None
        vertices = frozenset(numbers[k] for k in hull.vertices.tolist())
        volume, error = first.volume + second.volume, self._tree.error
        return Body(vertices, volume, error, hull.equations, float(hull.volume))

    def _inner(self, body: Body, points: Any) -> Any:
        """Planes of a body that points of the hull are beyond."""
        beyond = points @ body.planes[:, :-1].T + body.planes[:, -1]
        return body.planes[(beyond > self._noise).any(axis=0)]


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
