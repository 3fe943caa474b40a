"""{f < level} as a solid: its boundary, closed along the walls of the domain.

Small networks, and those of two inputs, have it from the cells of their complex; others from the level set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from creased.core.domains.domain import Domain
from creased.core.extract_level_set import extract_level_set
from creased.core.numerics.memory import CellLimitError
from creased.core.program.program import Program
from creased.decomposition.inside_cells import InsideCells
from creased.meshes.caps import cap
from creased.regions.triangulation import boundary_faces


class Sublevel(NamedTuple):
    """{f < level} of one output in a domain."""

    program: Program  # on the CPU, in float64
    domain: Domain | None  # None for the cube of a network on a grid
    level: float
    output: int

    def contains(self, points: Tensor) -> Tensor:
        """Tell which points (n, D) float64 are in it."""
        is_below = self.program(points)[:, self.output] < self.level
        if self.domain is None:
            return is_below
        walls = self.domain.halfspaces(points.dtype, points.device)
        return is_below & (points @ walls[:-1] + walls[-1] >= 0).all(1)


@dataclass(frozen=True)
class Solid:
    """A solid by its boundary."""

    vertices: Tensor  # (V, D) float64
    faces: Tensor  # (n, D) int64: segments or triangles, these outward
    contains: Callable[[Tensor], Tensor]  # tells which points (n, D) float64 are in it

    @property
    def is_empty(self) -> bool:
        """True if there is nothing inside."""
        return not len(self.faces)


def solid_of_cells(cells: InsideCells, sublevel: Sublevel) -> Solid:
    """Take the faces that one simplex of the cells alone has."""
    return Solid(cells.vertices, boundary_faces(cells.simplices), sublevel.contains)


def solid_of_level_set(sublevel: Sublevel, memory: int | None) -> Solid:
    """Extract the level set, and close it along the walls.

    Args:
        sublevel: of three inputs.
        memory: bytes that the extraction may take; what is free by default.

    Raises:
        CapError: rounding has changed the order of its vertices on an edge of the domain.
        CellLimitError: memory does not hold the level set, or it is not complete.
    """
    program, domain, level, output = sublevel
    found = extract_level_set(program, domain, level, output=output, complete=True, memory=memory)
    if not found.is_complete:
        raise CellLimitError(f"convex parts: the level set is {found.guarantee}")
    mesh = cap(found, program)
    return Solid(mesh.vertices, mesh.triangles(), sublevel.contains)
