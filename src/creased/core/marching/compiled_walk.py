"""Walk depth first on the CPU, by compiled kernels; cells that rounding leaves in doubt are cut by torch."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from creased.core.marching.kernels import records
from creased.core.marching.kernels.cell_table import enter_cells, fill_slots, find_cells
from creased.core.marching.kernels.composition import prepare
from creased.core.marching.kernels.walk import DONE, FULL, walk
from creased.core.marching.march import Walk, Walker
from creased.core.numerics.memory import Resources
from creased.core.numerics.tolerance import coincidence
from creased.core.program.program import Block, Program
from creased.core.subdivision.problem import SubdivisionProblem

CHUNK = 1 << 14  # cells between two looks at the clock and the memory, at most
ROOM = 1 << 8  # cells that there is room for at first
GROWTH = 1.3  # of what there is room for
SIDES = 4  # of a cell, on average
Record = TypeVar("Record", records.Cells, records.Sides)


class CompiledWalker(Walker):
    """Visits the cells one by one, in three dimensions and double precision."""

    def __init__(self, problem: SubdivisionProblem, resources: Resources) -> None:
        super().__init__(problem, resources)
        n_words = self.rows.layout.n_words
        walls = problem.domain.halfspaces(self.program.dtype, self.program.device)
        self._network = _flatten(self.program, walls)
        self._scratch = _scratch(self._network, n_words)
        integers, points = np.empty(0, np.int64), np.empty((0, 3))
        self._cells = records.Cells(
            words=integers.reshape(0, n_words),
            keys=integers,
            points=points,
            following=integers,
            slots=integers,
            stacks=np.full(self._network.blocks.shape[0], records.NOBODY),
        )
        self._sides = records.Sides(
            cells=integers,
            sizes=integers,
            doubts=integers,
            rows=integers,
            neighbours=integers,
            starts=points,
            counts=np.zeros(4, np.int64),
        )
        self._tolerance = coincidence(self.program.dtype) * self._reach
        self._make_room(ROOM, ROOM)
        prepare(self._network, self._scratch)

    def _make_room(self, n_cells: int, n_sides: int) -> None:
        """Make room for more cells and sides, where there is less."""
        counts = self._sides.counts
        n_cells, n_sides = n_cells + counts[0] + records.SPARE, n_sides + counts[3] + records.SPARE
        if n_cells > self._cells.keys.shape[0]:
            n_cells = int(GROWTH * n_cells)
            of_cells = ("words", "keys", "points", "following")
            self._cells = _enlarge(self._cells, of_cells, n_cells)
            self._sides = _enlarge(self._sides, ("cells", "sizes", "doubts"), n_cells)
            if 2 * n_cells > self._cells.slots.shape[0]:
                slots = np.empty(1 << (2 * n_cells - 1).bit_length(), np.int64)
                self._cells = self._cells._replace(slots=slots)
                fill_slots(self._cells, counts[0])
        if n_sides > self._sides.rows.shape[0]:
            self._sides = _enlarge(self._sides, ("rows", "neighbours", "starts"), int(GROWTH * n_sides))

    def _enter(self, words: Tensor, points: Tensor) -> Tensor:
        self._make_room(words.shape[0], 0)
        numbers = enter_cells(self._network, self._cells, self._sides, words.numpy(), points.numpy())
        self._count()
        return torch.from_numpy(numbers)

    def _find(self, words: Tensor) -> tuple[Tensor, Tensor]:
        numbers = torch.from_numpy(find_cells(self._network, self._cells, words.numpy()))
        sizes = torch.full((self.n_cells + 1,), -1)  # the last is that of cells that are not known
        cells, n_sides = self._cut_cells()
        sizes[cells] = n_sides
        return numbers, sizes[numbers]

    def _visit(self) -> None:
        """Cut a chunk of the queued cells; those in doubt when no others are left."""
        records = (self._network, self._cells, self._sides, self._scratch)
        fitting = 0 if self._memory is None else (self._memory - self._n_bytes()) // self._bytes_of(1, SIDES)
        most = CHUNK if self._memory is None else min(max(int(fitting), ROOM), CHUNK)
        outcome = walk(*records, 2 * self._reach, self._tolerance, most)
        if outcome == FULL:
            self._make_room(self._sides.counts[0] // 4, self._sides.counts[3] // 4)
        elif outcome == DONE and self._sides.counts[2]:
            self._decide()
        self._count()

    def _decide(self) -> None:
        """Cut cells in doubt by torch."""
        sides, counts = self._sides, self._sides.counts
        n = min(counts[2], self._block)
        cells = sides.doubts[counts[2] - n : counts[2]].copy()
        counts[2] -= n
        words, points = (torch.from_numpy(part[cells]) for part in (self._cells.words, self._cells.points))
        cut = self._cut(words, points)
        neighbours = torch.full_like(cut.rows, records.NOBODY)
        neighbours[cut.crossed] = self._enter(cut.across, cut.middle)
        self._make_room(0, cut.rows.shape[0])
        sides, first, at = self._sides, counts[1], counts[3]
        sides.cells[first : first + n], sides.sizes[first : first + n] = cells, cut.n_sides.numpy()
        for column, found in (
            (sides.rows, cut.rows),
            (sides.neighbours, neighbours),
            (sides.starts, cut.starts),
        ):
            column[at : at + found.shape[0]] = found.numpy()
        counts[1] += n
        counts[3] += cut.rows.shape[0]

    def _count(self) -> None:
        self.n_cells, self.n_cut, _, self.n_found = self._sides.counts.tolist()

    def _n_bytes(self) -> int:
        held = sum(part.nbytes for record in (self._cells, self._sides) for part in record)
        return max(super()._n_bytes(), held)

    def _cut_cells(self) -> tuple[Tensor, Tensor]:
        """Return the cells (C,) that were cut, and their numbers of sides (C,)."""
        cells, sizes = self._sides.cells[: self.n_cut], self._sides.sizes[: self.n_cut]
        return torch.from_numpy(cells), torch.from_numpy(sizes)

    def _results(self) -> tuple[Tensor, Walk]:
        cells, n_sides = self._cut_cells()
        is_cut = torch.zeros(self.n_cells, dtype=torch.bool)
        is_cut[cells] = True
        order = torch.cat([cells, (~is_cut).nonzero()[:, 0]])
        place = torch.empty(self.n_cells + 1, dtype=torch.int64)
        place[order], place[-1] = torch.arange(self.n_cells), records.NOBODY
        sides = self._sides
        rows, neighbours, starts = (
            torch.from_numpy(part[: self.n_found]) for part in (sides.rows, sides.neighbours, sides.starts)
        )
        words = torch.from_numpy(self._cells.words)[order]
        return cells, Walk(words, n_sides, 0, rows, place[neighbours], starts)


def _enlarge(record: Record, names: tuple[str, ...], n: int) -> Record:
    """Copy arrays of a record to larger ones, of n rows."""
    larger: dict[str, Any] = {}
    for name in names:
        held: np.ndarray[Any, Any] = getattr(record, name)
        larger[name] = np.empty((n, *held.shape[1:]), held.dtype)
        larger[name][: held.shape[0]] = held
    return record._replace(**larger)


def _flatten(program: Program, walls: Tensor) -> records.Network:
    """Lay out a program, and walls (D + 1, n_walls), for the kernels."""
    n_rows = walls.shape[1] + program.n_neurons + 1
    numbers: list[Tensor] = []
    blocks: list[records.Block] = []
    previous, neurons, free = None, walls.shape[1], n_rows

    def put(values: Tensor | None) -> int:
        if values is None:
            return -1
        numbers.append((values.T if values.dim() == 2 else values).reshape(-1))
        return sum(part.shape[0] for part in numbers[:-1])

    for block in (*program.blocks, Block(program.head)):
        n_neurons, n_state = block.affine.weight.shape
        is_relu = previous is not None and previous.is_plain and not block.has_passthrough
        state = neurons - n_state if is_relu else free
        free += 0 if is_relu else n_state
        weight, bias, mix, skip, shift = map(
            put, (block.affine.weight, block.affine.bias, block.mix, block.skip, block.shift)
        )
        blocks.append(records.Block(n_state, n_neurons, weight, bias, mix, skip, shift, neurons, state))
        previous, neurons = block, neurons + n_neurons
    keys = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, n_rows, np.int64)
    return records.Network(torch.cat(numbers).numpy(), np.array(blocks), keys, walls.contiguous().numpy())


def _scratch(network: records.Network, n_words: int) -> records.Scratch:
    n_rows, ends = network.keys.shape[0], network.blocks[:, records.STATE] + network.blocks[:, 0]
    return records.Scratch(
        words=np.zeros(n_words, np.int64),
        maps=np.zeros((4, max(n_rows, ends.max()))),
        ages=np.zeros(network.blocks.shape[0], np.int64),
        active=np.zeros(max(network.blocks[:, :2].max(), records.MOST_SIDES), np.int64),
        lines=np.zeros((2, n_rows - 1)),
        polygon=np.zeros((4, records.SPARE)),
        sides=np.zeros((2, records.SPARE), np.int64),
        frame=np.zeros((3, 3)),
        near=np.zeros(1),
    )
