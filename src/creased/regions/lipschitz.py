"""Lipschitz constants of a network, exactly: the largest gradient of a region.

On a convex domain |f(x) - f(y)| <= L |x - y| holds with L the largest dual norm of a gradient, as a segment
passes regions one by one; near a point where that region has a volume it is reached. Regions without volume,
which perturbation adds, do not count: which they are is decided in integers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from creased.core.domains.box import Box
from creased.core.domains.domain import Domain
from creased.core.domains.polytope import Polytope
from creased.core.formatting import format_number_of
from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tensors import Points, as_points
from creased.core.program.program import Program
from creased.regions.region_graph import RegionGraph, region_graph
from creased.regions.simplex_distance import distance_to_simplices
from creased.regions.triangulation import triangulate
from creased.tropical.cells.engine_cells import cells_among

DUAL = {1: math.inf, 2: 2, math.inf: 1}  # of the norms of the input


@dataclass(frozen=True)
class Lipschitz:
    """The Lipschitz constant of a network on a set, and where it is reached."""

    constant: float
    point: Tensor  # (D,) float64: inside of a region with that gradient
    gradient: Tensor  # (D,) float64
    n_regions: int  # regions that were compared
    norm: float  # of the input: 1, 2 or infinity

    def __repr__(self) -> str:
        place = ", ".join(f"{x:.6g}" for x in self.point.tolist())
        regions = format_number_of(self.n_regions, "region")
        return f"{self.constant:.12g} in the {self.norm:g}-norm, at ({place}); {regions}"


@as_written
@torch.no_grad()
def lipschitz(
    program: Program,
    domain: Domain | None = None,
    *,
    norm: float = 2,
    output: int = 0,
    memory: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Lipschitz:
    """Compute the Lipschitz constant of a program on a convex domain.

    Args:
        program: with finite weights; detached, and moved to the CPU and to float64.
        domain: where; None for the whole space, or the cube of a network on a grid.
        norm: of the input: 1, 2 or infinity; that of gradients is its dual.
        output: index of the program's output.
        memory: bytes that the extraction may take; what is free by default.
        progress: is told the number of regions and vertices, before the work on them.

    Raises:
        CellLimitError: the complex takes more memory than allowed.
        ValueError: dimensions differ, another norm, or the network does not look at some directions of the
            whole space.
    """
    _require_norm("lipschitz", norm)
    graph = region_graph(program, domain, output=output, memory=memory, progress=progress)
    return _largest(graph, torch.ones(graph.n, dtype=torch.bool), norm)


@as_written
@torch.no_grad()
def local_lipschitz(
    program: Program,
    point: Points,
    radius: float,
    *,
    norm: float = 2,
    output: int = 0,
    memory: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Lipschitz:
    """Compute the Lipschitz constant of a program on an open ball, from the regions that meet it.

    Args:
        program: as `lipschitz` takes it.
        point: the centre (D,).
        radius: of the ball, in the norm. What lies outside of a network's grid is left out.
        norm: of the ball and of the input: 1, 2 or infinity.
        output: index of the program's output.
        memory: bytes that the extraction may take; what is free by default.
        progress: is told the number of regions and vertices, before the work on them.

    Raises:
        CellLimitError: the complex takes more memory than allowed.
        ValueError: the radius is not positive or less than rounding, the point has another dimension or is so
            far outside of a grid that the ball does not meet it, or another norm.
    """
    _require_norm("local_lipschitz", norm)
    centre = as_points("local_lipschitz", point, program.in_dim, torch.float64, torch.device("cpu"))
    centre, radius = centre.reshape(-1), float(radius)
    if len(centre) != program.in_dim or not 0 < radius < math.inf:
        raise ValueError(
            f"local_lipschitz: needs a point ({program.in_dim},) and a radius > 0, got {centre.tolist()} "
            f"and {radius}"
        )
    domain = _around(program, centre, radius, norm)
    graph = region_graph(program, domain, output=output, memory=memory, progress=progress)
    is_met = torch.ones(graph.n, dtype=torch.bool)
    if norm == 2:
        parts = triangulate(graph.complex, graph.regions, graph.program.grid)
        is_near = distance_to_simplices(graph.complex.vertices[parts.simplices], centre) < radius
        is_met = torch.zeros_like(is_met).index_fill_(0, parts.region[is_near], value=True)
    return _largest(graph, is_met, norm)


def _require_norm(call: str, norm: float) -> None:
    if norm not in DUAL:
        raise ValueError(f"{call}: norm must be 1, 2 or math.inf, got {norm!r}")


def _around(program: Program, centre: Tensor, radius: float, norm: float) -> Domain:
    """Return the ball, or a box around that of the 2-norm, as far as a grid reaches."""
    dim, reach = len(centre), math.inf if program.grid is None else program.grid.half_width
    low, high = (centre - radius).clamp(min=-reach), (centre + radius).clamp(max=reach)
    if not bool((low < high).all()):
        raise ValueError(
            f"local_lipschitz: the ball of radius {radius:g} about {centre.tolist()} is less than rounding, "
            "or outside of the grid"
        )
    if norm != 1:
        return Box(low.tolist(), high.tolist())
    normals = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0]).double()] * dim).reshape(2**dim, dim)
    offsets = radius + normals @ centre
    if math.isfinite(reach):
        axes = torch.cat([torch.eye(dim), -torch.eye(dim)]).double()
        normals, offsets = (
            torch.cat([axes, normals]),
            torch.cat([offsets.new_full((2 * dim,), reach), offsets]),
        )
    return Polytope(normals, offsets)


def _largest(graph: RegionGraph, is_met: Tensor, norm: float) -> Lipschitz:
    """Find the largest gradient of those regions (R,) that have a volume."""
    vertices = graph.complex.vertices
    is_cell = cells_among(graph.program, graph.complex.domain, graph.regions, vertices).is_cell & is_met
    gradients = graph.maps[:, :-1, 0]
    sizes = torch.linalg.vector_norm(gradients, DUAL[norm], dim=1).masked_fill(~is_cell, -1)
    best = int(sizes.argmax())
    offsets, corners = graph.regions.vertices()
    corners = corners[offsets[best] : offsets[best + 1]]
    is_far, places = graph.complex.is_ray()[corners], vertices[corners]
    inside = places[~is_far].mean(0) + places[is_far].sum(0)
    return Lipschitz(float(sizes[best]), inside, gradients[best], int(is_cell.sum()), float(norm))
