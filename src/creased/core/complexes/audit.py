"""Audit a level set from its polygons alone: closed, oriented, manifold, components, residual.

The checks read the corners of the polygons only, none of the codes from which they were made. A surface is
*closed* if every edge is in two polygons, *oriented* if the two run along it in opposite directions, and
*manifold* if moreover the polygons around each vertex form one fan. In two dimensions the same words are
about vertices between directed edges.

What is not checked: self-intersection after rounding of the coordinates.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from creased.core.complexes.polygons import Polygons, twins
from creased.core.numerics.pointer_doubling import label_components


@dataclass(frozen=True)
class Counts:
    """Counts of a surface of polygons, or of polylines."""

    n_vertices: int
    n_edges: int
    n_polygons: int
    n_components: int
    euler_characteristic: int  # of open cells: rays do not count
    n_boundary_edges: int  # edges in one polygon (D = 2: vertices on one edge)
    n_nonmanifold_edges: int  # edges in three or more polygons (D = 2: vertices on three or more edges)
    n_misoriented_edges: int  # edges that their two polygons run along in the same direction
    n_nonmanifold_vertices: int  # vertices whose polygons form more than one fan

    @property
    def is_closed(self) -> bool:
        """True if the surface is not empty and has no boundary."""
        return self.n_vertices > 0 and self.n_boundary_edges + self.n_nonmanifold_edges == 0

    @property
    def is_oriented(self) -> bool:
        """True if neighbouring polygons run along their common edge in opposite directions."""
        return self.n_misoriented_edges == 0

    @property
    def is_manifold(self) -> bool:
        """True if every point has a neighbourhood like a disc (or a half disc at the boundary)."""
        return self.n_nonmanifold_edges == 0 and self.n_nonmanifold_vertices == 0

    def as_dict(self) -> dict[str, Any]:
        """All counts and answers, for a log or a JSON file."""
        answers = {name: getattr(self, name) for name in ("is_closed", "is_oriented", "is_manifold")}
        return asdict(self) | answers

    def __repr__(self) -> str:
        """Describe the surface in one sentence."""
        return (
            f"{self.n_polygons:,} polygons, {self.n_vertices:,} vertices, {self.n_edges:,} edges: "
            f"{', '.join(self.answers())}; {self.n_components} component(s), Euler characteristic "
            f"{self.euler_characteristic}"
        )

    def answers(self) -> list[str]:
        """Closed, oriented and manifold, or the counts of what is not."""
        is_open = f"open ({self.n_boundary_edges} boundary edges)" if self.n_boundary_edges else "not closed"
        return [
            "closed" if self.is_closed else is_open,
            "oriented" if self.is_oriented else f"{self.n_misoriented_edges} misoriented edges",
            "manifold" if self.is_manifold else "not manifold",
        ]


@dataclass(frozen=True)
class Audit(Counts):
    """Counts and answers about one level set."""

    dim: int  # D, of the domain
    n_wall_vertices: int  # vertices on a wall of the domain
    n_inconsistent: int  # faces that rounding left open
    max_residual: float  # largest |f - level| at a vertex, in the program's own evaluation

    @property
    def is_closed(self) -> bool:
        """True if the level set is not empty and has no boundary; False for D > 3: not checked there."""
        return super().is_closed and self.dim <= 3 and self.n_inconsistent == 0

    def __repr__(self) -> str:
        """Describe the level set in one sentence."""
        if self.n_vertices == 0:
            return "empty level set"
        return f"{super().__repr__()}, max |f - level| {self.max_residual:.1e}"

    def answers(self) -> list[str]:
        """The answers of any surface, and the contact with walls of the domain."""
        found = super().answers() if self.dim <= 3 else [f"a skeleton in {self.dim} dimensions"]
        walls = [f"{self.n_wall_vertices} vertices on the domain's walls"] if self.n_wall_vertices else []
        return found + walls


def count_cells(edges: Tensor, polygons: Polygons, n_vertices: int, dim: int = 3) -> Counts:
    """Count cells, components and faults of polygons (D = 3), of directed edges (D = 2) or of a skeleton."""
    faults = (0, 0, 0, 0)
    if dim == 3:
        faults = _check_polygons(polygons, n_vertices)
    elif dim == 2:
        faults = (*_check_directed_edges(edges, n_vertices), 0)
    n_edges, n_components = edges.shape[0], torch.unique(label_components(n_vertices, edges)).numel()
    return Counts(n_vertices, n_edges, polygons.n, n_components, n_vertices - n_edges + polygons.n, *faults)


def _check_polygons(polygons: Polygons, n_vertices: int) -> tuple[int, int, int, int]:
    """Count boundary, non-manifold and misoriented edges, and non-manifold vertices."""
    tails, mates = polygons.indices, twins(polygons)
    _, counts = torch.unique(polygons.edge_keys(), return_counts=True)
    paired = (mates >= 0).nonzero()[:, 0]
    misoriented = int((tails[paired] == tails[mates[paired]]).sum()) // 2
    nonmanifold_vertices = _count_nonmanifold_vertices(polygons, mates, n_vertices)
    return int((counts == 1).sum()), int((counts > 2).sum()), misoriented, nonmanifold_vertices


def _count_nonmanifold_vertices(polygons: Polygons, mates: Tensor, n_vertices: int) -> int:
    """Count vertices whose polygons form more than one fan, whatever their directions.

    Corners are named by the half-edge that leaves them; those at either end of a common edge are linked.
    """
    following = polygons.following()
    here = (mates >= 0).nonzero()[:, 0]
    there = mates[here]
    runs_along = polygons.indices[here] == polygons.indices[there]
    tail_links = torch.stack([here, torch.where(runs_along, there, following[there])], dim=1)
    head_links = torch.stack([following[here], torch.where(runs_along, following[there], there)], dim=1)
    fan = label_components(polygons.indices.shape[0], torch.cat([tail_links, head_links]))
    fans = torch.bincount(polygons.indices[torch.unique(fan)], minlength=n_vertices)
    return int((fans > 1).sum())


def _check_directed_edges(edges: Tensor, n_vertices: int) -> tuple[int, int, int]:
    """Count vertices on one edge, on three or more, and between misoriented edges (D = 2)."""
    leaving = torch.bincount(edges[:, 0], minlength=n_vertices)
    degree = leaving + torch.bincount(edges[:, 1], minlength=n_vertices)
    misoriented = int(((degree == 2) & (leaving != 1)).sum())
    return int((degree == 1).sum()), int((degree > 2).sum()), misoriented
