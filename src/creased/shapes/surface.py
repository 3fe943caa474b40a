"""A triangulated surface in the domain, with what sampling and comparisons need of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from creased.core.complexes.polygons import Polygons
from creased.core.numerics.pointer_doubling import label_components
from creased.meshes.mesh_audit import MeshAudit, audit_mesh
from creased.meshes.polygon_mesh import PolygonMesh
from creased.meshes.queries import TriangleIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARP = np.radians(30)  # between the normals beside an edge
MOST_ON_EDGES = 0.3  # points on sharp edges for each on the surface
INSIDE = 1e-3  # of the domain: nearer to the boundary of a solid is on it


def draw_by_weight(weights: NDArray[Any], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw indices (n,) of items, each as often as its weight (m,) says."""
    up_to = weights.cumsum()
    return np.searchsorted(up_to, rng.random(n) * up_to[-1]).clip(max=len(up_to) - 1)


@dataclass(frozen=True)
class Surface:
    """A mesh of at least one polygon, in coordinates of the order of 1; what follows from it is kept."""

    mesh: PolygonMesh

    @staticmethod
    def of_mesh(mesh: PolygonMesh) -> Surface:
        """Take a mesh without the vertices that no polygon has."""
        used, corners = torch.unique(mesh.polygons.indices, return_inverse=True)
        return Surface(PolygonMesh(mesh.vertices[used], Polygons(mesh.polygons.offsets, corners)))

    @staticmethod
    def of_triangles(vertices: NDArray[Any], triangles: NDArray[Any]) -> Surface:
        """Take triangles (T, 3) over vertices (V, 3), without the vertices that no triangle has."""
        return Surface.of_mesh(PolygonMesh.of_triangles(np.asarray(vertices), np.asarray(triangles)))

    @cached_property
    def index(self) -> TriangleIndex:
        """The index that answers signed distances and closest points."""
        return TriangleIndex(self.vertices, self.triangles)

    @cached_property
    def audit(self) -> MeshAudit:
        """Counts and answers about the mesh."""
        return audit_mesh(self.mesh)

    @cached_property
    def vertices(self) -> NDArray[np.float64]:
        """Positions (V, 3)."""
        return self.mesh.vertices.numpy()

    @cached_property
    def triangles(self) -> NDArray[np.int64]:
        """Fans of the polygons: (T, 3)."""
        return self.mesh.triangles().numpy()

    @cached_property
    def components(self) -> NDArray[np.int64]:
        """The number (V,) of the component of each vertex, counted from 0."""
        ends = np.concatenate([self.triangles[:, :2], self.triangles[:, 1:]])
        labels = label_components(len(self.vertices), torch.from_numpy(ends))
        return np.unique(labels.numpy(), return_inverse=True)[1]

    @cached_property
    def area_vectors(self) -> NDArray[np.float64]:
        """Vectors (T, 3) normal to the triangles, as long as their areas."""
        a, b, c = (self.vertices[self.triangles[:, i]] for i in range(3))
        return np.cross(b - a, c - a) / 2

    def normals(self, triangles: NDArray[Any]) -> NDArray[np.float64]:
        """Compute unit normals (n, 3) of triangles (n,); zero where a triangle has no area."""
        vectors = self.area_vectors[triangles]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.maximum(lengths, np.finfo(np.float64).tiny)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Draw points (n, 3) uniformly on the surface; also the triangle (n,) of each."""
        chosen = draw_by_weight(np.linalg.norm(self.area_vectors, axis=1), n, rng)
        a, b, c = (self.vertices[self.triangles[chosen, i]] for i in range(3))
        root, along = np.sqrt(rng.random((n, 1))), rng.random((n, 1))
        return (1 - root) * a + root * (1 - along) * b + root * along * c, chosen

    @cached_property
    def sharp_edges(self) -> NDArray[np.float64]:
        """Ends (E, 2, 3) of the edges at which the surface turns by more than `SHARP`."""
        ends = np.sort(self.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        keys = ends[:, 0] * len(self.vertices) + ends[:, 1]
        order = np.argsort(keys, kind="stable")
        pairs = order[np.flatnonzero(np.diff(keys[order]) == 0)[:, None] + [0, 1]]  # (P, 2): one edge twice
        first, second = (self.normals(pairs[:, i] // 3) for i in range(2))
        is_sharp = (first * second).sum(axis=1) < np.cos(SHARP)
        return self.vertices[ends[pairs[is_sharp, 0]]]

    def sample_edges(self, n: int, width: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw points (m, 3) uniformly on the sharp edges.

        There are as many as if edges were strips of a width, and n points were drawn on the surface.
        """
        start, end = self.sharp_edges[:, 0], self.sharp_edges[:, 1]
        lengths = np.linalg.norm(end - start, axis=1)
        if len(lengths) == 0:
            return np.zeros((0, 3))
        share = width * lengths.sum() / np.linalg.norm(self.area_vectors, axis=1).sum()
        m = round(n * min(share, MOST_ON_EDGES))
        chosen = draw_by_weight(lengths, m, rng)
        along = rng.random((m, 1))
        return (1 - along) * start[chosen] + along * end[chosen]

    def choose_vertices(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Choose up to n vertices, all if there are no more."""
        chosen = np.arange(len(self.vertices))
        return chosen if len(chosen) <= n else rng.choice(chosen, n, replace=False)


@dataclass(frozen=True)
class OuterSurface(Surface):
    """A surface of which what lies inside a solid is never drawn."""

    solid: Surface

    def sample(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Draw up to n points uniformly on what is not inside; also the triangle of each.

        All if nothing else is left.
        """
        points, triangles = super().sample(n, rng)
        is_outer = self._is_outer(points)
        return (points[is_outer], triangles[is_outer]) if is_outer.any() else (points, triangles)

    def choose_vertices(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Choose up to n vertices that are not inside; maybe none."""
        chosen = super().choose_vertices(n, rng)
        return chosen[self._is_outer(self.vertices[chosen])]

    def _is_outer(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        is_inside = self.solid.index.contains(points)
        return ~is_inside | (self.solid.index.nearest(points).distance < INSIDE)
