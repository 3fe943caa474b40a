"""Marching: visit the cells of a level set from neighbour to neighbour, at a cost proportional to its faces.

From the cells of the seeds, neighbours across the sides of polygons are visited: the neighbour across a row
has the same sign vector but for that row. A cell keeps its sides and the numbers of its neighbours, from
which `surface_of_walk` assembles the surface. `BatchWalker` visits breadth first, many cells at once, on any
device; `CompiledWalker` depth first, one by one, on the CPU.

Components that a seed lies on are found whole; a component without a seed is missed. Where corners coincide
the arrangement is perturbed as in subdivision, see `perturbation`.
"""

from __future__ import annotations

import math
import sys
import time
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.signs import pack_rows
from creased.core.marching.cell_planes import Slicer
from creased.core.marching.halfplane_intersection import find_facets, join_facets
from creased.core.marching.seeds import BELOW, reach_of
from creased.core.numerics.memory import LEAST, Resources, format_bytes, working_bytes
from creased.core.program.rounding import snapped_preactivations
from creased.core.subdivision.footprint import NO_LIMITS
from creased.core.subdivision.problem import SubdivisionProblem

CACHE_SHARE = 32  # rows of a batch of cells take 1 / CACHE_SHARE of working memory, to stay in the cache
LEAST_DEPTH = 1e-3  # of the distance of seeds below the level; smaller distances may be rounding
REPORT_SECONDS = 1.0  # between two progress messages


class Walk(NamedTuple):
    """The result of a walk: the sides of the cells that were cut, cell by cell."""

    words: Tensor  # (n, W): the cells; those that were cut come first
    n_sides: Tensor  # (C,) int64: of each cell that was cut
    n_empty: int  # cells without a side, though a neighbour or the completeness proof has one
    rows: Tensor  # (S,) int64: the row that each side lies on
    neighbours: Tensor  # (S,) int64: the cell across it; -1 beyond a wall
    starts: Tensor  # (S, D): the first corner of each side


class CutCells(NamedTuple):
    """The sides of a batch of cells, and what lies across them."""

    n_sides: Tensor  # (R,) int64
    rows: Tensor  # (n,) int64: of each side
    starts: Tensor  # (n, D): its first corner
    crossed: Tensor  # (m,) int64: the sides that are not on a wall, the longest first
    across: Tensor  # (m, W): the cells beyond these
    middle: Tensor  # (m, D): of these


class Walker(ABC):
    """Walks the level set of one program from seeds and further cells.

    Args:
        problem: with one output, in two or three dimensions, in float64.
        resources: memory that the level set may take, its assembly included, and the progress callback.
    """

    n_first = sys.maxsize  # seeds that are walked from before others are looked at

    def __init__(self, problem: SubdivisionProblem, resources: Resources) -> None:
        program, domain, rows = problem.program, problem.domain, problem.rows
        self.program, self.rows = program, rows
        self.n_cells = self.n_cut = 0  # known ones, and those of them that were cut
        self.n_found = 0  # sides
        self.why_stopped = ""  # empty if the walk was not stopped
        self.limits = NO_LIMITS  # of which the time is kept here
        self._resources, self._memory = resources, resources.memory_on(program.device)
        self._reported_at = time.monotonic()
        self._slicer = Slicer(program, domain, rows)
        self._tentative = self.rows.bits[:0, 0]  # cells at seeds, which may miss the level set
        n_bytes = 8 * program.in_dim * rows.layout.n_rows  # of the rows on a cell
        working = min(working_bytes(program.device), problem.share)
        self._batch = max(working // (CACHE_SHARE * n_bytes), 64)
        self._block = max(working // (64 * rows.layout.n_words + 512), self._batch)
        self._reach = reach_of(domain)

    @abstractmethod
    def _enter(self, words: Tensor, points: Tensor) -> Tensor:
        """Return the numbers (m,) of cells; queue and count new ones, each with the first of its points."""

    @abstractmethod
    def _find(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """Return the numbers (m,) of cells (m, W), -1 for those not known, and of sides, -1 where not cut."""

    @abstractmethod
    def _visit(self) -> None:
        """Cut some of the queued cells, enter their neighbours, and count what was found."""

    @abstractmethod
    def _results(self) -> tuple[Tensor, Walk]:
        """Return the number (C,) of each cell that was cut, and the walk, as if no cell were empty."""

    @torch.no_grad()
    def walk_from(self, seeds: Tensor) -> None:
        """Walk the components of {f = 0} just above seeds (m, D); see `marching.seeds`."""
        for some in filter(len, (seeds[: self.n_first], seeds[self.n_first :])):
            found = [self._cells_at(batch) for batch in some.split(self._batch)]
            words, points = (torch.cat(parts) for parts in zip(*found, strict=True))
            self._tentative = torch.cat([self._tentative, self._enter(words, points)])
            self._walk()

    @torch.no_grad()
    def walk_on(self, words: Tensor, points: Tensor) -> None:
        """Walk from cells (m, W) that meet the level set at points (m, D)."""
        self._enter(words, points)
        self._walk()

    def knows(self, words: Tensor) -> Tensor:
        """True (m,) for the cells (m, W) that were cut or are queued."""
        return self._find(words)[0] >= 0

    def is_empty(self, words: Tensor) -> Tensor:
        """True (m,) for the cells (m, W) that were cut and have no side."""
        return self._find(words)[1] == 0

    def _walk(self) -> None:
        while self.n_cut < self.n_cells and not self.why_stopped:
            self._visit()
            self._report()

    def _report(self) -> None:
        """Report progress; stop if memory or time would not suffice."""
        n_left = self.n_cells - self.n_cut
        if time.monotonic() - self._reported_at > REPORT_SECONDS:
            self._resources.report(f"{self.n_cut:,} cells cut, {n_left:,} more in sight")
            self._reported_at = time.monotonic()
        if self._memory is not None and n_left and self._n_bytes() > self._memory:
            self.why_stopped = (
                f"stopped at {self.n_cut:,} cells, with {n_left:,} more in sight: they would take more than "
                f"the {format_bytes(self._memory)} that are allowed"
            )
        elif n_left and self.limits.is_late():
            self.why_stopped = (
                f"stopped at {self.n_cut:,} cells, with {n_left:,} more in sight: the time is over"
            )

    def spare(self) -> float:
        """Return the bytes that are left for other work."""
        return math.inf if self._memory is None else max(self._memory - self._n_bytes(), LEAST)

    def _n_bytes(self) -> int:
        """Estimate the memory of the level set and its assembly, in bytes."""
        return self._bytes_of(self.n_cells, self.n_found)

    def _bytes_of(self, n_cells: int, n_sides: int) -> int:
        """Estimate the memory of so many cells and sides in a level set and its assembly, in bytes."""
        per_side = 4 + 8 + 8 * self.program.in_dim
        per_cell = 3 * 8 * self.rows.layout.n_words + 2 * 8 + 2 * 8 * self.program.in_dim
        return n_cells * per_cell + n_sides * (2 * per_side + 10 * 8)

    def _cells_at(self, seeds: Tensor) -> tuple[Tensor, Tensor]:
        """Find the cells (words) at seeds and a point of the level set in each.

        Seeds that miss the level set are dropped, and those in known cells.
        """
        layout, z = self.rows.layout, snapped_preactivations(self.program, seeds)
        inside = torch.ones((z.shape[0], layout.n_walls), dtype=torch.bool, device=z.device)
        words = pack_rows(torch.cat([inside, z >= 0], dim=1), 0, layout.n_words)
        if self.n_cells:
            is_new = ~self.knows(words)
            words, seeds = words[is_new], seeds[is_new]
        slices = self._slicer.cut(words, seeds)
        points = seeds - slices.error[:, None] * slices.normals
        lengths = slices.rows[:, :-1].square().sum(1).sqrt()
        heights = slices.rows[:, -1] * (2 * slices.signs - 1)
        is_below = slices.error < -LEAST_DEPTH * BELOW * self._reach  # else it only touches the cell
        is_inside = (heights >= -2 * BELOW * self._reach * lengths).all(1) & points.isfinite().all(1)
        is_met = is_inside & is_below
        return words[is_met], points[is_met]

    def _cut(self, words: Tensor, points: Tensor) -> CutCells:
        """Cut cells (R, W) by the level set, which passes near points (R, D)."""
        slopes_of, reach = self._slicer.normal_slopes, self._reach
        batches = zip(words.split(self._batch), points.split(self._batch), strict=True)
        found = [find_facets(self._slicer.cut(*batch), slopes_of, reach) for batch in batches]
        facets = join_facets(found, self._batch)
        n_sides = torch.zeros_like(words[:, 0]).index_add_(0, facets.cell, torch.ones_like(facets.cell))
        crossed = (facets.row >= self.rows.layout.n_walls).nonzero()[:, 0]
        first = last = facets.start[crossed]
        if self.program.in_dim == 3:
            last = facets.start[_following(n_sides, facets.cell)[crossed]]
        # A cell is entered across its longest known side, far from its corners.
        order = torch.argsort((first - last).abs().amax(1), descending=True, stable=True)
        crossed, middle = crossed[order], (first[order] + last[order]) / 2
        across = words[facets.cell[crossed]] ^ self.rows.bits[facets.row[crossed]]
        return CutCells(n_sides, facets.row, facets.start, crossed, across, middle)

    def finish(self) -> Walk:
        """Return what was found."""
        cells, walk = self._results()
        empty = cells[walk.n_sides == 0]
        return walk._replace(n_empty=int((~torch.isin(empty, self._tentative)).sum()))


def _following(n_sides: Tensor, cell: Tensor) -> Tensor:
    """Return the next side (n,) around the same cell, for sides in the order of their cells (n,)."""
    stops = n_sides.cumsum(0)[cell]
    following = torch.arange(1, cell.shape[0] + 1, device=cell.device)
    return torch.where(following < stops, following, stops - n_sides[cell])
