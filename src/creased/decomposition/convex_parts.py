"""Few convex parts of {f < level}: exact, or with hulls that stick out by no more than an error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, Unpack

import torch
from torch import Tensor

from creased.core.domains.domain import Domain
from creased.core.numerics.surroundings import as_written
from creased.core.program.program import Program
from creased.decomposition.bisection import MOST_PIECES, bisect
from creased.decomposition.exact_unions import ExactUnions, cells_as_bodies
from creased.decomposition.greedy_merge import Bodies, merge_greedily
from creased.decomposition.hulls import hull_of
from creased.decomposition.inside_cells import inside_cells, require_divisible
from creased.decomposition.merge_within import merge_within
from creased.decomposition.moments import Moments, moments_inside, moments_of_simplices
from creased.decomposition.offset_tree import OffsetTree
from creased.decomposition.solid import Sublevel, solid_of_cells, solid_of_level_set
from creased.meshes.caps import CapError

if TYPE_CHECKING:
    from collections.abc import Callable

CELLS_FOR_BOXES = 300  # as many C(n, 3) take as long as boxes do for an error of the size of the domain


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
    volume: float
    error: float  # bound on the distance of its points from {f < level}

    def halfspaces(self) -> Tensor:
        """Return facets as affine functions (n, D + 1), <= 0 inside, of unit normals, the constant last."""
        return torch.as_tensor(hull_of(self.vertices.numpy()).equations)

    def __repr__(self) -> str:
        return f"convex part of {len(self.vertices):,} vertices, volume {self.volume:.6g}"


@dataclass(frozen=True)
class ConvexParts:
    """Convex parts that cover {f < level}; interiors are disjoint where the error is 0."""

    parts: tuple[ConvexPart, ...]  # the largest first
    dim: int  # D
    n_pieces: int  # that were merged: cells of the complex, or hulls of the inside of boxes
    error: float  # that was allowed
    moments: Moments  # of {f < level}

    @property
    def n(self) -> int:
        """Number of parts."""
        return len(self.parts)

    @property
    def volume(self) -> float:
        """Volume of {f < level}."""
        return self.moments.volume

    @property
    def overlap(self) -> float:
        """Volumes of all parts over that of {f < level}: 1 or more, and 1 where parts are exact."""
        return sum(part.volume for part in self.parts) / self.volume if self.parts else 1.0

    @property
    def largest_error(self) -> float:
        """Bound on the distance of any point of a part from {f < level}."""
        return max((part.error for part in self.parts), default=0.0)

    def __repr__(self) -> str:
        how = "exact"
        if self.error:
            how = (
                f"which stick out by at most {self.largest_error:.3g}, with overlaps {self.overlap:.2f} of it"
            )
        return f"{self.n:,} convex parts of {self.n_pieces:,} pieces, volume {self.volume:.6g}, {how}"


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
    domain: with error 0 the parts are {f < level}, their volumes add up to its own. With another error bodies
    are merged as long as their hull is proven to stay that near to {f < level}, and small ones are then
    dissolved into others; such parts may overlap. Every point of {f < level} is in a part; no point of a part
    is farther from {f < level} than the error. The number of parts is not the least.

    With an error that is not small, networks of three inputs on a grid or with many neurons are not cut into
    cells: the inside of the level set is cut into boxes instead.

    Args:
        program: of two or three inputs, with finite weights; detached, and moved to the CPU and to float64.
        domain: bounded; None for the cube of a network on a grid.
        level: the value below which is inside.
        error: a length in the coordinates of the domain.
        output: index of the program's output.
        max_cells: cells inside that are allowed, 200,000 by default; pieces of boxes, 10,000 by default.
        memory: bytes that the extraction may take; what is free by default.
        progress: is told the number of cells or pieces, before they are merged.

    Raises:
        CellLimitError: there are more cells or pieces; the message has the numbers.
        ImportError: scipy is not installed, or with an error warp-lang or manifold3d.
        ValueError: the error is negative, or the domain is not bounded, or of other dimensions.
    """
    if not 0 <= error < float("inf"):
        raise ValueError(f"convex_parts: error must be a length of 0 or more, got {error}")
    require_divisible(program, domain, keywords.get("max_cells", MOST_PIECES))
    sublevel = Sublevel(program.to("cpu", torch.float64), domain, level, keywords.get("output", 0))
    of_pieces = _of_boxes if error and _do_boxes_pay(sublevel, error) else _of_cells
    found = of_pieces(sublevel, error, **keywords)
    bodies = found.bodies.of.values()
    parts = [_part(found.points[sorted(body.vertices)], body.error) for body in bodies]
    parts.sort(key=lambda part: -part.volume)
    return ConvexParts(tuple(parts), program.in_dim, found.n_pieces, error, found.moments)


class _Found(NamedTuple):
    """Bodies that are merged."""

    points: Any  # (V, D) float64
    bodies: Bodies
    n_pieces: int
    moments: Moments


def _do_boxes_pay(sublevel: Sublevel, error: float) -> bool:
    """Compare what cells cost, whose number grows as C(n, D) with neurons, and pieces, as size over error."""
    program, domain = sublevel.program, sublevel.domain
    if program.in_dim != 3 or program.grid is not None or domain is None:
        return program.in_dim == 3
    size = max(high - low for low, high in zip(domain.lower, domain.upper, strict=True))
    return math.comb(program.n_neurons, 3) > CELLS_FOR_BOXES * size / error


def _of_cells(sublevel: Sublevel, error: float, **keywords: Unpack[PartsKeywords]) -> _Found:
    """Merge the cells of the complex; with an error what is left then, too."""
    cells = inside_cells(sublevel.program, sublevel.domain, sublevel.level, **keywords)
    points, bodies = cells.vertices.numpy(), cells_as_bodies(cells)
    merge_greedily(bodies, ExactUnions(cells))
    if error and cells.n:
        merge_within(points, bodies, OffsetTree(solid_of_cells(cells, sublevel), error))
    return _Found(points, bodies, cells.n, moments_of_simplices(cells.vertices[cells.simplices]))


def _of_boxes(sublevel: Sublevel, error: float, **keywords: Unpack[PartsKeywords]) -> _Found:
    """Merge pieces in boxes of the inside of the level set; cells where a degenerate one cannot be closed."""
    try:
        solid = solid_of_level_set(sublevel, keywords.get("memory"))
    except CapError:
        return _of_cells(sublevel, error, **keywords)
    moments = moments_inside(solid.vertices, solid.faces)
    if solid.is_empty:
        return _Found(solid.vertices.numpy(), Bodies({}, {}, []), 0, moments)
    tree, progress = OffsetTree(solid, error), keywords.get("progress") or (lambda _: None)
    points, bodies = bisect(solid, tree, keywords.get("max_cells", MOST_PIECES), progress)
    n_pieces = len(bodies.of)
    progress(f"{n_pieces:,} pieces of the inside of {len(solid.faces):,} triangles")
    merge_within(points, bodies, tree)
    return _Found(points, bodies, n_pieces, moments)


def _part(points: Any, error: float) -> ConvexPart:
    """Make a part of its extreme points (v, D)."""
    import numpy as np

    hull = hull_of(points)
    arms = points[hull.simplices] - points.mean(axis=0)
    is_turned = np.linalg.det(arms) < 0
    facets = hull.simplices.astype(np.int64)
    facets[is_turned] = facets[is_turned][:, ::-1]
    return ConvexPart(torch.as_tensor(points), torch.as_tensor(facets), float(hull.volume), error)
