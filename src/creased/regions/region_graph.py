"""The dual graph of a complex: its regions, joined where they share a facet.

Where a network is degenerate the complex is perturbed (`creased.core.degeneracy`): some regions are then
without volume, and lie between others that touch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from creased.core.complexes.complex import PolyhedralComplex, find_regions
from creased.core.complexes.locate import regions_at
from creased.core.complexes.regions import Regions
from creased.core.domains.domain import Domain
from creased.core.domains.whole_space import WholeSpace
from creased.core.extract_complex import extract_complex
from creased.core.formatting import format_number_of
from creased.core.numerics.memory import CellLimitError
from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tensors import Points
from creased.core.program.combine import select
from creased.core.program.program import Program
from creased.regions.graph_distances import Neighbours, diameter, hops
from creased.regions.networkx_graph import as_networkx
from creased.regions.rows import name_row
from creased.regions.segments import SegmentPath, follow_segment
from creased.regions.triangulation import region_volumes


@dataclass(frozen=True)
class RegionGraph:
    """The regions of a program on a domain, and which share a facet; made by `creased.region_graph`."""

    complex: PolyhedralComplex
    regions: Regions
    program: Program  # in float64
    level: float | None  # of the outputs, where they cut; else None
    pairs: Tensor  # (A, 2) int64: regions with a common facet, the smaller number first
    rows: Tensor  # (A,) int64: the row that the facet lies on; below 0 a plane of a grid

    @property
    def n(self) -> int:
        """Number of regions R."""
        return self.regions.n

    @cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours.of(self.pairs, self.n)

    def at(self, points: Points) -> Tensor:
        """Return the regions (...) int64 that hold points (..., D); -1 outside of the domain.

        A point on a crease is in the region on its + side.
        """
        return regions_at(points, self.regions, self.program, self.level)

    def neighbours(self, region: int) -> Tensor:
        """Return the regions (n,) int64 that share a facet with one, ascending."""
        return self._neighbours.of_region(region)

    def degrees(self) -> Tensor:
        """Count the neighbours (R,) int64 of each region."""
        return self._neighbours.degrees()

    def degree_distribution(self) -> Tensor:
        """Count the regions (n,) int64 with 0, 1, 2, ... neighbours."""
        return torch.bincount(self.degrees())

    def hops(self, region: int) -> Tensor:
        """Count the facets (R,) int64 that have to be crossed from one region to each."""
        return hops(self._neighbours, region)

    @cached_property
    def diameter(self) -> int:
        """The most facets that have to be crossed from one region to another."""
        return diameter(self._neighbours)

    def path(self, start: Points, end: Points) -> SegmentPath:
        """Follow the straight segment between two points (D,) of the domain from region to region.

        Raises:
            ValueError: a point is not in the domain, or they are equal.
        """
        return follow_segment(start, end, self.regions, self.program, self.level)

    @cached_property
    def maps(self) -> Tensor:
        """The outputs as affine functions (R, D + 1, O) on the regions, the constant last."""
        return self.regions.maps(self.program)

    @cached_property
    def volumes(self) -> Tensor:
        """The volumes (R,) float64 of the regions; infinite where they are not bounded."""
        return region_volumes(self.complex, self.regions, self.program.grid)

    def name_row(self, row: int) -> str:
        """Name a row: "layer 1, neuron 3", "wall 2", "output 0" or "a plane of the grid"."""
        return name_row(self.regions.layout, row)

    def to_networkx(self) -> Any:
        """Convert to a `networkx.Graph` with one node a region.

        Nodes have ``signs`` (of walls, neurons and outputs that cut), ``slopes`` and ``constant`` (of each
        output) and ``volume``; edges have ``row``, ``neuron`` (its layer and number, None for other rows) and
        ``name``.

        Raises:
            ImportError: networkx is not installed.
        """
        return as_networkx(self)

    def __repr__(self) -> str:
        counts = (
            f"{format_number_of(self.n, 'region')}, {format_number_of(len(self.pairs), 'pair')} of neighbours"
        )
        return f"graph of {counts} in {self.regions.domain}, of {self.program}"


@as_written
@torch.no_grad()
def region_graph(
    program: Program,
    domain: Domain | None = None,
    *,
    level: float | None = None,
    output: int | None = None,
    memory: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> RegionGraph:
    """Extract the dual graph of a program's complex.

    Args:
        program: detached, and moved to the CPU and to float64.
        domain: where; None for the whole space, or the cube of a network on a grid.
        level: a value of the outputs that cuts, too; None leaves them out.
        output: keep one output alone, by its index.
        memory: bytes that the extraction may take; what is free by default.
        progress: is told the number of regions and vertices, before the work on them.

    Raises:
        CellLimitError: the complex takes more memory than allowed.
        ValueError: dimensions differ, or the network does not look at some directions of the whole space.
    """
    program = program.detach().to("cpu", torch.float64)
    program = program if output is None else select(program, output)
    if domain is None and program.grid is None:
        domain = WholeSpace(program.in_dim)
    found = extract_complex(program, domain, level=level, exact=True, memory=memory)
    if not found.is_whole:
        raise CellLimitError(f"region_graph: the complex was {found.status}")
    if found.part is not None:
        raise ValueError(
            f"region_graph: {found.part.note}: give a bounded domain, or creased.essential(program).program"
        )
    regions = find_regions(found)
    if progress is not None:
        vertices = format_number_of(found.vertices.shape[0], "vertex", "vertices")
        progress(f"{format_number_of(regions.n, 'region')}, {vertices}")
    first, second, rows = regions.neighbours().unbind(1)
    return RegionGraph(found, regions, program, level, torch.stack([first, second], dim=1), rows)
