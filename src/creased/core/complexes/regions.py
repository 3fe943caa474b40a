"""Regions of a complex: sign vectors, vertices, half-spaces, neighbours.

A region is known by the corners of the vertices that it has: corner ``p`` of a vertex is the region on the
sides that ``p`` names of the D rows through the vertex. From that one table follow its vertices (its
V-representation), the rows that bound it (every row through one of its vertices does, the complex being
generic), and its neighbours (corners that differ in one side).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cells import number_regions
from creased.core.arrangement.cofaces import arrange
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.orthants import DEAD
from creased.core.arrangement.signs import RowLayout, masks_of, sign_vectors
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.domains.domain import Domain
from creased.core.numerics.tensors import map_tensors
from creased.core.program.program import Program

BATCH = 1 << 12  # regions whose maps are found in one go


class Halfspaces(NamedTuple):
    """Regions as intersections of half-spaces normals x + constants >= 0, none of them redundant."""

    offsets: Tensor  # (R + 1,) int64: those of region i are offsets[i] : offsets[i + 1]
    normals: Tensor  # (n, D) floating; not normalized
    constants: Tensor  # (n,) floating
    rows: Tensor  # (n,) int64: the row whose zeros bound the region there


@dataclass(frozen=True)
class Regions:
    """The regions of a complex; made by `find_regions`."""

    words: Tensor  # (R, W) int64: packed signs
    corners: Tensor  # (V, 2^D) int32: the region in each corner of a vertex, -1 outside of the domain
    zero_ids: Tensor  # (V, D) int32: of the vertices
    layout: RowLayout
    domain: Domain

    @property
    def n(self) -> int:
        """Number of regions R."""
        return self.words.shape[0]

    @property
    def dim(self) -> int:
        """Ambient dimension D."""
        return self.zero_ids.shape[1]

    def to(self, device: torch.device | str) -> Regions:
        """Move the regions to another device."""
        return map_tensors(self, lambda t: t.to(device))

    def sign_vectors(self, which: slice = slice(None)) -> Tensor:
        """Unpacked signs (n, n_rows) int8, -1 or +1, of the regions in a slice."""
        words = self.words[which]
        return sign_vectors(words, words.new_empty((words.shape[0], 0)), self.layout.n_rows)

    def vertices(self) -> tuple[Tensor, Tensor]:
        """Offsets (R + 1,) and indices (n,) int64: the vertices of region i are those between its offsets.

        Where the domain is unbounded some are rays; see `PolyhedralComplex.is_ray`.
        """
        live = (self.corners.reshape(-1) != DEAD).nonzero()[:, 0]
        region, order = torch.sort(self.corners.reshape(-1)[live], stable=True)
        return _offsets(region, self.n), live[order] // self.corners.shape[1]

    def neighbours(self) -> Tensor:
        """Pairs of regions with a common facet, and the row that it lies on: (A, 3) int64, first < second."""
        found = []
        corner = torch.arange(self.corners.shape[1], device=self.corners.device)
        for slot in range(self.dim):
            minus = corner[(corner >> slot) & 1 == 0]
            sides = torch.stack([self.corners[:, minus], self.corners[:, minus | (1 << slot)]], dim=-1).long()
            rows = self.zero_ids[:, slot].long()[:, None].expand(-1, minus.shape[0])
            inside = (sides != DEAD).all(-1)
            first, second = sides[inside].sort(dim=1).values.unbind(1)
            found.append(torch.stack([first * self.n + second, rows[inside]], dim=1))
        pairs, rows = torch.unique(torch.cat(found), dim=0).unbind(1)
        return torch.stack([pairs // self.n, pairs % self.n, rows], dim=1)

    def facets(self) -> tuple[Tensor, Tensor]:
        """Offsets (R + 1,) and rows (n,) int64: the rows that bound region i are between its offsets."""
        rows = self.zero_ids[:, None, :].expand(-1, self.corners.shape[1], -1)
        regions = self.corners[:, :, None].expand(-1, -1, self.dim)
        at_infinity = (rows == 0).expand_as(regions) if self.layout.at_infinity else torch.zeros_like(regions)
        inside = ((regions != DEAD) & ~at_infinity.bool()).reshape(-1)
        n_rows = self.layout.n_rows
        keys = torch.unique(regions.reshape(-1)[inside].long() * n_rows + rows.reshape(-1)[inside])
        return _offsets(keys // n_rows, self.n), keys % n_rows

    def halfspaces(self, program: Program, level: float = 0.0) -> Halfspaces:
        """The half-spaces of all regions (their H-representation).

        Args:
            program: the network that the complex is of.
            level: the value of the outputs that cut it.

        Raises:
            ValueError: the program has other rows than the complex.
        """
        if program.widths != self.layout.widths or program.in_dim != self.dim:
            raise ValueError(
                f"halfspaces: the complex is of a network with widths {self.layout.widths} on {self.dim} "
                f"inputs, the program has {program.widths} on {program.in_dim}"
            )
        offsets, rows = self.facets()
        owner = torch.repeat_interleave(torch.arange(self.n, device=rows.device), offsets.diff())
        normals, constants = [], []
        for start in range(0, self.n, BATCH):
            chosen = slice(int(offsets[start]), int(offsets[min(start + BATCH, self.n)]))
            maps = self._maps_of_rows(program, level, slice(start, start + BATCH))
            mine = maps[owner[chosen] - start, :, rows[chosen]]  # (n, D + 1)
            normals.append(mine[:, :-1])
            constants.append(mine[:, -1])
        return Halfspaces(offsets, torch.cat(normals), torch.cat(constants), rows)

    def _maps_of_rows(self, program: Program, level: float, which: slice) -> Tensor:
        """Every row as an affine function (r, D + 1, n_rows) on regions, >= 0 inside, the constant last."""
        layout, words = self.layout, self.words[which]
        masks = masks_of(words, layout.n_walls, layout.n_neurons, program.dtype)
        maps = program.maps_on(masks)[..., : layout.n_neurons + layout.n_outputs]
        maps[:, -1, layout.n_neurons :] -= level
        walls = self.domain.halfspaces(program.dtype, program.device).expand(len(masks), -1, -1)
        return torch.cat([walls, maps], dim=-1) * self.sign_vectors(which)[:, None].to(program.dtype)


def find_regions(complex_: PolyhedralComplex) -> Regions:
    """Find the regions of a whole complex.

    Raises:
        ValueError: it is a piece of a larger one, or was given up.
    """
    if complex_.corners is not None:
        raise ValueError("find_regions: needs a whole complex, got a piece of one: see stream_complex")
    if complex_.layout.on_grid:
        raise ValueError("find_regions: networks on a grid are not supported here")
    if not complex_.is_whole:
        raise ValueError(f"find_regions: needs a whole complex, this one was {complex_.status}")
    rows = arrange(complex_.layout, complex_.words.device)
    corners, words = number_regions(CellCodes(complex_.words, complex_.zero_ids), rows)
    return Regions(words, corners, complex_.zero_ids, complex_.layout, complex_.domain)


def _offsets(sorted_keys: Tensor, n: int) -> Tensor:
    """Start of each of n keys in a sorted list, and its end: (n + 1,) int64."""
    return torch.searchsorted(sorted_keys.contiguous(), torch.arange(n + 1, device=sorted_keys.device))
