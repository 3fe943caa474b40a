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

from creased.core.arrangement.orthants import DEAD
from creased.core.arrangement.signs import RowLayout, sign_vectors
from creased.core.complexes.locate import regions_at
from creased.core.domains.domain import Domain
from creased.core.formatting import cut_list, format_number_of, format_space
from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tensors import Points, map_tensors
from creased.core.program.program import Program

BATCH = 1 << 12  # regions whose maps are found in one go


class Halfspaces(NamedTuple):
    """Regions as intersections of half-spaces normals x + constants >= 0, none of them redundant."""

    offsets: Tensor  # (R + 1,) int64: those of region i are offsets[i] : offsets[i + 1]
    normals: Tensor  # (n, D) floating; not normalized
    constants: Tensor  # (n,) floating
    rows: Tensor  # (n,) int64: the row whose zeros bound the region there

    def __repr__(self) -> str:
        n, dim = len(self.offsets) - 1, self.normals.shape[1]
        return f"{len(self.rows):,} half-spaces of {format_number_of(n, 'region')} in {format_space(dim)}"


@dataclass(frozen=True)
class Regions:
    """The regions of a complex; made by `creased.find_regions`."""

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
        return self._facets()

    def _facets(self) -> tuple[Tensor, Tensor]:
        """Offsets (R + 1,) and rows (n,) int64, in the numbers of ``zero_ids``."""
        rows = self.zero_ids[:, None, :].expand(-1, self.corners.shape[1], -1)
        regions = self.corners[:, :, None].expand(-1, -1, self.dim)
        at_infinity = (rows == 0).expand_as(regions) if self.layout.at_infinity else torch.zeros_like(regions)
        inside = ((regions != DEAD) & ~at_infinity.bool()).reshape(-1)
        n_rows = int(self.zero_ids.max()) + 1
        keys = torch.unique(regions.reshape(-1)[inside].long() * n_rows + rows.reshape(-1)[inside])
        return _offsets(keys // n_rows, self.n), keys % n_rows

    def at(self, points: Points, program: Program, level: float = 0.0) -> Tensor:
        """Return the regions (...) int64 that hold points (..., D); -1 outside of the domain.

        A point on a crease is in the region on its + side.

        Args:
            points: in the domain's coordinates.
            program: the network that the complex is of.
            level: the value of the outputs that cut it.

        Raises:
            ValueError: points have another shape, or are not finite; the program has other rows.
        """
        self._require_rows("at", program)
        return regions_at(points, self, program, level)

    def _require_rows(self, call: str, program: Program) -> None:
        is_alike = (program.grid is not None) == self.layout.on_grid
        if program.widths != self.layout.widths or program.in_dim != self.dim or not is_alike:
            raise ValueError(
                f"{call}: the complex is of a network with widths {self.layout.widths} on {self.dim} "
                f"inputs{' and a grid' * self.layout.on_grid}, the program has {program.widths} on "
                f"{program.in_dim}{' and a grid' * (program.grid is not None)}"
            )

    @as_written
    def halfspaces(self, program: Program, level: float = 0.0) -> Halfspaces:
        """The half-spaces of all regions (their H-representation).

        Args:
            program: the network that the complex is of.
            level: the value of the outputs that cut it.

        Raises:
            ValueError: the program has other rows than the complex.
        """
        self._require_rows("halfspaces", program)
        offsets, rows = self._facets()
        owner = self._owners(offsets)
        normals, constants = [], []
        for start in range(0, self.n, BATCH):
            chosen = slice(int(offsets[start]), int(offsets[min(start + BATCH, self.n)]))
            maps = self._maps_of_rows(program, level, slice(start, start + BATCH))
            mine = maps[owner[chosen] - start, :, rows[chosen]]  # (n, D + 1)
            normals.append(mine[:, :-1])
            constants.append(mine[:, -1])
        return Halfspaces(offsets, torch.cat(normals), torch.cat(constants), self.facets()[1])

    def _owners(self, offsets: Tensor) -> Tensor:
        """The region (n,) of each entry of a list with such offsets (R + 1,)."""
        return torch.repeat_interleave(torch.arange(self.n, device=offsets.device), offsets.diff())

    @as_written
    def maps(self, program: Program) -> Tensor:
        """The outputs of a program as affine functions (R, D + 1, O) on the regions, the constant last."""
        batches = [slice(start, start + BATCH) for start in range(0, max(self.n, 1), BATCH)]
        return torch.cat([self._maps(program, which)[..., self.layout.n_neurons :] for which in batches])

    def _maps_of_rows(self, program: Program, level: float, which: slice) -> Tensor:
        """Every row as an affine function (r, D + 1, n_rows) on regions, >= 0 inside, the constant last."""
        layout = self.layout
        maps = self._maps(program, which)[..., : layout.n_neurons + layout.n_outputs]
        maps[:, -1, layout.n_neurons :] -= level
        maps *= self.sign_vectors(which)[:, None, layout.n_walls :].to(program.dtype)
        return torch.cat([self._walls(program, which), maps], dim=-1)

    def _walls(self, program: Program, which: slice) -> Tensor:
        """The walls as affine functions (r, D + 1, n) on regions, >= 0 inside."""
        walls = self.domain.halfspaces(program.dtype, program.device)
        return walls.expand(len(self.words[which]), -1, -1)

    def _maps(self, program: Program, which: slice) -> Tensor:
        """Neurons and outputs as affine functions (r, D + 1, n_neurons + O) on regions."""
        return program.maps_on(self.layout.masks(self.words[which], program.dtype))

    def __repr__(self) -> str:
        neurons = f"{self.layout.n_neurons} neurons in layers of {cut_list(map(str, self.layout.widths))}"
        return f"{format_number_of(self.n, 'region')} in {self.domain}, cut by {neurons}"


def _offsets(sorted_keys: Tensor, n: int) -> Tensor:
    """Start of each of n keys in a sorted list, and its end: (n + 1,) int64."""
    return torch.searchsorted(sorted_keys.contiguous(), torch.arange(n + 1, device=sorted_keys.device))
