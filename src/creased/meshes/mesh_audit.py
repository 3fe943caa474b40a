"""Audit of a mesh as it is written: with its caps, after decimation, triangulated if so asked.

The audit of a level set (`creased.core.complexes.audit`) is of the extracted polygons, before any of this.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from creased.core.complexes.audit import Counts, check_polygons
from creased.core.numerics.pointer_doubling import label_components
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
    boundary, nonmanifold, misoriented, nonmanifold_vertices = check_polygons(polygons, n_vertices)
    is_closed = polygons.n > 0 and boundary + nonmanifold + misoriented == 0
    return MeshAudit(
        n_vertices=n_vertices,
        n_edges=edges.shape[0],
        n_polygons=polygons.n,
        n_components=int(torch.unique(label_components(n_vertices, edges)).numel()),
        euler_characteristic=n_vertices - edges.shape[0] + polygons.n,
        n_boundary_edges=boundary,
        n_nonmanifold_edges=nonmanifold,
        n_misoriented_edges=misoriented,
        n_nonmanifold_vertices=nonmanifold_vertices,
        volume=mesh.volume() if is_closed else None,
    )
