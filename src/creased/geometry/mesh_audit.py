"""What was checked of a mesh as it is written: with its caps, after decimation, in triangles if so asked.

The audit of a level set (`creased.core.audit`) is about what was extracted, before any of this.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch

from creased.core.audit import check_polygons
from creased.core.chains import label_components
from creased.geometry.polygon_mesh import PolygonMesh


@dataclass(frozen=True)
class MeshAudit:
    """Counts and answers about one mesh; the words are those of `creased.core.audit.Audit`."""

    n_vertices: int
    n_edges: int
    n_polygons: int
    n_components: int
    euler_characteristic: int
    n_boundary_edges: int  # edges in one polygon
    n_crowded_edges: int  # edges in three or more polygons
    n_clashing_edges: int  # edges that their two polygons run along in the same direction
    n_pinched_vertices: int  # vertices whose polygons form more than one fan
    volume: float | None  # enclosed, in cubed units of the file; None where the mesh is not closed

    @property
    def is_closed(self) -> bool:
        """True if every edge is in two polygons."""
        return self.n_polygons > 0 and self.n_boundary_edges + self.n_crowded_edges == 0

    @property
    def is_oriented(self) -> bool:
        """True if neighbours agree on what is outside."""
        return self.n_clashing_edges == 0

    @property
    def is_manifold(self) -> bool:
        """True if every point has a neighbourhood like a disc (or a half disc at the boundary)."""
        return self.n_crowded_edges == 0 and self.n_pinched_vertices == 0

    def as_dict(self) -> dict[str, Any]:
        """All counts and answers, for a JSON file."""
        answers = {name: getattr(self, name) for name in ("is_closed", "is_oriented", "is_manifold")}
        return asdict(self) | answers

    def __str__(self) -> str:
        """One sentence for people."""
        closed = "closed" if self.is_closed else f"open ({self.n_boundary_edges} boundary edges)"
        oriented = "oriented" if self.is_oriented else f"{self.n_clashing_edges} clashing edges"
        return (
            f"{self.n_polygons:,} polygons, {self.n_vertices:,} vertices, {self.n_edges:,} edges: {closed}, "
            f"{oriented}, {'manifold' if self.is_manifold else 'not manifold'}; {self.n_components} "
            f"component(s), Euler characteristic {self.euler_characteristic}"
        )


def audit_mesh(mesh: PolygonMesh) -> MeshAudit:
    """Check a mesh, reading the corners of its polygons and nothing else."""
    polygons, n_vertices = mesh.polygons, mesh.vertices.shape[0]
    ends = torch.stack([polygons.indices, polygons.indices[polygons.following()]], dim=1)
    edges = torch.unique(ends.sort(dim=1).values, dim=0)
    boundary, crowded, clashing, pinched = check_polygons(polygons, n_vertices)
    is_closed = polygons.n > 0 and boundary + crowded + clashing == 0
    return MeshAudit(
        n_vertices=n_vertices,
        n_edges=edges.shape[0],
        n_polygons=polygons.n,
        n_components=int(torch.unique(label_components(n_vertices, edges)).numel()),
        euler_characteristic=n_vertices - edges.shape[0] + polygons.n,
        n_boundary_edges=boundary,
        n_crowded_edges=crowded,
        n_clashing_edges=clashing,
        n_pinched_vertices=pinched,
        volume=mesh.volume() if is_closed else None,
    )
