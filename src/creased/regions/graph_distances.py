"""Distances in the dual graph: crossings from one region to all, and the largest of all pairs.

The diameter is found by iFUB (Crescenzi, Grossi, Habib, Lanzi and Marino 2013): regions far from a central
one are tried first, and all others are excluded by the bound that twice their distance to it gives.
"""

from __future__ import annotations

from operator import index
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.signs import WORD
from creased.core.numerics.tensors import ranges_of

AT_ONCE = 1 << 10  # searches that are made together


class Neighbours(NamedTuple):
    """Neighbours of each of R regions, one list behind the other."""

    offsets: Tensor  # (R + 1,) int64
    regions: Tensor  # (2 A,) int64: of each region, ascending

    @staticmethod
    def of(pairs: Tensor, n: int) -> Neighbours:
        """List the neighbours of each of n regions, given pairs (A, 2) of them, each once."""
        both = torch.cat([pairs, pairs.flip(1)]).unique(dim=0)
        counts = torch.bincount(both[:, 0], minlength=n)
        return Neighbours(torch.nn.functional.pad(counts.cumsum(0), (1, 0)), both[:, 1].contiguous())

    @property
    def n(self) -> int:
        """Number of regions R."""
        return len(self.offsets) - 1

    def degrees(self) -> Tensor:
        """Count the neighbours (R,) of each region."""
        return self.offsets.diff()

    def require(self, call: str, region: int) -> int:
        """Return the number of a region, which may be an integer of any type; refuse those that are none."""
        number = index(region)
        if not 0 <= number < self.n:
            raise ValueError(f"{call}: regions are 0 to {self.n - 1}, got {number}")
        return number

    def of_region(self, region: int) -> Tensor:
        """Return the neighbours of one region."""
        number = self.require("neighbours", region)
        return self.regions[int(self.offsets[number]) : int(self.offsets[number + 1])]

    def of_regions(self, regions: Tensor) -> Tensor:
        """Return the neighbours (m,) of regions (n,), with repetitions."""
        return self.regions[ranges_of(self.offsets[regions], self.degrees()[regions])[1]]

    def __repr__(self) -> str:
        return f"{len(self.regions) // 2:,} pairs of neighbours among {self.n:,} regions"


def hops(neighbours: Neighbours, region: int) -> Tensor:
    """Count the crossings (R,) int64 from a region to each, breadth first; -1 where there is no way."""
    found = torch.full((neighbours.n,), -1, device=neighbours.regions.device)
    front, n_hops = torch.tensor([neighbours.require("hops", region)], device=found.device), 0
    while front.numel():
        found[front] = n_hops
        n_hops += 1
        ahead = neighbours.of_regions(front)
        front = ahead[found[ahead] < 0].unique()
    return found


def diameter(neighbours: Neighbours) -> int:
    """Find the largest distance of two regions of a connected graph."""
    if neighbours.n < 2:
        return 0
    far = int(hops(neighbours, 0).argmax())
    from_far = hops(neighbours, far)
    most = int(from_far.max())
    from_other = hops(neighbours, int(from_far.argmax()))
    between = (from_far + from_other == most).nonzero()[:, 0]  # on a longest of shortest ways found so far
    centre = int(between[(from_far[between] - from_other[between]).abs().argmin()])
    levels = hops(neighbours, centre)
    order = levels.argsort(descending=True)
    for batch in order.split(AT_ONCE):
        if most >= 2 * int(levels[batch[0]]):
            break
        most = max(most, _largest_eccentricity(neighbours, batch))
    return most


def _largest_eccentricity(neighbours: Neighbours, sources: Tensor) -> int:
    """Find the largest distance from any of some regions by breadth-first searches from all at once.

    A word of a region has a bit for each source that has reached it.
    """
    degrees, every = neighbours.degrees(), torch.arange(len(sources), device=sources.device)
    reached = torch.zeros((neighbours.n, -(-len(sources) // WORD)), dtype=torch.int64, device=sources.device)
    reached[sources, every // WORD] = torch.ones_like(every) << (every % WORD)
    by_degree = degrees.argsort(descending=True, stable=True)
    counts = (degrees[by_degree] > torch.arange(int(degrees.max()))[:, None].to(degrees)).sum(1).tolist()
    columns = [neighbours.regions[neighbours.offsets[by_degree[:n]] + k] for k, n in enumerate(counts)]
    n_steps = 0
    while True:
        ahead = reached.clone()
        for n, column in zip(counts, columns, strict=True):
            ahead[by_degree[:n]] |= reached[column]
        if torch.equal(ahead, reached):
            return n_steps
        reached, n_steps = ahead, n_steps + 1
