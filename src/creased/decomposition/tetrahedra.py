"""{f < level} as a conforming mesh of simplices, on whose boundary are the level set's own vertices.

The cells inside are triangulated without new vertices, the same from both sides of each facet. So the faces
on the level are fans of the polygons of the exact surface. Nothing is done for their shape: where cells are
slivers, so are simplices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

import torch
from torch import Tensor

from creased.core.domains.domain import Domain
from creased.core.numerics.surroundings import as_written
from creased.core.program.program import Program
from creased.decomposition.convex_parts import PartsKeywords
from creased.decomposition.inside_cells import inside_cells
from creased.regions.triangulation import boundary_faces, simplex_volumes


@dataclass(frozen=True)
class Quality:
    """Shapes of T simplices, D times the inscribed over the circumscribed radius: 1 regular, 0 flat."""

    least: float
    median: float
    n_poor: int  # below 0.1
    n: int  # T

    def __str__(self) -> str:
        share = 100 * self.n_poor / max(self.n, 1)
        return f"radius ratio: least {self.least:.2g}, median {self.median:.2g}; {share:.0f} % below 0.1"


@dataclass(frozen=True)
class Tetrahedra:
    """Simplices, tetrahedra where D = 3, on shared vertices."""

    vertices: Tensor  # (V, D) float64
    simplices: Tensor  # (T, D + 1) int64: of positive orientation
    cell: Tensor  # (T,) int64: the cell of the complex that each is a part of

    def volumes(self) -> Tensor:
        """Compute the volumes (T,)."""
        return simplex_volumes(self.vertices, self.simplices)

    def boundary(self) -> Tensor:
        """Return the faces (n, D) int64 of one simplex alone, outward: counter-clockwise from outside."""
        return boundary_faces(self.simplices)

    def quality(self) -> Quality:
        """Measure the simplices."""
        ratios = radius_ratios(self.vertices, self.simplices)
        if not len(ratios):
            return Quality(0.0, 0.0, 0, 0)
        poor = int((ratios < 0.1).sum())
        return Quality(float(ratios.min()), float(ratios.median()), poor, len(ratios))

    def __repr__(self) -> str:
        volume = float(self.volumes().sum())
        name = "tetrahedra" if self.vertices.shape[1] == 3 else "triangles"
        sizes = f"{len(self.simplices):,} {name} on {len(self.vertices):,} vertices"
        return f"{sizes}, volume {volume:.6g}; {self.quality()}"


def radius_ratios(vertices: Tensor, simplices: Tensor) -> Tensor:
    """Compute D times the inscribed over the circumscribed radius (T,) of simplices (T, D + 1)."""
    corners = vertices[simplices]
    dim = vertices.shape[1]
    arms = corners[:, 1:] - corners[:, :1]
    centre, info = torch.linalg.solve_ex(2 * arms, (arms * arms).sum(2))
    gradients, _ = torch.linalg.inv_ex(arms)  # columns: of barycentric coordinates
    heights = torch.cat([gradients.norm(dim=1), gradients.sum(2).norm(dim=1)[:, None]], dim=1)
    ratio = dim / (heights.sum(1) * centre.norm(dim=1))
    return torch.where((info == 0) & ratio.isfinite(), ratio, 0.0)


@as_written
@torch.no_grad()
def tetrahedra(
    program: Program,
    domain: Domain | None = None,
    level: float = 0.0,
    **keywords: Unpack[PartsKeywords],
) -> Tetrahedra:
    """Mesh {f < level} by simplices that match across faces, without new vertices.

    Of degenerate networks the cells are those of the unperturbed complex: vertices in one place are one.

    Args:
        program: of two or three inputs, with finite weights; detached, and moved to the CPU and to float64.
        domain: bounded; None for the cube of a network on a grid.
        level: the value below which is inside.
        output: index of the program's output.
        max_cells: cells inside that are allowed; 200,000 by default.
        memory: bytes that the extraction may take; what is free by default.
        progress: is told the number of cells, before they are cut.

    Raises:
        CellLimitError: there are more cells; the message has the numbers.
        ValueError: the domain is not bounded, or of other dimensions.
    """
    cells = inside_cells(program, domain, level, **keywords)
    corners = cells.vertices[cells.simplices]
    signed = torch.linalg.det(corners[:, 1:] - corners[:, :1])
    kept = signed != 0
    simplices, is_turned = cells.simplices[kept], signed[kept] < 0
    simplices[is_turned] = simplices[is_turned][:, [1, 0, *range(2, simplices.shape[1])]]
    used, number = simplices.unique(return_inverse=True)
    return Tetrahedra(cells.vertices[used], number, cells.cell[kept])
