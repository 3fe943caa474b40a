"""Press together solids that touch within a tolerance: faces that rounding keeps apart cannot be united.

Two touch if points of one are that near to the other and face it. Where the faces are not in exactly one
plane, those of the smaller are moved into the other, as deep as the gap is wide, by their vertices; of the
larger only vertices that near to the smaller. Solids that meet at edges or points alone are left apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from creased.meshes.queries import TriangleIndex
from creased.shapes.repair.parts import Part, draw_points, near_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FEWEST = 3  # points that face the other solid: fewer are no contact
FACING = -0.99  # largest cosine between normals that face each other
EXACT = 1e-13  # of the size: planes as near as this are one, and can be united


def press_together(solids: list[Part], tolerance: float) -> list[Part]:
    """Move vertices of solids, in units of the size, into others that they touch."""
    if len(solids) < 2 or not tolerance > 0:
        return solids
    near, n = near_parts(solids, tolerance)
    rng = np.random.default_rng(0)
    samples = [draw_points(part, n, rng) for part in solids]
    normals = [part.normals[own] for part, (_, own) in zip(solids, samples, strict=True)]
    moved = [part.vertices.copy() for part in solids]
    for j, (other, chosen) in enumerate(zip(solids, near, strict=True)):
        if not chosen:
            continue
        points, own = (np.concatenate([samples[i][k] for i in chosen]) for k in (0, 1))
        sample = _Sample(points, own, np.concatenate([normals[i] for i in chosen]), np.repeat(chosen, n))
        planes = _Planes(other)
        for i, contact in _find_contacts(sample, planes, other.bounds, tolerance):
            is_smaller = (solids[i].area, i) < (other.area, j)
            _move_into(moved[i], solids[i], planes, contact if is_smaller else contact.alone(), tolerance)
    return [Part(part.index, vertices, part.triangles) for part, vertices in zip(solids, moved, strict=True)]


class _Sample(NamedTuple):
    """Points of several solids, those of one after those of another."""

    points: NDArray[np.float64]  # (n, 3)
    own: NDArray[np.int64]  # (n,) triangles of their solids
    normals: NDArray[np.float64]  # (n, 3) of these
    solid: NDArray[np.int64]  # (n,)

    def select(self, chosen: NDArray[np.bool_]) -> _Sample:
        """Select points (n,)."""
        return _Sample(self.points[chosen], self.own[chosen], self.normals[chosen], self.solid[chosen])


class _Planes:
    """The nearest triangles of a solid, and the planes of triangles."""

    def __init__(self, part: Part) -> None:
        self.index = TriangleIndex(part.vertices, part.triangles)
        self.corner, self.normal = part.vertices[part.triangles[:, 0]], part.normals

    def heights(self, points: NDArray[np.float64], triangle: NDArray[Any]) -> NDArray[np.float64]:
        """Compute the heights (n,) of points (n, 3) above the planes of triangles (n,)."""
        heights: NDArray[np.float64] = ((points - self.corner[triangle]) * self.normal[triangle]).sum(axis=1)
        return heights


class _Contact(NamedTuple):
    """Points of one solid that face triangles of another."""

    points: NDArray[np.float64]  # (n, 3)
    own: NDArray[np.int64]  # (n,) triangles of the one
    triangle: NDArray[np.int32]  # (n,) triangles of the other
    gap: float  # largest distance from the planes of the latter

    def alone(self) -> _Contact:
        """Return the contact without triangles of the one, so that its faces stay where they are."""
        return self._replace(own=self.own[:0])


def _find_contacts(
    sample: _Sample, planes: _Planes, bounds: NDArray[np.float64], tolerance: float
) -> Iterator[tuple[int, _Contact]]:
    """Find the points that face a solid within the tolerance, by their solids.

    Solids of few such points are left out, and those all of whose points are in its planes.
    """
    low, high = bounds + tolerance * np.array([[-1], [1]])
    is_near = ((sample.points >= low) & (sample.points <= high)).all(axis=1)
    if is_near.sum() < FEWEST:
        return
    sample = sample.select(is_near)
    found = planes.index.nearest(sample.points)
    touches = found.distance < tolerance
    touches &= (sample.normals * planes.normal[found.triangle]).sum(axis=1) < FACING
    if touches.sum() < FEWEST:
        return
    sample, triangle = sample.select(touches), found.triangle[touches]
    heights = np.abs(planes.heights(sample.points, triangle))
    solids, starts = np.unique(sample.solid, return_index=True)
    ends = np.append(starts[1:], len(heights))
    for i, start, end in zip(solids.tolist(), starts, ends, strict=True):
        rows = slice(start, end)
        gap = float(heights[rows].max())
        if end - start >= FEWEST and gap > EXACT:
            yield i, _Contact(sample.points[rows], sample.own[rows], triangle[rows], gap)


def _move_into(
    moved: NDArray[np.float64], part: Part, planes: _Planes, contact: _Contact, tolerance: float
) -> None:
    """Move vertices (V, 3) of triangles in contact, and others as near, through the planes of the contact."""
    from scipy.spatial import cKDTree

    triangle = contact.triangle[cKDTree(contact.points).query(part.vertices)[1]]
    height = planes.heights(part.vertices, triangle)
    is_close = planes.index.nearest(part.vertices).distance < tolerance
    is_close[part.triangles[contact.own]] = True
    is_close &= np.abs(height) < tolerance
    depth = (height + max(contact.gap, tolerance / 100))[:, None] * planes.normal[triangle]
    moved[is_close] = (part.vertices - depth)[is_close]
