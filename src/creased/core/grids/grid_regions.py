"""Regions of a complex on a grid: each lies in one simplex, and meets others across the simplex's walls.

Around a welded vertex lie more than 2^D regions. So corners and zero ids are those of the vertices of the
single simplices, in whose rows the simplex's own walls come first; facets in them are paired by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from creased.core.arrangement.cells import number_regions
from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.skeleton import Skeleton
from creased.core.complexes.regions import Regions
from creased.core.grids.cell_maps import encoder_maps, wall_maps
from creased.core.grids.cut import SimplexCutter
from creased.core.grids.weld import Welder
from creased.core.program.kuhn_grid import KuhnGrid
from creased.core.program.program import Program


@dataclass(frozen=True, repr=False)
class GridRegions(Regions):
    """Regions of a complex on a grid; corners and zero ids are those of the vertices of simplices."""

    vertex: Tensor  # (V', ) int64: which vertex of the complex each vertex of a simplex is
    own_words: Tensor  # (R, W') int64: packed signs in the rows of a simplex, and the simplex
    grid: KuhnGrid

    @staticmethod
    def alone(cells: Skeleton, cutter: SimplexCutter) -> GridRegions:
        """Find the regions of cells that are not welded."""
        every = torch.arange(len(cells.vertices), device=cells.words.device)
        codes = CellCodes(cells.words, cells.zero_ids)
        return GridRegions.of(codes, every, Welder.of(cutter.problem), cutter.rows)

    @staticmethod
    def of(codes: CellCodes, vertex: Tensor, welder: Welder, rows: Arrangement) -> GridRegions:
        """Find the regions around vertices of simplices.

        Args:
            codes: of the vertices, in the rows of a simplex.
            vertex: the welded vertex (V',) that each of them is.
            welder: of the grid.
            rows: tables of the rows of a simplex.
        """
        corners, words = number_regions(codes, rows)
        kept = welder.layout, welder.domain, vertex, words, welder.grid
        return GridRegions(welder.polygon_words(words), corners, codes.zero_ids, *kept)

    @cached_property
    def _welder(self) -> Welder:
        return Welder(self.grid, self.domain, self.layout)

    @property
    def simplices(self) -> Tensor:
        """The simplex (R,) int64 that each region lies in."""
        return self.own_words[:, -1]

    def vertices(self) -> tuple[Tensor, Tensor]:
        """Offsets (R + 1,) and indices (n,) int64: the vertices of region i are those between its offsets."""
        offsets, indices = super().vertices()
        return offsets, self.vertex[indices]

    def neighbours(self) -> Tensor:
        """Pairs of regions with a common facet, and the row that it lies on: (A, 3) int64, first < second.

        Rows below 0 are planes of the grid.
        """
        inside = super().neighbours()
        inside[:, 2] -= self._welder.n_own
        offsets, rows = self._facets()
        on_wall = (rows < self._welder.n_own).nonzero()[:, 0]
        region = self._owners(offsets)[on_wall]
        codes = CellCodes(self.own_words[region], rows[on_wall, None].int())
        order = (names := self._welder.weld(codes)[1]).argsort(stable=True)
        first = (names[order[1:]] == names[order[:-1]]).nonzero()[:, 0]
        pairs = torch.stack([region[order[first]], region[order[first + 1]]], dim=1).sort(1).values
        planes = self._welder.in_users_rows(codes.choose(order[first])).zero_ids.long()
        return torch.unique(torch.cat([inside, torch.cat([pairs, planes], dim=1)]), dim=0)

    def facets(self) -> tuple[Tensor, Tensor]:
        """Offsets (R + 1,) and rows (n,) int64: the rows that bound region i are between its offsets.

        Rows below 0 are planes of the grid.
        """
        offsets, rows = self._facets()
        codes = CellCodes(self.own_words[self._owners(offsets)], rows[:, None].int())
        return offsets, self._welder.in_users_rows(codes).zero_ids[:, 0].long()

    def _walls(self, program: Program, which: slice) -> Tensor:
        assert program.grid is not None
        own = wall_maps(program.grid, self.simplices[which], program.dtype)
        return torch.cat([own, super()._walls(program, which)], dim=-1)

    def _maps(self, program: Program, which: slice) -> Tensor:
        assert program.grid is not None
        frames = encoder_maps(program.grid, self.simplices[which]).to(program.dtype)
        return program.inner.maps_on(self.layout.masks(self.words[which], program.dtype), frames)
