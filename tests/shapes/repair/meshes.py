"""Meshes that go wrong on the way in."""

from collections.abc import Sequence

import numpy as np
import trimesh
from trimesh.creation import box, cylinder, icosphere
from trimesh.util import concatenate

from creased.shapes.repair import RepairOptions, Solid, solidify

Vector = Sequence[float]


def soup(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """Each triangle with vertices of its own, in single precision, as STL has them."""
    corners = mesh.triangles.astype(np.float32).astype(np.float64).reshape(-1, 3)
    return trimesh.Trimesh(corners, np.arange(len(corners)).reshape(-1, 3), process=False)


def block(low: Vector, high: Vector) -> trimesh.Trimesh:
    return box(bounds=[low, high])


def ball(radius: float = 1.0, centre: Vector = (0, 0, 0), subdivisions: int = 2) -> trimesh.Trimesh:
    return icosphere(subdivisions=subdivisions, radius=radius).apply_translation(centre)


def inverted(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    mesh = mesh.copy()
    mesh.invert()
    return mesh


def without(mesh: trimesh.Trimesh, n: int) -> trimesh.Trimesh:
    """The mesh without its first triangles."""
    mesh = mesh.copy()
    mesh.update_faces(np.arange(len(mesh.faces)) >= n)
    return mesh


def capless(height: float = 0.97, subdivisions: int = 3) -> trimesh.Trimesh:
    """A ball without what is above a height."""
    mesh = ball(subdivisions=subdivisions)
    mesh.update_faces(mesh.triangles_center[:, 2] < height)
    return mesh


def sheet(n: int = 20) -> trimesh.Trimesh:
    """An open dome over a rectangle of sides 4 and 3."""
    u, v = (g.ravel() for g in np.meshgrid(np.linspace(0, 4, n), np.linspace(0, 3, n), indexing="ij"))
    i = np.arange(n * n).reshape(n, n)
    a, b, c, d = (i[s, t].ravel() for s, t in _QUAD)
    faces = np.r_[np.c_[a, b, c], np.c_[a, c, d]]
    return trimesh.Trimesh(np.c_[u, v, np.sin(np.pi * u / 4)], faces, process=False)


_QUAD = [
    (slice(None, -1), slice(None, -1)),
    (slice(1, None), slice(None, -1)),
    (slice(1, None), slice(1, None)),
    (slice(None, -1), slice(1, None)),
]


def ground(height: float = -1.0) -> trimesh.Trimesh:
    corners = [[x, y, height] for x, y in ((-2, -2), (2, -2), (2, 2), (-2, 2))]
    return trimesh.Trimesh(corners, [[0, 1, 2], [0, 2, 3]], process=False)


def clamp() -> trimesh.Trimesh:
    """A cube of side 2 with a slot from one side: a C."""
    slot = block([0.5, 0.5, -1], [3, 1.5, 3])
    return trimesh.boolean.difference([block([0, 0, 0], [2, 2, 2]), slot], engine="manifold")


def house() -> trimesh.Trimesh:
    """A cube of side 10 with an antenna of 8, which lacks a triangle."""
    antenna = without(cylinder(radius=0.05, height=8, sections=8), 1)
    return concatenate([box(extents=[10] * 3).subdivide(), antenna.apply_translation([0, 0, 9])])


def halves(gap: float) -> trimesh.Trimesh:
    """Two halves of a ball that are a gap apart."""
    whole = ball()
    upper = whole.triangles_center[:, 2] > 0
    top, bottom = (
        whole.submesh([np.flatnonzero(rows)], append=True, repair=False) for rows in (upper, ~upper)
    )
    return concatenate([top.apply_translation([0, 0, gap]), bottom])


def solid(mesh: trimesh.Trimesh, **options: object) -> Solid:
    return solidify(mesh, "it", RepairOptions(**options))  # type: ignore[arg-type]


def volume(found: Solid) -> float:
    """In the coordinates of what was read."""
    enclosed = found.surface.audit.volume
    assert enclosed is not None
    return enclosed / found.to_domain.scale**3
