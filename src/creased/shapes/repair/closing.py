"""Close the openings of a part by pymeshfix, or thicken it to a shell.

Filling adds triangles and takes none away: what was read stays. A part is a sheet if the lid that it needs is
a large share of its area, or if it encloses nothing then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from creased.shapes.repair.edges import ends_of, find_edges, label_components, unit
from creased.shapes.repair.parts import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLAT = 1e-6  # of the size: closed parts thinner than this enclose nothing
FEWEST = 3  # triangles that one more can close
MITER = 3.0  # largest factor by which the corner of a shell is farther from its sheet than its faces


class Opening(NamedTuple):
    """A closed loop of open edges; lengths in the unit of the vertices."""

    part: int  # index of the part
    perimeter: float
    extent: float  # longest side of its bounding box

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return self._asdict()


class Closed(NamedTuple):
    """A part that was closed."""

    part: Part
    lid: float  # share of its area that closes it


def find_openings(part: Part) -> list[Opening]:
    """Find the loops of open edges of a part, the longest first."""
    edges = find_edges(part.triangles)
    ends = edges.ends[edges.n_triangles == 1]
    used, ends = np.unique(ends, return_inverse=True)
    ends = ends.reshape(-1, 2)
    positions = part.vertices[used]
    loop = label_components(len(used), ends)
    lengths = np.linalg.norm(positions[ends[:, 0]] - positions[ends[:, 1]], axis=1)
    perimeters = np.bincount(loop[ends[:, 0]], lengths)
    low, high = np.full((len(perimeters), 3), np.inf), np.full((len(perimeters), 3), -np.inf)
    np.minimum.at(low, loop, positions)
    np.maximum.at(high, loop, positions)
    sides = (high - low).max(axis=1)
    order = np.argsort(-perimeters)
    return [Opening(part.index, float(perimeters[i]), float(sides[i])) for i in order]


def close_part(part: Part) -> Closed | None:
    """Fill the openings of a part with as few triangles as they need; None if that gives no solid."""
    from pymeshfix import PyTMesh

    if len(part.triangles) < FEWEST:
        return None
    fixer = PyTMesh()
    fixer.set_quiet(True)
    fixer.load_array(
        np.ascontiguousarray(part.vertices), np.ascontiguousarray(part.triangles, dtype=np.int32)
    )
    fixer.fill_small_boundaries(0, False)
    vertices, triangles = fixer.return_arrays()
    closed = _fill_rest(Part(part.index, np.asarray(vertices), np.asarray(triangles, dtype=np.int64)))
    if not closed.is_closed or is_flat(closed):
        return None
    return Closed(closed, max(1 - part.area / closed.area, 0.0))


def _fill_rest(part: Part) -> Part:
    """Drop triangles that filling left loose, and close other openings by fans about new vertices.

    Where a lid would repeat an edge of the part, filling stops before its last triangle.
    """
    edges = find_edges(part.triangles)
    is_loose = edges.is_open.reshape(-1, 3).all(axis=1)
    if is_loose.any():
        part = Part(part.index, part.vertices, part.triangles[~is_loose])
        edges = find_edges(part.triangles)
    open_edges = np.flatnonzero(edges.is_open)
    if not len(open_edges):
        return part
    start, end = ends_of(part.triangles, open_edges)
    used, local = np.unique(np.stack([start, end], axis=1), return_inverse=True)
    loop = label_components(len(used), local.reshape(-1, 2))
    sums = np.zeros((int(loop.max()) + 1, 3))
    np.add.at(sums, loop, part.vertices[used])
    centres = sums / np.bincount(loop)[:, None]
    of_edge = loop[local.reshape(-1, 2)[:, 0]] + len(part.vertices)
    fans = np.stack([end, start, of_edge], axis=1)
    vertices, triangles = np.concatenate([part.vertices, centres]), np.concatenate([part.triangles, fans])
    return Part(part.index, vertices, triangles)


def is_flat(part: Part) -> bool:
    """Decide whether a closed part, in units of the size, encloses nothing."""
    return 2 * abs(part.volume) < FLAT * part.area


def thicken(part: Part, thickness: float) -> Part:
    """Make a solid of the given thickness about a sheet: both offsets, and a rim along its open edges.

    Vertices move along the mean of their normals, farther at creases: faces move by half the thickness.
    """
    normals = _vertex_normals(part)
    offset = thickness / 2 * normals
    n = len(part.vertices)
    edges = find_edges(part.triangles)
    rim = np.flatnonzero(edges.is_open)
    start, end = ends_of(part.triangles, rim)
    sides = np.concatenate(
        [np.stack([end, start, start + n], axis=1), np.stack([end, start + n, end + n], axis=1)]
    )
    triangles = np.concatenate([part.triangles, part.triangles[:, ::-1] + n, sides])
    return Part(part.index, np.concatenate([part.vertices + offset, part.vertices - offset]), triangles)


def _vertex_normals(part: Part) -> NDArray[np.float64]:
    """Compute directions (V, 3), weighted by area, as long as the corner of an offset by 1 is away."""
    a, b, c = (part.vertices[part.triangles[:, i]] for i in range(3))
    vectors = np.cross(b - a, c - a)
    units = unit(vectors)
    corners, of_triangle = part.triangles.reshape(-1), np.arange(part.triangles.size) // 3
    sums = np.zeros_like(part.vertices)
    np.add.at(sums, corners, vectors[of_triangle])
    directions = unit(sums)
    cosines = np.ones(len(sums))
    np.minimum.at(cosines, corners, (directions[corners] * units[of_triangle]).sum(axis=1))
    return directions / np.maximum(cosines, 1 / MITER)[:, None]
