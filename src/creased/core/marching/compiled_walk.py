"""Walk depth first on the CPU, by compiled kernels; cells that rounding leaves in doubt are cut by torch.

Each of torch's threads walks in a lane of its own. Cells are numbered over all lanes: cell k of lane i of n
is number n k + i.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from creased.core.marching.kernels.cell_table import owners_of
from creased.core.marching.kernels.records import NOBODY
from creased.core.marching.lane import Lane, on_lanes
from creased.core.marching.march import Walk, Walker
from creased.core.numerics.memory import Resources
from creased.core.numerics.tolerance import coincidence
from creased.core.program.flat_program import lay_out
from creased.core.subdivision.problem import SubdivisionProblem

CHUNK = 1 << 14  # cells between two looks at the clock and the memory, at most
SIDES = 4  # of a cell, on average
FEWEST = 16  # cells, however little memory there is
MOST_LANES = 8


class CompiledWalker(Walker):
    """Visits the cells one by one, in three dimensions and double precision."""

    n_first = 64  # which mostly leads to the cells of all others

    def __init__(self, problem: SubdivisionProblem, resources: Resources) -> None:
        super().__init__(problem, resources)
        walls = problem.domain.halfspaces(self.program.dtype, self.program.device)
        self._n_lanes = min(torch.get_num_threads(), MOST_LANES)
        self._threads = ThreadPoolExecutor(self._n_lanes)  # starts them when there is work
        networks = on_lanes(lay_out(self.program, walls), self._n_lanes)
        self._network = networks[0]
        self._lanes = [Lane(network, self.rows.bits) for network in networks]
        self._tolerance = coincidence(self.program.dtype) * self._reach

    def _enter(self, words: Tensor, points: Tensor) -> Tensor:
        numbers = torch.empty(words.shape[0], dtype=torch.int64)
        for i, (lane, mine) in enumerate(zip(self._lanes, self._shares(words), strict=True)):
            numbers[mine] = lane.enter(words[mine], points[mine]) * self._n_lanes + i
        self._count()
        return numbers

    def _find(self, words: Tensor) -> tuple[Tensor, Tensor]:
        numbers, n_sides = torch.empty((2, words.shape[0]), dtype=torch.int64)
        for i, (lane, mine) in enumerate(zip(self._lanes, self._shares(words), strict=True)):
            found, n_sides[mine] = lane.find(words[mine])
            numbers[mine] = torch.where(found < 0, NOBODY, found * self._n_lanes + i)
        return numbers, n_sides

    def _shares(self, words: Tensor) -> list[Tensor]:
        """Return which of the cells (m, W) belong to each lane."""
        owners = torch.empty(words.shape[0], dtype=torch.int64)
        owners_of(owners.numpy(), self._network, words.numpy())
        return [(owners == i).nonzero()[:, 0] for i in range(self._n_lanes)]

    def _visit(self) -> None:
        """Cut a chunk of the queued cells; those in doubt when no others are left."""
        n_cut, most = self.n_cut, CHUNK // self._n_lanes
        if self._memory is not None:
            fitting = (self._memory - self._n_bytes()) // (self._bytes_of(1, SIDES) * self._n_lanes)
            most = min(max(int(fitting), FEWEST), most)
        if self._n_lanes == 1:
            self._lanes[0].run(2 * self._reach, self._tolerance, most)
        else:
            list(
                self._threads.map(lambda lane: lane.run(2 * self._reach, self._tolerance, most), self._lanes)
            )
            for lane in self._lanes:
                sides, words, points = lane.take_foreign()
                lane.link(sides, self._enter(words, points))
        self._count()
        if self.n_cut == n_cut:
            for lane in self._lanes:
                self._decide(lane)
            self._count()

    def _decide(self, lane: Lane) -> None:
        """Cut cells in doubt by torch."""
        cells, words, points = lane.take_doubts(self._block)
        if not cells.shape[0]:
            return
        cut = self._cut(words, points)
        neighbours = torch.full_like(cut.rows, NOBODY)
        neighbours[cut.crossed] = self._enter(cut.across, cut.middle)
        lane.append(cells, cut.n_sides, (cut.rows, neighbours, cut.starts))

    def _count(self) -> None:
        counts = [lane.counts for lane in self._lanes]
        self.n_cells, self.n_cut, self.n_found = (sum(part) for part in zip(*counts, strict=True))

    def _n_bytes(self) -> int:
        return max(super()._n_bytes(), sum(lane.n_bytes for lane in self._lanes))

    def _results(self) -> tuple[Tensor, Walk]:
        cut = [lane.cut_cells() for lane in self._lanes]
        sides = [lane.sides() for lane in self._lanes]
        cells = torch.cat([mine * self._n_lanes + i for i, (mine, _) in enumerate(cut)])
        n_sides = torch.cat([sizes for _, sizes in cut])
        rows, neighbours, starts = (
            parts[0] if self._n_lanes == 1 else torch.cat(parts) for parts in zip(*sides, strict=True)
        )
        words = [lane.words() for lane in self._lanes]
        known = torch.cat([torch.arange(part.shape[0]) * self._n_lanes + i for i, part in enumerate(words)])
        n = self._n_lanes * max(part.shape[0] for part in words)
        is_cut = torch.zeros(n, dtype=torch.bool).index_fill_(0, cells, True)
        order = torch.cat([cells, known[~is_cut[known]]])
        place = torch.full((n + 1,), NOBODY)  # the last is that of what is beyond a wall
        place[order] = torch.arange(order.shape[0])
        in_order = torch.cat(words).new_empty((order.shape[0], words[0].shape[1]))
        in_order[place[known]] = torch.cat(words)
        return cells, Walk(in_order, n_sides, 0, rows, place[neighbours], starts)
