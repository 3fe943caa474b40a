"""The convex cells of {f < level}: regions of the complex cut by the level, on shared vertices.

Regions that perturbation leaves without volume are left out; regions that these keep apart, and that share
vertices enough for a facet, count as neighbours. Vertices in one place are one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, permutations
from math import ceil, floor

import torch
from torch import Tensor

from creased.core.domains.domain import Domain, require_domain
from creased.core.numerics.memory import CellLimitError
from creased.core.program.program import Program
from creased.regions.graph_distances import Neighbours
from creased.regions.region_graph import RegionGraph, region_graph
from creased.regions.rows import neuron_of
from creased.regions.triangulation import simplex_volumes, triangulate

MOST_CELLS = 200_000  # inside; to merge them takes two or three minutes
SAME_PLACE = 1e-11  # distance of vertices that are one, of the size of the domain
ADVICE = "take a smaller box, or for convex parts an error, or a larger one"
NO_VOLUME = 1e-15  # volume of cells that are none, of that of the domain's bounding box


@dataclass(frozen=True)
class InsideCells:
    """Cells (n) of {f < level} that have a volume, their vertices, neighbours and simplices."""

    vertices: Tensor  # (V, D) float64: distinct places
    offsets: Tensor  # (n + 1,) int64: into `corners`
    corners: Tensor  # (m,) int64: vertices of each cell
    volumes: Tensor  # (n,) float64
    pairs: Tensor  # (A, 2) int64: neighbours
    normals: Tensor  # (A, D) float64: unit normals of the facets between them; 0 where not known
    layers: Tensor  # (A,) int64: of the neurons between them, from 0; -1 where another row is
    simplices: Tensor  # (T, D + 1) int64: of all cells, without new vertices
    cell: Tensor  # (T,) int64: that each simplex is of
    size: float  # longest side of the domain

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.volumes)


def inside_cells(
    program: Program,
    domain: Domain | None,
    level: float,
    *,
    output: int = 0,
    max_cells: int = MOST_CELLS,
    memory: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> InsideCells:
    """Extract the cells of {f < level}.

    Args:
        program: detached, and moved to the CPU and to float64.
        domain: bounded; None for the cube of a network on a grid.
        level: the value.
        output: index of the program's output.
        max_cells: cells inside that are allowed.
        memory: bytes that the extraction may take; what is free by default.
        progress: is told the number of cells, before the work on them.

    Raises:
        CellLimitError: there are more cells; the message has the numbers.
        ValueError: the domain is not bounded, not of two or three dimensions, or does not fit; or max_cells
            is below 1.
    """
    require_divisible(program, domain, max_cells)
    _require_few_simplices(program, domain, level, output, max_cells)
    graph = region_graph(program, domain, level=level, output=output, memory=memory)
    is_inside = graph.regions.sign_vectors()[:, graph.regions.layout.first_output] < 0
    words = f"{int(is_inside.sum()):,} of {graph.n:,} cells are inside"
    if int(is_inside.sum()) > max_cells:
        raise CellLimitError(f"cells inside: {words}; more than max_cells={max_cells:,}: {ADVICE}")
    if progress is not None:
        progress(words)
    return _with_volume(graph, is_inside)


def require_divisible(program: Program, domain: Domain | None, max_cells: int) -> None:
    """Refuse what has no cells inside that are bounded.

    Raises:
        TypeError: the domain is none.
        ValueError: the message says why.
    """
    if program.in_dim not in (2, 3):
        raise ValueError(f"cells inside: of networks of two or three inputs, got {program.in_dim}")
    require_domain("cells inside", domain)
    if (domain is None and program.grid is None) or (domain is not None and not domain.is_bounded):
        raise ValueError(f"cells inside: needs a bounded domain, got {domain}")
    if max_cells < 1:
        raise ValueError(f"cells inside: max_cells must be positive, got {max_cells}")


def _require_few_simplices(
    program: Program, domain: Domain | None, level: float, output: int, max_cells: int
) -> None:
    """Refuse a grid with more simplices than cells are allowed whose centroids are inside.

    Each holds a cell that is inside, at least. The centroids of the simplices of a cube are all orders of
    1 / (D + 1) to D / (D + 1).
    """
    grid = program.grid
    if grid is None or grid.section is not None or (domain is not None and not domain.is_box):
        return
    bounds = [(-grid.half_width, grid.half_width)] * grid.dim
    if domain is not None:
        bounds = list(zip(domain.lower, domain.upper, strict=True))
    step, n_inside = 2 * grid.half_width / grid.finest, 0
    middle = grid.finest / 2
    ends = [(ceil(a / step + middle), floor(b / step + middle)) for a, b in bounds]
    first, *others = (torch.arange(low, max(low, high)) for low, high in ends)
    centroids = torch.tensor(list(permutations(range(1, grid.dim + 1)))) / (grid.dim + 1)
    for place in first:
        corners = torch.cartesian_prod(place[None], *others)
        points = step * (corners[:, None] + centroids).flatten(0, 1) - grid.half_width
        values = program.outputs_at(points.to(program.device, program.dtype))[:, output]
        n_inside += int((values < level).sum())
        if n_inside > max_cells:
            raise CellLimitError(
                f"cells inside: {n_inside:,} simplices of the grid are inside, and others not counted, "
                f"before neurons cut them; more than max_cells={max_cells:,}: {ADVICE}"
            )


def _with_volume(graph: RegionGraph, is_inside: Tensor) -> InsideCells:
    domain = graph.complex.domain
    sides = torch.tensor(domain.upper, dtype=torch.float64) - torch.tensor(domain.lower, dtype=torch.float64)
    size = float(sides.max())
    vertices, place = _distinct(graph.complex.vertices, SAME_PLACE * size)
    parts = triangulate(graph.complex, graph.regions, graph.program.grid, place)
    of_simplices = simplex_volumes(vertices, parts.simplices)
    volumes = torch.zeros(graph.n, dtype=torch.float64).index_add_(0, parts.region, of_simplices)
    has_volume = volumes > NO_VOLUME * float(sides.prod())
    kept = is_inside & has_volume
    number = torch.where(kept, kept.cumsum(0) - 1, -1)
    offsets, indices = graph.regions.vertices()
    owner = number[torch.repeat_interleave(torch.arange(graph.n), offsets.diff())]
    corners = torch.stack([owner, place[indices]], dim=1)[owner >= 0].unique(dim=0)
    pairs, normals, layers = _neighbours(graph, number, is_inside & ~has_volume)
    mine = number[parts.region] >= 0
    counts = torch.bincount(corners[:, 0], minlength=int(kept.sum()))
    return InsideCells(
        vertices=vertices,
        offsets=torch.nn.functional.pad(counts.cumsum(0), (1, 0)),
        corners=corners[:, 1],
        volumes=volumes[kept],
        pairs=pairs,
        normals=normals,
        layers=layers,
        simplices=parts.simplices[mine],
        cell=number[parts.region[mine]],
        size=size,
    )


def _distinct(points: Tensor, distance: float) -> tuple[Tensor, Tensor]:
    """Return the first of points (V, D) in each place, and the place (V,) of each.

    Along each axis coordinates are one where gaps between them are no larger than the distance.
    """
    ordered, order = points.sort(dim=0)
    steps = torch.nn.functional.pad((ordered.diff(dim=0) > distance).long(), (0, 0, 1, 0))
    along = torch.empty_like(order).scatter_(0, order, steps.cumsum(0))
    _, place = torch.unique(along, dim=0, return_inverse=True)
    firsts = torch.full((int(place.max()) + 1,), len(points)).scatter_reduce_(
        0, place, torch.arange(len(points)), "amin"
    )
    order = firsts.argsort()  # places in the order of their first points
    rank = torch.empty_like(order).index_copy_(0, order, torch.arange(len(order)))
    return points[firsts[order]], rank[place]


def _neighbours(graph: RegionGraph, number: Tensor, is_flat: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pairs of kept cells, and unit normals and layers of what is between them."""
    kept = (number[graph.pairs] >= 0).all(1).nonzero()[:, 0]
    offsets, normals, _, rows = graph.regions.halfspaces(graph.program, graph.level or 0.0)
    owner = torch.repeat_interleave(torch.arange(graph.n), offsets.diff())
    least = min(int(rows.min()), 0)
    span = int(rows.max()) - least + 1
    keys, order = (owner * span + rows - least).sort()
    wanted = graph.pairs[kept, 0] * span + graph.rows[kept] - least
    found = torch.nn.functional.normalize(normals[order[torch.searchsorted(keys, wanted)]])
    across = _across_flat(graph, number, is_flat)
    pairs = torch.cat([number[graph.pairs[kept]], across])
    normals = torch.cat([found, found.new_zeros((len(across), found.shape[1]))])
    layers = [neuron_of(graph.regions.layout, row) for row in graph.rows[kept].tolist()]
    found_layers = [-1 if neuron is None else neuron[0] for neuron in layers] + [-1] * len(across)
    return pairs, normals, torch.tensor(found_layers, dtype=torch.int64)


def _across_flat(graph: RegionGraph, number: Tensor, is_flat: Tensor) -> Tensor:
    """Pairs (n, 2) of kept cells around connected sets of cells without volume."""
    if not bool(is_flat.any()):
        return graph.pairs[:0]
    neighbours = Neighbours.of(graph.pairs, graph.n)
    left, pairs = set(is_flat.nonzero()[:, 0].tolist()), set[tuple[int, int]]()
    while left:
        front, around = {left.pop()}, set[int]()
        while front:
            ahead = set(neighbours.of_regions(torch.tensor(sorted(front))).tolist())
            around |= {int(number[region]) for region in ahead}
            front = ahead & left
            left -= front
        pairs.update(combinations(sorted(around - {-1}), 2))
    return torch.tensor(sorted(pairs), dtype=torch.int64).reshape(-1, 2)
