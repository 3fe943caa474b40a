"""Marching: visit the cells of a level set from neighbour to neighbour, at a cost proportional to its faces.

From the cells of the seeds, neighbours across the sides of polygons are visited breadth first, in batches:
the neighbour across a row has the same sign vector but for that row. A cell keeps its sides and the numbers
of its neighbours, from which `surface_of_walk` assembles the surface.

Components that a seed lies on are found whole; a component without a seed is missed. Where corners coincide
the arrangement is perturbed as in subdivision, see `perturbation`.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cell_set import CellSet
from creased.core.arrangement.signs import pack_rows
from creased.core.complexes.polygons import Polygons
from creased.core.marching.cell_planes import Slicer
from creased.core.marching.halfplane_intersection import Facets, find_facets, join_facets
from creased.core.marching.seeds import BELOW, reach_of
from creased.core.numerics.memory import LEAST, Resources, format_bytes, working_bytes
from creased.core.numerics.tensors import Growable
from creased.core.program.rounding import snapped_preactivations
from creased.core.subdivision.footprint import NO_LIMITS
from creased.core.subdivision.problem import SubdivisionProblem

CACHE_SHARE = 32  # rows of a batch of cells take 1 / CACHE_SHARE of working memory, to stay in the cache
LEAST_DEPTH = 1e-3  # of the distance of seeds below the level; smaller distances may be rounding
REPORT_SECONDS = 1.0  # between two progress messages


class Walk(NamedTuple):
    """The result of a walk: the sides of the cells that were cut, cell by cell."""

    cells: CellSet
    n_sides: Tensor  # (C,) int64: of each cell that was cut
    n_empty: int  # cells without a side, though a neighbour or the completeness proof has one
    rows: Tensor  # (S,) int32: the row that each side lies on
    neighbours: Tensor  # (S,) int64: the cell across it; -1 beyond a wall
    starts: Tensor  # (S, D): the first corner of each side


class Walker:
    """Walks the level set of one program from seeds and further cells.

    Args:
        problem: with one output, in two or three dimensions, in float64.
        resources: memory that the level set may take, its assembly included, and the progress callback.
    """

    def __init__(self, problem: SubdivisionProblem, resources: Resources) -> None:
        program, domain, rows = problem.program, problem.domain, problem.rows
        self.program, self.rows = program, rows
        self.cells = CellSet(rows.bits, rows.keys)
        self.why_stopped = ""  # empty if the walk was not stopped
        self.limits = NO_LIMITS  # of which the time is kept here
        self._resources, self._memory = resources, resources.memory_on(program.device)
        self._reported_at = time.monotonic()
        self._slicer = Slicer(program, domain, rows)
        self._points = Growable(program.head.weight.new_empty((0, domain.dim)))  # on the level, one a cell
        self._found: list[tuple[Tensor, ...]] = []
        self._sizes = Growable(rows.bits[:0, 0])  # sides of each cell that was cut
        self._n_sides = 0
        self._tentative: list[tuple[int, int]] = []  # ranges of cells at seeds, which may miss the level set
        n_bytes = 8 * program.in_dim * rows.layout.n_rows  # of the rows on a cell
        working = min(working_bytes(program.device), problem.share)
        self._batch = max(working // (CACHE_SHARE * n_bytes), 64)
        self._block = max(working // (64 * rows.layout.n_words + 512), self._batch)
        self._reach = reach_of(domain)

    @torch.no_grad()
    def walk_from(self, seeds: Tensor) -> None:
        """Walk the components of {f = 0} just above seeds (m, D); see `marching.seeds`."""
        found = [self._cells_at(batch) for batch in seeds.split(self._batch)]
        if found:
            n_known = self.cells.n
            self._enter(torch.cat([words for words, _ in found]), torch.cat([points for _, points in found]))
            self._tentative.append((n_known, self.cells.n))
            self._walk()

    @torch.no_grad()
    def walk_on(self, words: Tensor, points: Tensor) -> None:
        """Walk from cells (m, W) that meet the level set at points (m, D)."""
        self._enter(words, points)
        self._walk()

    def knows(self, words: Tensor) -> Tensor:
        """True (m,) for the cells (m, W) that were cut or are queued."""
        return self.cells.find(words) >= 0

    def is_empty(self, words: Tensor) -> Tensor:
        """True (m,) for the cells (m, W) that were cut and have no side."""
        numbers = self.cells.find(words)
        is_cut = (numbers >= 0) & (numbers < self._n_cut)
        is_empty = is_cut.clone()
        is_empty[is_cut] = self._sizes.rows[numbers[is_cut]] == 0
        return is_empty

    @property
    def _n_cut(self) -> int:
        return self._sizes.n

    def _walk(self) -> None:
        while self._n_cut < self.cells.n and not self.why_stopped:
            self._visit(self._n_cut, min(self.cells.n, self._n_cut + self._block))
            self._report()

    def _report(self) -> None:
        """Report progress; stop if memory or time would not suffice."""
        n_left = self.cells.n - self._n_cut
        if time.monotonic() - self._reported_at > REPORT_SECONDS:
            self._resources.report(f"{self._n_cut:,} cells cut, {n_left:,} more in sight")
            self._reported_at = time.monotonic()
        if self._memory is not None and n_left and self._n_bytes() > self._memory:
            self.why_stopped = (
                f"stopped at {self._n_cut:,} cells, with {n_left:,} more in sight: they would take more than "
                f"the {format_bytes(self._memory)} that are allowed"
            )
        elif n_left and self.limits.is_late():
            self.why_stopped = (
                f"stopped at {self._n_cut:,} cells, with {n_left:,} more in sight: the time is over"
            )

    def spare(self) -> float:
        """Return the bytes that are left for other work."""
        return math.inf if self._memory is None else max(self._memory - self._n_bytes(), LEAST)

    def _n_bytes(self) -> int:
        """Estimate the memory of the level set and its assembly, in bytes."""
        per_side = 4 + 8 + 8 * self.program.in_dim
        per_cell = 3 * 8 * self.rows.layout.n_words + 2 * 8 + 2 * 8 * self.program.in_dim
        return self.cells.n * per_cell + self._n_sides * (2 * per_side + 10 * 8)

    def _cells_at(self, seeds: Tensor) -> tuple[Tensor, Tensor]:
        """Find the cells (words) at seeds and a point of the level set in each; drop seeds that miss it."""
        layout, z = self.rows.layout, snapped_preactivations(self.program, seeds)
        inside = torch.ones((z.shape[0], layout.n_walls), dtype=torch.bool, device=z.device)
        words = pack_rows(torch.cat([inside, z[:, :-1] >= 0], dim=1), 0, layout.n_words)
        slices = self._slicer.cut(words, seeds)
        points = seeds - slices.error[:, None] * slices.normals
        lengths = slices.rows[:, :-1].square().sum(1).sqrt()
        heights = slices.rows[:, -1] * (2 * slices.signs - 1)
        is_below = slices.error < -LEAST_DEPTH * BELOW * self._reach  # else it only touches the cell
        is_inside = (heights >= -2 * BELOW * self._reach * lengths).all(1) & points.isfinite().all(1)
        is_met = is_inside & is_below
        return words[is_met], points[is_met]

    def _visit(self, start: int, stop: int) -> None:
        """Cut the cells from start to stop, and enter their neighbours."""
        words, points = self.cells.words[start:stop], self._points.rows[start:stop]
        batches = zip(words.split(self._batch), points.split(self._batch), strict=True)
        facets = join_facets([self._cut(*batch) for batch in batches], self._batch)
        n_sides = torch.bincount(facets.cell, minlength=stop - start)
        crossed = (facets.row >= self.rows.layout.n_walls).nonzero()[:, 0]
        first = last = facets.start[crossed]
        if self.program.in_dim == 3:
            last = facets.start[Polygons.of_sizes(n_sides, facets.row).following()[crossed]]
        # A cell is entered across its longest known side, far from its corners.
        order = torch.argsort((first - last).abs().amax(1), descending=True, stable=True)
        crossed, middle = crossed[order], (first[order] + last[order]) / 2
        across = words[facets.cell[crossed]] ^ self.rows.bits[facets.row[crossed]]
        neighbours = torch.full_like(facets.row, -1)
        neighbours[crossed] = self._enter(across, middle)
        self._sizes.append(n_sides)
        self._found.append((facets.row.int(), neighbours, facets.start))
        self._n_sides += facets.row.shape[0]

    def _cut(self, words: Tensor, points: Tensor) -> Facets:
        return find_facets(self._slicer.cut(words, points), self._slicer.normal_slopes, self._reach)

    def _enter(self, words: Tensor, points: Tensor) -> Tensor:
        """Return the numbers (m,) of cells; queue new ones, each with the first of its points."""
        n_known = self.cells.n
        numbers = self.cells.add(words)
        is_new = (numbers >= n_known).nonzero()[:, 0]
        first = torch.full((self.cells.n - n_known,), numbers.shape[0], device=numbers.device)
        first.scatter_reduce_(0, numbers[is_new] - n_known, is_new, "amin")
        self._points.append(points[first])
        return numbers

    def finish(self) -> Walk:
        """Concatenate the results."""
        dim, like = self.program.in_dim, self.rows.bits
        none = (like[:0, 0].int(), like[:0, 0], self.program.head.weight.new_empty((0, dim)))
        rows, neighbours, starts = (torch.cat(parts) for parts in zip(none, *self._found, strict=True))
        n_sides = self._sizes.rows
        is_empty = n_sides == 0
        for first, last in self._tentative:
            is_empty[first:last] = False
        return Walk(self.cells, n_sides, int(is_empty.sum()), rows, neighbours, starts)
