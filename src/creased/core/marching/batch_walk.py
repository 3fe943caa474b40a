"""Walk breadth first, in batches of cells, on any device."""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.arrangement.cell_set import CellSet
from creased.core.marching.march import Walk, Walker
from creased.core.numerics.memory import Resources
from creased.core.numerics.tensors import Growable
from creased.core.subdivision.problem import SubdivisionProblem


class BatchWalker(Walker):
    """Visits all cells that are in sight at once, as many as fit the working memory."""

    def __init__(self, problem: SubdivisionProblem, resources: Resources) -> None:
        super().__init__(problem, resources)
        rows, head = problem.rows, problem.program.head.weight
        self._cells = CellSet(rows.bits, rows.keys)
        self._points = Growable(head.new_empty((0, problem.domain.dim)))  # on the level, one a cell
        self._found: list[tuple[Tensor, ...]] = []
        self._sizes = Growable(rows.bits[:0, 0])  # sides of each cell that was cut

    def _find(self, words: Tensor) -> tuple[Tensor, Tensor]:
        numbers = self._cells.find(words)
        sizes = torch.full_like(numbers, -1)
        is_cut = (numbers >= 0) & (numbers < self.n_cut)
        sizes[is_cut] = self._sizes.rows[numbers[is_cut]]
        return numbers, sizes

    def _visit(self) -> None:
        start, stop = self.n_cut, min(self.n_cells, self.n_cut + self._block)
        cut = self._cut(self._cells.words[start:stop], self._points.rows[start:stop])
        neighbours = torch.full_like(cut.rows, -1)
        neighbours[cut.crossed] = self._enter(cut.across, cut.middle)
        self._sizes.append(cut.n_sides)
        self.n_cut = stop
        self._found.append((cut.rows.int(), neighbours, cut.starts))
        self.n_found += cut.rows.shape[0]

    def _enter(self, words: Tensor, points: Tensor) -> Tensor:
        n_known = self._cells.n
        numbers = self._cells.add(words)
        n, every = numbers.shape[0], torch.arange(numbers.shape[0], device=numbers.device)
        first = torch.full(
            (self._cells.n - n_known + 1,), n, device=numbers.device
        )  # the last: of known ones
        place = torch.where(numbers >= n_known, numbers - n_known, self._cells.n - n_known)
        first.scatter_reduce_(0, place, every, "amin")
        self._points.append(points[first[:-1]])
        self.n_cells = self._cells.n
        return numbers

    def _results(self) -> tuple[Tensor, Walk]:
        like = self.rows.bits
        none = (like[:0, 0].int(), like[:0, 0], self._points.rows[:0])
        rows, neighbours, starts = (torch.cat(parts) for parts in zip(none, *self._found, strict=True))
        cells = torch.arange(self.n_cut, device=like.device)
        return cells, Walk(self._cells.words, self._sizes.rows, 0, rows.long(), neighbours, starts)
