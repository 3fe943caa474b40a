"""Press together solids that touch within a tolerance: faces that rounding keeps apart cannot be united.

Two touch if points of one are that near to the other and face it. Where the faces are not in exactly one
plane, the vertices of one that are that near to the other are moved into it, as deep as the gap is wide.
Solids that meet at edges or points alone are left apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from creased.meshes.queries import TriangleIndex
from creased.shapes.repair.edges import unit
from creased.shapes.repair.parts import Part, draw_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_POINTS = 200_000  # of all solids
FEWEST = 3  # points that face the other solid: fewer are no contact
FACING = -0.99  # largest cosine between normals that face each other
EXACT = 1e-13  # of the size: planes as near as this are one, and can be united


def press_together(solids: list[Part], tolerance: float) -> list[Part]:
    """Move vertices of solids, in units of the size, into others that they touch."""
    if len(solids) < 2 or not tolerance > 0:
        return solids
    bounds = np.stack([part.bounds for part in solids])
    rng, n = np.random.default_rng(0), int(np.clip(N_POINTS // len(solids), 64, 2000))
    samples = [draw_points(part, n, rng) for part in solids]
    moved = [part.vertices.copy() for part in solids]
    for j, other in enumerate(solids):
        low, high = bounds[j, 0] - tolerance, bounds[j, 1] + tolerance
        near = ((bounds[:, 0] <= high) & (bounds[:, 1] >= low)).all(axis=1)
        near[j] = False
        chosen = np.flatnonzero(near).tolist()
        if not chosen:
            continue
        planes = _Planes(other)
        for i in chosen:
            contact = _find_contact(samples[i], planes, low, high, tolerance)
            if contact is not None:
                _move_into(moved[i], solids[i].vertices, planes, contact, tolerance)
    return [Part(part.index, vertices, part.triangles) for part, vertices in zip(solids, moved, strict=True)]


class _Planes:
    """The nearest triangles of a solid, and the planes of triangles."""

    def __init__(self, part: Part) -> None:
        self.index = TriangleIndex(part.vertices, part.triangles)
        a, b, c = (part.vertices[part.triangles[:, i]] for i in range(3))
        self.corner, self.normal = a, unit(np.cross(b - a, c - a))

    def heights(self, points: NDArray[np.float64], triangle: NDArray[Any]) -> NDArray[np.float64]:
        """Compute the heights (n,) of points (n, 3) above the planes of triangles (n,)."""
        heights: NDArray[np.float64] = ((points - self.corner[triangle]) * self.normal[triangle]).sum(axis=1)
        return heights


class _Contact(NamedTuple):
    """Points of one solid that face triangles of another."""

    points: NDArray[np.float64]  # (n, 3)
    triangle: NDArray[np.int32]  # (n,)
    gap: float  # largest distance from the planes of the triangles


def _find_contact(
    sample: tuple[NDArray[np.float64], NDArray[np.float64]],
    planes: _Planes,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    tolerance: float,
) -> _Contact | None:
    """Find the points that face a solid within the tolerance; None if there are few, or all in its planes."""
    points, normals = sample
    is_near = ((points >= low) & (points <= high)).all(axis=1)
    if is_near.sum() < FEWEST:
        return None
    points, normals = points[is_near], normals[is_near]
    found = planes.index.nearest(points)
    touches = found.distance < tolerance
    touches &= (normals * planes.normal[found.triangle]).sum(axis=1) < FACING
    points, triangle = points[touches], found.triangle[touches]
    gap = float(np.abs(planes.heights(points, triangle)).max(initial=0))
    return _Contact(points, triangle, gap) if len(points) >= FEWEST and gap > EXACT else None


def _move_into(
    moved: NDArray[np.float64],
    vertices: NDArray[np.float64],
    planes: _Planes,
    contact: _Contact,
    tolerance: float,
) -> None:
    """Move vertices (V, 3) as near as the tolerance to the planes of a contact through these, by its gap."""
    from scipy.spatial import cKDTree

    triangle = contact.triangle[cKDTree(contact.points).query(vertices)[1]]
    height = planes.heights(vertices, triangle)
    is_close = (np.abs(height) < tolerance) & (planes.index.nearest(vertices).distance < tolerance)
    depth = (height + max(contact.gap, tolerance / 10))[:, None] * planes.normal[triangle]
    moved[is_close] = (vertices - depth)[is_close]
