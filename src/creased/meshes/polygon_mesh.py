"""Polygon meshes as other tools take them: positions and connectivity, without cell codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from creased.core.complexes.level_set import LevelSet
from creased.core.complexes.polygons import Polygons, enclosed_volume
from creased.extras import how_to_install
from creased.geometry.measures import polygon_normals

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PolygonMesh:
    """Polygons over shared vertices, on the CPU."""

    vertices: Tensor  # (V, 3) float64
    polygons: Polygons  # int64

    @staticmethod
    def of_level_set(level_set: LevelSet) -> PolygonMesh:
        """Take the polygons of a bounded level set with D = 3."""
        on_cpu = level_set.to("cpu")
        return PolygonMesh(on_cpu.vertices.detach().double(), on_cpu.polygons)

    @staticmethod
    def of_triangles(vertices: Tensor | NDArray[Any], triangles: Tensor | NDArray[Any]) -> PolygonMesh:
        """Make a mesh of triangles (T, 3) over vertices (V, 3)."""
        indices = torch.as_tensor(triangles).long().reshape(-1, 3)
        sizes = torch.full((indices.shape[0],), 3)
        return PolygonMesh(torch.as_tensor(vertices).double(), Polygons.of_sizes(sizes, indices.reshape(-1)))

    def triangles(self) -> Tensor:
        """Triangulate the polygons by fans from their first corners: (T, 3) int64."""
        return self.polygons.triangles()[0]

    def triangulated(self) -> PolygonMesh:
        """Triangulate the mesh."""
        return PolygonMesh.of_triangles(self.vertices, self.triangles())

    def normals(self) -> Tensor:
        """Compute outward unit normals (F, 3); zero where a polygon has no area."""
        return polygon_normals(self.vertices, self.polygons)

    def volume(self) -> float:
        """Compute the volume inside a closed surface; negative if it is inside out."""
        return float(enclosed_volume(self.vertices, self.polygons))

    def to_trimesh(self) -> Any:
        """Make a `trimesh.Trimesh` of the fans, vertices unmerged and in order.

        Raises:
            ImportError: trimesh is not installed.
        """
        try:
            import trimesh
        except ImportError as error:
            raise ImportError(f"triangle meshes need trimesh: {how_to_install('shapes')}") from error

        return trimesh.Trimesh(self.vertices.numpy(), self.triangles().numpy(), process=False)
