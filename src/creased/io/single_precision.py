"""Coordinates in single precision, as STL and GLB hold them: what that moves, and how GLB avoids it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

from creased.io.units import SHORT
from creased.meshes.polygon_mesh import PolygonMesh

NOTICED = 1e-6  # of the longest side: less than this is moved without a word; about the origin it is 6e-8
RANGE = 64  # sizes between 2^-RANGE and 2^RANGE are far from the limits of single precision


class Placed(NamedTuple):
    """A mesh about its own centre; times ``scale``, then moved by ``centre``, it is where it was."""

    mesh: PolygonMesh
    scale: float  # a power of two
    centre: tuple[float, float, float]


def about_centre(mesh: PolygonMesh) -> Placed:
    """Move a mesh to the middle of its bounding box; scale it where single precision has no such sizes."""
    used = mesh.vertices[mesh.polygons.indices]
    centre = (used.amin(0) + used.amax(0)) / 2
    local = mesh.vertices - centre
    exponent = math.frexp(float(local.abs().max()))[1]
    scale = 1.0 if abs(exponent) <= RANGE else 2.0**exponent
    x, y, z = centre.tolist()
    return Placed(PolygonMesh(local / scale, mesh.polygons), scale, (x, y, z))


def rounding(mesh: PolygonMesh) -> float:
    """Compute the largest distance by which single precision moves a vertex."""
    return float((mesh.vertices.float().double() - mesh.vertices).norm(dim=1).max())


def format_rounding(mesh: PolygonMesh, path: Path, unit: str | None) -> str | None:
    """Say what STL loses of a mesh far from the origin; None where it is not noticed."""
    sides = mesh.vertices.amax(0) - mesh.vertices.amin(0)
    moved, longest = rounding(mesh), float(sides.max())
    if moved <= NOTICED * longest:
        return None
    far, name = float(mesh.vertices.abs().max()), f" {SHORT[unit]}" if unit else ""
    return (
        f"{path}: the single precision of STL moves vertices by up to {moved:.3g}{name} "
        f"({100 * moved / longest:.2g} % of the longest side), as they are up to {far:.3g} from the origin; "
        "PLY, OBJ, 3MF and GLB keep them"
    )
