"""Search a domain for cells that a level set meets and a walk has not visited, by compiled branch and bound.

For plain ReLU networks in two or three dimensions; see `kernels.branch_and_bound` for how. What is not proven
to miss the level set is divided by neurons down to cells. Regions are neither kept nor matched with their
neighbours: the memory of the search is that of the regions on the way to one cell.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.marching import search_state as state
from creased.core.marching.kernels import search_records as records
from creased.core.marching.kernels.branch_and_bound import search
from creased.core.marching.march import Walk
from creased.core.subdivision.problem import SubdivisionProblem

AT_ONCE = 20_000  # regions between two reports


class Missed(NamedTuple):
    """Cells that the level set meets, and that a walk has not visited."""

    words: Tensor  # (m, W)
    points: Tensor  # (m, D)


class Search:
    """Searches a domain; a walk's cells are known.

    Args:
        problem: see `completeness.is_searchable`.
        walk: gives a point of the level set in each of its cells.
    """

    def __init__(self, problem: SubdivisionProblem, walk: Walk) -> None:
        self._dim = problem.domain.dim
        net, n_words = state.network_of(problem), problem.rows.layout.n_words
        n_blocks, widest = net.bias.shape
        known = state.known_cells(walk, self._dim)
        self._stack = state.make_stack(problem.cutting.n_neurons + 2, widest, n_words)
        state.put_domain(self._stack, problem, known.points.shape[0])
        self._found = state.room_for_found(n_words)
        levels, scratch = state.make_levels(n_blocks, widest), state.make_scratch(n_blocks, widest, n_words)
        self._arguments = (net, levels, self._stack, scratch, known, self._found)

    @property
    def is_done(self) -> bool:
        """True if nothing is left to search."""
        return not self._stack.tops[records.FRAMES]

    @property
    def is_open(self) -> bool:
        """True if rounding left a region open, or a cell in doubt, or it has too many vertices."""
        return bool(self._found.counts[[records.DOUBTFUL, records.INCONSISTENT, records.FULL]].any())

    def advance(self) -> tuple[Missed, float]:
        """Search some regions; return the cells found, and the share of the domain that was done."""
        self._found.counts[records.FOUND] = 0
        share = search(*self._arguments, AT_ONCE)
        n = int(self._found.counts[records.FOUND])
        words, points = (torch.from_numpy(part)[:n].clone() for part in self._found[:2])
        return Missed(words, points[:, : self._dim]), share
