"""Rule out simplices that miss the level, from coarse to fine; the others remain.

A simplex of a coarse grid is bounded by linear relaxations of the network (`creased.core.program.bounds`):
features of its own and coarser levels are affine on it, those of finer levels lie in their range over its
cube. One on which the output keeps its sign is dropped with all that it holds; the others are divided. On the
finest grid only ReLUs are relaxed. So work follows the surface, not the volume, and no zero is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.signs import WORD, pack_rows
from creased.core.grids.cell_maps import CornerStates
from creased.core.grids.section import Heights
from creased.core.numerics.memory import rows_at_once
from creased.core.program.affine_arithmetic import AffineForms, gamma
from creased.core.program.bounds import Cells, Tail, excludes_zero
from creased.core.program.feature_ranges import ranges_over_cubes
from creased.core.program.kuhn_grid import KuhnGrid
from creased.core.program.layers import Affine
from creased.core.program.program import Program
from creased.core.program.rounding import error_on_cells, snap_sums
from creased.core.program.simplices import children_of, corners_of, distinct_vertices, n_paths

COARSEST = 4096  # simplices that the search may start with
BOUNDED = 1 << 13  # simplices that are bounded in one go
EVALUATED = 1 << 14  # vertices that are evaluated in one go


class Share(NamedTuple):
    """One of n equal shares."""

    which: int
    n: int


ALL = Share(0, 1)


def find_candidates(
    program: Program,
    walls: Affine | None,
    heights: Heights | None = None,
    share: Share = ALL,
    *,
    prune: bool,
    working: int,
) -> Iterator[CornerStates]:
    """Simplices in a domain whose output may be zero, batch by batch; all of them, where nothing is pruned.

    Args:
        program: with a grid; its output less the level.
        walls: of the domain, >= 0 inside; None: it is the cube of the grid.
        heights: of the grid's section, if it has one: only simplices that it meets are found.
        share: of all simplices of the coarsest grid that is searched, with what is in them.
        prune: rule out simplices.
        working: bytes that a batch may take.
    """
    grid = program.grid
    assert grid is not None
    search = _Search(program, grid, walls, heights, prune=prune, working=working)
    batches = search.coarsest(share)
    for n, finer in pairwise(search.chain):
        found = torch.cat([search.keep(batch, n).simplices for batch in batches])
        batches = search.divided(found, n, finer // n)
    for batch in batches:
        yield search.keep(batch, grid.finest)


class _Search:
    """Decides for simplices of the grids between the coarsest and the finest."""

    def __init__(
        self,
        program: Program,
        grid: KuhnGrid,
        walls: Affine | None,
        heights: Heights | None,
        *,
        prune: bool,
        working: int,
    ) -> None:
        self._grid, self._inner, self._walls, self._prune = grid, program.inner, walls, prune
        self._section = heights
        is_all = walls is None and heights is None and not prune
        self.chain = [grid.finest] if is_all else _chain(grid)
        self._ranges = ranges_over_cubes(grid, self.chain[:-1] if prune else [])
        self._finer = {n: _columns_above(grid, n) for n in self.chain[:-1]}
        sizes = [torch.maximum(table.amax(0), -table.amin(0)) for table in grid.tables]
        self._size = torch.cat([sizes[0].new_full((grid.dim,), grid.half_width), *sizes])  # of states
        self._noise = error_on_cells(self._inner, self._size)[0] if prune else 0
        ones = self._size.new_ones(grid.dim + 1)
        self._tail = Tail(self._inner, ones)
        widest = max((block.n_neurons for block in program.blocks), default=1)
        n_bytes = 8 * (grid.dim + 1) * (grid.width + 4 * widest)
        self.at_once = max(working // n_bytes, 1)

    def coarsest(self, share: Share) -> Iterator[Tensor]:
        """A share of the simplices (m,) of the coarsest grid, batch by batch."""
        n = n_paths(self._grid.dim) * self.chain[0] ** self._grid.dim
        start, stop = (n * index // share.n for index in (share.which, share.which + 1))
        for first in range(start, max(stop, start + 1), self.at_once):
            yield torch.arange(first, min(first + self.at_once, stop), device=self._size.device)

    def divided(self, simplices: Tensor, n: int, ratio: int) -> Iterator[Tensor]:
        """Simplices of a grid of n ratio cubes an axis in those (m,) of a grid of n, batch by batch."""
        for some in simplices.split(max(self.at_once // ratio**self._grid.dim, 1)):
            yield children_of(some, self._grid.dim, n, ratio)

    def keep(self, simplices: Tensor, n: int) -> CornerStates:
        """Leave out simplices (m,) of a grid of n cubes an axis that bounds rule out."""
        corners, place = distinct_vertices(corners_of(simplices, self._grid.dim, n), n)
        at_once = rows_at_once(EVALUATED, place.device)
        stride = self._grid.finest // n
        states = [self._grid.at_vertices(some * stride).to(self._size) for some in corners.split(at_once)]
        state = torch.cat(states)
        is_kept = torch.ones_like(place[:, 0], dtype=torch.bool)
        if self._walls is not None:
            heights = heights_of(self._walls, state)
            is_kept = (heights >= 0)[place].any(1).all(1)
        if self._section is not None:
            is_below = (self._section(corners * stride) < 0)[place]
            is_kept &= (is_below.any(1) & ~is_below.all(1)).all(1)
        if self._prune:
            rows = torch.cat([self._inner.preactivations(some) for some in state.split(at_once)])
            may_vanish, doubt = self._signs(rows, place, n)
            is_kept &= may_vanish
            doubt = (is_kept & doubt).nonzero()[:, 0]
            for some in doubt.split(rows_at_once(BOUNDED, place.device)) if len(doubt) else ():
                outputs = rows[place[some, 0], -1]
                is_kept[some] = ~self._excludes_zero(
                    simplices[some], state[place[some].roll(-1, 1)], outputs, n
                )
        chosen = is_kept.nonzero()[:, 0]
        return CornerStates(simplices[chosen], state, place[chosen])

    def _signs(self, rows: Tensor, place: Tensor, n: int) -> tuple[Tensor, Tensor]:
        """Tell by signs at corners which (m,) may hold a zero, and for which bounds have to be asked."""
        is_plus = rows >= 0
        at_corners = is_plus[:, -1][place]
        is_mixed = at_corners.any(1) & ~at_corners.all(1)
        if n < self._grid.finest:
            return torch.ones_like(is_mixed), ~is_mixed
        words = pack_rows(is_plus, 0, -(-rows.shape[1] // WORD))[place]
        is_affine = (words == words[:, :1]).all(2).all(1)  # no neuron changes sign
        is_certain = (rows[:, -1].abs() > self._noise)[place].all(1)
        return ~(is_affine & is_certain), ~is_mixed

    def _excludes_zero(self, simplices: Tensor, maps: Tensor, outputs: Tensor, n: int) -> Tensor:
        """Prove for simplices (m,) that the output has no zero; False where there is no proof.

        Given are states (m, D + 1, S) at the corners, the first one last, and the output (m,) there.
        """
        maps[:, :-1] -= maps[:, -1:]  # of barycentric coordinates
        error = gamma(maps.dtype, maps.shape[1]) * self._size.repeat(len(maps), 1)
        if n < self._grid.finest:
            cubes, finer = simplices // n_paths(self._grid.dim), self._finer[n]
            low, high = (values[cubes] for values in self._ranges[n])
            maps[:, :, finer] = 0
            maps[:, -1, finer] = (low + high) / 2
            error[:, finer] += (high - low) / 2
        side = torch.where(outputs >= 0, 1.0, -1.0).to(maps.dtype)
        return excludes_zero(self._tail, Cells(None, AffineForms(maps, error, maps[:, :0]), side))


def heights_of(walls: Affine, states: Tensor) -> Tensor:
    """Heights (U, M) over walls of points that begin the states (U, S); 0 within the rounding error."""
    points = states[:, : walls.weight.shape[1]]
    heights = walls(points)
    snap_sums(heights, walls, points)
    return heights


def _chain(grid: KuhnGrid) -> list[int]:
    """Cubes an axis of the grids that are searched: each divides the next, and all finer levels are there."""
    steps = [1]
    for level in sorted(set(grid.levels)):
        while steps[-1] < level:
            ratio = level // steps[-1]
            steps.append(steps[-1] * next(p for p in range(2, ratio + 1) if ratio % p == 0))
    most = rows_at_once(COARSEST, grid.tables[0].device)
    coarse = [n for n in steps if n_paths(grid.dim) * n**grid.dim <= most]
    return steps[max(len(coarse) - 1, 0) :]


def _columns_above(grid: KuhnGrid, n: int) -> Tensor:
    """Columns (S',) of the state that hold the features of levels above n."""
    is_finer = [False] * grid.dim
    for level, table in zip(grid.levels, grid.tables, strict=True):
        is_finer += [level > n] * table.shape[1]
    columns = [column for column, is_so in enumerate(is_finer) if is_so]
    return torch.tensor(columns, dtype=torch.int64, device=grid.tables[0].device)
