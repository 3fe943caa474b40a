"""Few convex parts of {f < level}: exact, or with hulls that stick out by no more than an error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import torch
from torch import Tensor

from creased.core.domains.domain import Domain
from creased.core.numerics.surroundings import as_written
from creased.core.program.program import Program
from creased.decomposition.exact_unions import ExactUnions, cells_as_bodies
from creased.decomposition.greedy_merge import merge_greedily
from creased.decomposition.hulls import HullsWithin, hull_of
from creased.decomposition.inside_cells import inside_cells
from creased.decomposition.offset_tree import OffsetTree

if TYPE_CHECKING:
    from collections.abc import Callable


class PartsKeywords(TypedDict, total=False):
    """Keywords of `convex_parts` and `tetrahedra`, documented there."""

    output: int
    max_cells: int
    memory: int | None
    progress: Callable[[str], None] | None


@dataclass(frozen=True)
class ConvexPart:
    """A convex polytope by its vertices and the simplices of its boundary."""

    vertices: Tensor  # (v, D) float64: extreme points
    facets: Tensor  # (n, D) int64: into vertices; of D = 3 counter-clockwise seen from outside
    volume: float  # of the cells of {f < level} in it; its own where error is 0
    hull_volume: float  # its own
    error: float  # bound on the distance of its points from {f < level}

    def halfspaces(self) -> Tensor:
        """Return facets as affine functions (n, D + 1), <= 0 inside, of unit normals, the constant last."""
        return torch.as_tensor(hull_of(self.vertices.numpy()).equations)

    def __repr__(self) -> str:
        return f"convex part of {len(self.vertices):,} vertices, volume {self.hull_volume:.6g}"


@dataclass(frozen=True)
class ConvexParts:
    """Convex parts that cover {f < level}; interiors are disjoint where the error is 0."""

    parts: tuple[ConvexPart, ...]  # the largest first
    dim: int  # D
    n_cells: int  # of the complex inside
    error: float  # that was allowed

    @property
    def n(self) -> int:
        """Number of parts."""
        return len(self.parts)

    @property
    def volume(self) -> float:
        """Volume of {f < level}."""
        return sum(part.volume for part in self.parts)

    @property
    def largest_error(self) -> float:
        """Bound on the distance of any point of a part from {f < level}."""
        return max((part.error for part in self.parts), default=0.0)

    def __repr__(self) -> str:
        how = f"hulls stick out by at most {self.largest_error:.3g}" if self.error else "exact"
        return f"{self.n:,} convex parts of {self.n_cells:,} cells, volume {self.volume:.6g}, {how}"


@as_written
@torch.no_grad()
def convex_parts(
    program: Program,
    domain: Domain | None = None,
    level: float = 0.0,
    error: float = 0.0,
    **keywords: Unpack[PartsKeywords],
) -> ConvexParts:
    """Divide {f < level} into few convex parts.

    Its cells are merged greedily where the union of two bodies is convex, up to rounding of 1e-11 of the
    domain: with error 0 the parts are {f < level}, its volume theirs. With another error these are merged
    further, as long as their hull is proven to stay that near to {f < level}. Such parts may overlap. Every
    point of {f < level} is in a part; no point of a part is farther from {f < level} than the error. The
    number of parts is not the least.

    Args:
        program: of two or three inputs, with finite weights; detached, and moved to the CPU and to float64.
        domain: bounded; None for the cube of a network on a grid.
        level: the value below which is inside.
        error: a length in the coordinates of the domain.
        output: index of the program's output.
        max_cells: cells inside that are allowed; 200,000 by default.
        memory: bytes that the extraction may take; what is free by default.
        progress: is told the number of cells, before they are merged.

    Raises:
        CellLimitError: there are more cells; the message has the numbers.
        ImportError: scipy is not installed, or with an error warp-lang.
        ValueError: the error is negative, or the domain is not bounded, or of other dimensions.
    """
    if not 0 <= error < float("inf"):
        raise ValueError(f"convex_parts: error must be a length of 0 or more, got {error}")
    cells = inside_cells(program, domain, level, **keywords)
    points, bodies = cells.vertices.numpy(), cells_as_bodies(cells)
    merge_greedily(bodies, ExactUnions(cells))
    if error and cells.n:
        inside = partial(
            _is_inside, program.to("cpu", torch.float64), domain, level, keywords.get("output", 0)
        )
        within = HullsWithin(cells, OffsetTree(cells, inside, error))
        within.start(bodies)
        merge_greedily(bodies, within)
    parts = [_part(points[sorted(body.vertices)], body.volume, body.error) for body in bodies.of.values()]
    parts.sort(key=lambda part: -part.volume)
    return ConvexParts(tuple(parts), program.in_dim, cells.n, error)


def _is_inside(program: Program, domain: Domain | None, level: float, output: int, points: Tensor) -> Tensor:
    """Tell which points (n, D) are in {f < level} and in the domain."""
    is_below = program(points)[:, output] < level
    if domain is None:
        return is_below
    walls = domain.halfspaces(points.dtype, points.device)
    return is_below & (points @ walls[:-1] + walls[-1] >= 0).all(1)


def _part(points: Any, volume: float, error: float) -> ConvexPart:
    """Make a part of its extreme points (v, D)."""
    import numpy as np

    hull = hull_of(points)
    arms = points[hull.simplices] - points.mean(axis=0)
    is_turned = np.linalg.det(arms) < 0
    facets = hull.simplices.astype(np.int64)
    facets[is_turned] = facets[is_turned][:, ::-1]
    return ConvexPart(torch.as_tensor(points), torch.as_tensor(facets), volume, float(hull.volume), error)
