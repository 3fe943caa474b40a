"""Regular cell complexes with a filtration: what homology needs of a polyhedral complex.

Cells of all dimensions are numbered together, vertices first, then edges, and so on. A function that is
affine on every cell takes its maximum over a cell at a vertex; the cells that have their maximum at v, with
vertices in the order of their values, are the lower star of v. Adding lower stars one by one filters the
complex by subcomplexes, and the sublevel set {f < c} deformation-retracts onto those of the vertices with
f < c (`creased.topology.betti`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import arrange
from creased.core.arrangement.facets import CellLattice, Facets, find_lattice
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.grids.unweld import Unwelded

AT_ONCE = 1 << 13  # vertices of simplices whose cells are found at once, in the cache


@dataclass(frozen=True)
class CellComplex:
    """A regular cell complex; cells are numbered by dimension."""

    counts: tuple[int, ...]  # cells of dimension 0, 1, ..., D
    facets: Facets  # of all cells
    is_oriented: bool  # else signs of incidences are left out, and all are 1

    @property
    def n(self) -> int:
        """Number of cells of all dimensions."""
        return sum(self.counts)

    @property
    def euler_characteristic(self) -> int:
        """Alternating sum of the counts."""
        return sum((-1) ** dim * count for dim, count in enumerate(self.counts))

    def dims(self) -> Tensor:
        """Dimensions (n,) int64 of the cells."""
        device = self.facets.cell.device
        every = torch.arange(len(self.counts), device=device)
        return torch.repeat_interleave(every, torch.tensor(self.counts, device=device))

    def highest(self, ranks: Tensor) -> Tensor:
        """Return the highest rank (n,) of each cell's vertices, given those (V,) int64 of all vertices."""
        found = torch.cat([ranks, ranks.new_full((self.n - len(ranks),), -1)])
        owners = self.dims()[self.facets.cell]
        for dim in range(1, len(self.counts)):
            here = (owners == dim).nonzero()[:, 0]
            cell, facet = self.facets.cell[here], self.facets.facet[here]
            found.scatter_reduce_(0, cell, found[facet], "amax")
        return found

    def subcomplex(self, is_kept: Tensor) -> tuple[CellComplex, Tensor]:
        """Restrict to cells (n,) that hold their faces; also return the old numbers of these."""
        number = is_kept.cumsum(0) - 1
        kept, inside = is_kept.nonzero()[:, 0], is_kept[self.facets.cell].nonzero()[:, 0]
        cell, facet, sign = (column[inside] for column in self.facets)
        counts = torch.bincount(self.dims()[kept], minlength=len(self.counts)).tolist()
        facets = Facets(number[cell], number[facet], sign)
        return CellComplex(tuple(counts), facets, self.is_oriented), kept


def cell_complex(complex_: PolyhedralComplex, parts: Unwelded | None = None) -> CellComplex:
    """Find the cells of a whole complex and their facets; vertices keep their numbers.

    Of the whole space it is the part within a ball beyond all vertices: each ray ends in a vertex, and each
    unbounded cell in one of a dimension less. So it is a complex of a ball.

    Args:
        complex_: whole, perturbed; the outputs may cut it or not.
        parts: the same simplex by simplex, where its network is on a grid.
    """
    if parts is None:
        codes = CellCodes(complex_.words, complex_.zero_ids)
        lattice = find_lattice(codes, arrange(complex_.layout, codes.words.device))
        counts = [len(found.words) for found in lattice.codes]
        return _numbered_together(counts, lattice.facets, is_oriented=True)
    lattice, number = _lattice_of_simplices(parts)
    counts, facets = [len(complex_.vertices)], []
    for codes, found in zip(lattice.codes[1:], lattice.facets, strict=True):  # several simplices share cells
        below, (firsts, number) = number, parts.welder.weld(codes)
        is_first = torch.zeros(len(number), dtype=torch.bool).index_fill_(0, firsts, value=True)
        kept = is_first.index_select(0, found.cell).nonzero()[:, 0]
        cell, facet = (column.index_select(0, kept) for column in found[:2])
        ones = torch.ones_like(cell)
        facets.append(Facets(number.index_select(0, cell), below.index_select(0, facet), ones))
        counts.append(len(firsts))
    return _numbered_together(counts, facets, is_oriented=False)


def _lattice_of_simplices(parts: Unwelded) -> tuple[CellLattice, Tensor]:
    """Find the cells of each simplex, some at a time, and which vertex each of their vertices (n,) is."""
    soup, vertex = parts.soup
    order = soup.words[:, -1].argsort(stable=True)
    codes = CellCodes(soup.words, soup.zero_ids).choose(order)
    rows, sizes = (
        arrange(parts.layout, codes.words.device),
        torch.unique(codes.words[:, -1], return_counts=True),
    )
    batch = (sizes[1].cumsum(0) - sizes[1]) // AT_ONCE  # of each simplex
    ends = torch.zeros(int(batch[-1]) + 1, dtype=torch.int64).index_add_(0, batch, sizes[1]).tolist()
    lattices = [
        find_lattice(CellCodes(*some), rows) for some in zip(*(c.split(ends) for c in codes), strict=True)
    ]
    return _side_by_side(lattices), vertex[order]


def _side_by_side(lattices: Sequence[CellLattice]) -> CellLattice:
    """Number the cells of lattices that share none together."""
    by_dim = list(zip(*(lattice.codes for lattice in lattices), strict=True))
    codes = [CellCodes(*(torch.cat(part) for part in zip(*some, strict=True))) for some in by_dim]
    facets = []
    for k, some in enumerate(zip(*(lattice.facets for lattice in lattices), strict=True)):
        lower, upper = (accumulate((len(c.words) for c in by_dim[k + i]), initial=0) for i in (0, 1))
        shifted = [
            (cell + n_upper, facet + n_lower, sign)
            for (cell, facet, sign), n_lower, n_upper in zip(some, lower, upper, strict=False)
        ]
        facets.append(Facets(*(torch.cat(column) for column in zip(*shifted, strict=True))))
    return CellLattice(tuple(codes), tuple(facets))


def _numbered_together(counts: Sequence[int], facets: Sequence[Facets], *, is_oriented: bool) -> CellComplex:
    """Number cells of all dimensions together."""
    first, shifted = 0, []
    for n_below, (cell, facet, sign) in zip(counts, facets, strict=False):
        shifted.append(Facets(cell + first + n_below, facet + first, sign))
        first += n_below
    columns = [torch.cat(column) for column in zip(*shifted, strict=True)]
    return CellComplex(tuple(counts), Facets(*columns), is_oriented)
