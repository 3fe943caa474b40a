"""Audit of a mesh as it is written: with its caps, after decimation, triangulated if so asked.

The audit of a level set (`creased.core.complexes.audit`) is of the extracted polygons, before any of this.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from creased.core.complexes.audit import Counts, count_cells
from creased.meshes.polygon_mesh import PolygonMesh


@dataclass(frozen=True, repr=False)
class MeshAudit(Counts):
    """Counts and properties of one mesh."""

    volume: float | None  # in cubed units of the file; None if the mesh is not closed


def audit_mesh(mesh: PolygonMesh) -> MeshAudit:
    """Check a mesh by the corners of its polygons alone."""
    polygons, n_vertices = mesh.polygons, mesh.vertices.shape[0]
    counts = count_cells(polygons.edges(), polygons, n_vertices)
    has_inside = polygons.n > 0 and counts.is_closed and counts.is_oriented
    return MeshAudit(**asdict(counts), volume=mesh.volume() if has_inside else None)


def ask_trimesh(mesh: PolygonMesh) -> dict[str, Any]:
    """Answer some questions of an audit by trimesh, which shares no code with it.

    Raises:
        ImportError: trimesh is not installed.
    """
    found = mesh.to_trimesh()
    return {
        "is_closed": bool(found.is_watertight),
        "is_oriented": bool(found.is_winding_consistent),
        "euler_characteristic": int(found.euler_number),
        "n_components": int(found.body_count),
    }
