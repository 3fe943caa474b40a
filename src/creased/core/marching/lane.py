"""A lane of the compiled walk: the cells that one thread visits."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from creased.core.marching.kernels import records
from creased.core.marching.kernels.cell_table import enter_cells, fill_slots, find_cells
from creased.core.marching.kernels.walk import FULL, walk
from creased.core.program.flat_program import make_maps
from creased.core.program.kernels.composition import prepare
from creased.core.program.kernels.records import NEURONS, FlatProgram

FOREIGN = 1 << 14  # sides to other lanes that there is room for
ROOM = 1 << 8  # cells that there is room for at first
GROWTH = 1.3  # of what there is room for
Record = TypeVar("Record", records.Cells, records.Sides)


class Lane:
    """Its cells, with numbers of their own, and their sides.

    Args:
        network: laid out; says which lane this is.
        bits: words (n_rows, W) with the bit of each row set.
    """

    def __init__(self, network: records.Network, bits: Tensor) -> None:
        n_words, self._bits = bits.shape[1], bits
        integers, points = np.empty(0, np.int64), np.empty((0, 3))
        self._network, self._scratch = network, _scratch(network, n_words)
        self._cells = records.Cells(
            words=integers.reshape(0, n_words),
            keys=integers,
            points=points,
            following=integers,
            slots=integers,
            stacks=np.full(network.program.blocks.shape[0], records.NOBODY),
        )
        self._sides = records.Sides(
            cells=integers,
            sizes=integers,
            doubts=integers,
            rows=integers,
            neighbours=integers,
            foreign=np.empty((FOREIGN if network.lane[1] > 1 else records.SPARE, 3), np.int64),
            starts=points,
            counts=np.zeros(5, np.int64),
        )
        self._make_room(ROOM, ROOM)
        prepare(network.program, self._scratch.cell)

    @property
    def counts(self) -> tuple[int, int, int]:
        """Numbers of cells, of those that were cut, and of their sides."""
        counts = self._sides.counts
        return int(counts[0]), int(counts[1]), int(counts[3])

    @property
    def n_bytes(self) -> int:
        """Bytes that are held."""
        return sum(part.nbytes for record in (self._cells, self._sides) for part in record)

    def _make_room(self, n_cells: int, n_sides: int) -> None:
        """Make room for more cells and sides, where there is less."""
        counts = self._sides.counts
        n_cells, n_sides = n_cells + counts[0] + records.SPARE, n_sides + counts[3] + records.SPARE
        if n_cells > self._cells.keys.shape[0]:
            n_cells = int(GROWTH * n_cells)
            self._cells = _enlarge(self._cells, ("words", "keys", "points", "following"), n_cells)
            self._sides = _enlarge(self._sides, ("cells", "sizes", "doubts"), n_cells)
            if 2 * n_cells > self._cells.slots.shape[0]:
                slots = np.empty(1 << (2 * n_cells - 1).bit_length(), np.int64)
                self._cells = self._cells._replace(slots=slots)
                fill_slots(self._cells, counts[0])
        if n_sides > self._sides.rows.shape[0]:
            self._sides = _enlarge(self._sides, ("rows", "neighbours", "starts"), int(GROWTH * n_sides))

    def run(self, reach: float, tolerance: float, most: int) -> None:
        """Cut queued cells, at most so many, and enter their neighbours; see `kernels.walk`."""
        counts = self._sides.counts
        n_before = counts[1] + counts[2]
        while walk(self._network, self._cells, self._sides, self._scratch, reach, tolerance, most) == FULL:
            most -= int(counts[1] + counts[2] - n_before)
            n_before = counts[1] + counts[2]
            self._make_room(counts[0] // 4, counts[3] // 4)

    def enter(self, words: Tensor, points: Tensor) -> Tensor:
        """Return the numbers (m,) of cells; queue new ones, each with the first of its points."""
        self._make_room(words.shape[0], 0)
        numbers = torch.empty(words.shape[0], dtype=torch.int64)
        records = (self._network, self._cells, self._sides)
        enter_cells(numbers.numpy(), *records, words.numpy(), points.numpy())
        return numbers

    def find(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """Return the numbers (m,) of cells, -1 for those not known, and of their sides, -1 where not cut."""
        numbers = torch.empty(words.shape[0], dtype=torch.int64)
        find_cells(numbers.numpy(), self._network, self._cells, words.numpy())
        sizes = torch.full((self.counts[0] + 1,), -1)  # the last is that of cells that are not known
        cells, n_sides = self.cut_cells()
        sizes[cells] = n_sides
        return numbers, sizes[numbers]

    def take_doubts(self, most: int) -> tuple[Tensor, Tensor, Tensor]:
        """Take cells (m,) in doubt, with their words (m, W) and points (m, D)."""
        counts = self._sides.counts
        n = min(int(counts[2]), most)
        cells = self._sides.doubts[counts[2] - n : counts[2]].copy()
        counts[2] -= n
        words, points = (torch.from_numpy(part[cells]) for part in (self._cells.words, self._cells.points))
        return torch.from_numpy(cells), words, points

    def append(self, cells: Tensor, n_sides: Tensor, sides: tuple[Tensor, Tensor, Tensor]) -> None:
        """Append cells (m,) that were cut, with their sides: rows, numbers of neighbours, starts."""
        self._make_room(0, sides[0].shape[0])
        held, (_, first, _, at, _) = self._sides, self._sides.counts.tolist()
        held.cells[first : first + cells.shape[0]] = cells.numpy()
        held.sizes[first : first + cells.shape[0]] = n_sides.numpy()
        for column, found in zip((held.rows, held.neighbours, held.starts), sides, strict=True):
            column[at : at + found.shape[0]] = found.numpy()
        held.counts[1] += cells.shape[0]
        held.counts[3] += sides[0].shape[0]

    def take_foreign(self) -> tuple[Tensor, Tensor, Tensor]:
        """Take the sides (m,) across which another lane has the cell, its words (m, W) and points (m, D)."""
        held, n = self._sides, int(self._sides.counts[4])
        sides, following, cells = torch.from_numpy(held.foreign[:n].copy()).unbind(1)
        held.counts[4] = 0
        starts = torch.from_numpy(held.starts)
        words = torch.from_numpy(self._cells.words)[cells] ^ self._bits[torch.from_numpy(held.rows)[sides]]
        return sides, words, (starts[sides] + starts[following]) / 2

    def link(self, sides: Tensor, numbers: Tensor) -> None:
        """Note the numbers (m,) of the cells across sides (m,)."""
        self._sides.neighbours[sides.numpy()] = numbers.numpy()

    def words(self) -> Tensor:
        """Return the words (n, W) of all cells, by number."""
        return torch.from_numpy(self._cells.words[: self.counts[0]])

    def cut_cells(self) -> tuple[Tensor, Tensor]:
        """Return the cells (C,) that were cut, and their numbers of sides (C,)."""
        n_cut = self.counts[1]
        return torch.from_numpy(self._sides.cells[:n_cut]), torch.from_numpy(self._sides.sizes[:n_cut])

    def sides(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return rows (S,), numbers of neighbours (S,) and starts (S, D) of the sides, cell by cell."""
        n, held = self.counts[2], self._sides
        rows, neighbours, starts = (
            torch.from_numpy(x[:n]) for x in (held.rows, held.neighbours, held.starts)
        )
        return rows, neighbours, starts


def _enlarge(record: Record, names: tuple[str, ...], n: int) -> Record:
    """Copy arrays of a record to larger ones, of n rows."""
    larger: dict[str, Any] = {}
    for name in names:
        held: np.ndarray[Any, Any] = getattr(record, name)
        larger[name] = np.empty((n, *held.shape[1:]), held.dtype)
        larger[name][: held.shape[0]] = held
    return record._replace(**larger)


def on_lanes(program: FlatProgram, n_lanes: int) -> list[records.Network]:
    """Hand a program to the lanes of a walk."""
    n_rows = int(program.blocks[-1, NEURONS]) + 1
    keys = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, n_rows, np.int64)
    return [records.Network(program, keys, np.array((lane, n_lanes))) for lane in range(n_lanes)]


def _scratch(network: records.Network, n_words: int) -> records.Scratch:
    return records.Scratch(
        cell=make_maps(network.program, n_words),
        lines=np.zeros((2, network.keys.shape[0] - 1)),
        polygon=np.zeros((4, records.SPARE)),
        sides=np.zeros((2, records.SPARE), np.int64),
        frame=np.zeros((3, 3)),
        near=np.zeros(1),
    )
