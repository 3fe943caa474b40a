"""The cells of a slab that lie in a plane at its end, in an order that is the same in both slabs there.

Vertices are ordered by names, which tell them in both slabs, and then, dimension by dimension, cells by the
least and the greatest of their facets. These tell a cell: two cells share a face of both, and a face that
holds two facets of a cell is that cell.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.facets import Facets
from creased.topology.cell_complexes import CellComplex


class PlaneCells(NamedTuple):
    """Cells in a plane; those of both slabs have equal names and equal cells."""

    cells: CellComplex  # of dimension 0 to D - 1; facets are sorted
    names: Tensor  # (V', k) int64: of the vertices, ascending
    number: Tensor  # (n',) int64: of each cell in the slab

    def is_same(self, other: PlaneCells) -> bool:
        """Compare names and incidences."""
        columns = [
            (self.names, other.names),
            *zip(self.cells.facets[:2], other.cells.facets[:2], strict=True),
        ]
        is_counted = self.cells.counts == other.cells.counts
        return is_counted and all(torch.equal(mine, theirs) for mine, theirs in columns)


def cells_in_plane(cells: CellComplex, is_on: Tensor, names: Tensor) -> PlaneCells:
    """Order the cells in a plane that bounds a slab.

    Args:
        cells: of the slab; their signs of incidences are lost.
        is_on: True (V,) for vertices in the plane.
        names: of the vertices, (V, k) int64.
    """
    within, number = cells.subcomplex(cells.highest((~is_on).long()) == 0)
    n_vertices, (cell, facet, _) = within.counts[0], within.facets
    ascending, place = torch.unique(names[number[:n_vertices]], dim=0, return_inverse=True)
    for dim in range(1, len(cells.counts) - 1):
        place = torch.cat([place, _places_by_facets(within, dim, place)])
    order = torch.empty_like(place).index_copy_(0, place, torch.arange(len(place), device=place.device))
    key = torch.sort(place[cell] * len(place) + place[facet]).values
    facets = Facets(key // len(place), key % len(place), torch.ones_like(key))
    return PlaneCells(CellComplex(within.counts[:-1], facets, is_oriented=False), ascending, number[order])


def _places_by_facets(cells: CellComplex, dim: int, place: Tensor) -> Tensor:
    """Places (n_dim,) of the cells of one dimension, given those of all cells of less (n_lower,)."""
    n_lower, n = len(place), cells.counts[dim]
    here = ((cells.facets.cell >= n_lower) & (cells.facets.cell < n_lower + n)).nonzero()[:, 0]
    cell, of_facet = cells.facets.cell[here] - n_lower, place[cells.facets.facet[here]]
    least, greatest = (
        torch.zeros(n, dtype=torch.int64).scatter_reduce_(0, cell, of_facet, which, include_self=False)
        for which in ("amin", "amax")
    )
    order = (least * n_lower + greatest).argsort()
    return torch.empty_like(order).index_copy_(0, order, torch.arange(n_lower, n_lower + n))
