"""Audit of a mesh as it is written: with its caps, after decimation, triangulated if so asked.

The audit of a level set (`creased.core.complexes.audit`) is of the extracted polygons, before any of this.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch

from creased.core.complexes.audit import Counts, count_cells
from creased.meshes.polygon_mesh import PolygonMesh


@dataclass(frozen=True)
class MeshAudit(Counts):
    """Counts and properties of one mesh."""

    volume: float | None  # in cubed units of the file; None if the mesh is not closed


def audit_mesh(mesh: PolygonMesh) -> MeshAudit:
    """Check a mesh by the corners of its polygons alone."""
    polygons, n_vertices = mesh.polygons, mesh.vertices.shape[0]
    ends = torch.stack([polygons.indices, polygons.heads()], dim=1)
    edges = torch.unique(ends.sort(dim=1).values, dim=0)
    counts = count_cells(edges, polygons, n_vertices)
    has_inside = polygons.n > 0 and counts.is_closed and counts.is_oriented
    return MeshAudit(**asdict(counts), volume=mesh.volume() if has_inside else None)
