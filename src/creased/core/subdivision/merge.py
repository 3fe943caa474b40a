"""Merge pieces of a skeleton: cells that several pieces found become one, by their codes."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.hash_keys import CellCodes, group_codes
from creased.core.arrangement.orthants import LATER, any_corner, own_vertices
from creased.core.arrangement.skeleton import GrowingSkeleton, Skeleton, own_edges
from creased.core.numerics.memory import LEAST, Resources, format_bytes
from creased.core.provenance import Provenance
from creased.core.subdivision.footprint import NO_LIMITS, Limits
from creased.core.subdivision.pieces import Cutter, Piece, on_row
from creased.core.subdivision.problem import SubdivisionProblem

ASSEMBLY = 8  # putting a level set together takes this many times the memory of its skeleton
MERGING = (
    1.5  # merging pieces takes this many times the memory of all cells: a column is moved where it grows
)
SOON = 0.02  # share of the work after which the memory that all of it takes is known well enough


class PieceMerger:
    """Merge pieces, in the order in which they were cut, into one skeleton.

    Args:
        start: what the pieces were cut from.
        rows: tables of the arrangement.
    """

    def __init__(self, start: Skeleton, rows: Arrangement) -> None:
        self._rows = rows
        self._cells = GrowingSkeleton.of(Skeleton(*(column[:0].clone() for column in start)))
        self._shared: list[Tensor] = []  # numbers of vertices that later pieces find again
        self._found_again: list[CellCodes] = []  # vertices of earlier pieces; edges name them -1, -2, ...
        self._n_found_again = 0

    @property
    def n_bytes(self) -> int:
        """Bytes that hold the cells so far."""
        return sum(rows.nbytes for rows in self._cells.freeze())

    @property
    def n_cells(self) -> tuple[int, int]:
        """Numbers of vertices and edges so far."""
        return self._cells.vertices.n, self._cells.edges.n

    @property
    def n_inconsistent(self) -> int:
        """Faces that rounding left open, and edges without an end, so far."""
        return self._cells.n_inconsistent

    def add(self, piece: Piece) -> None:
        """Add the cells that belong to a piece."""
        if piece.corners is None and not self._cells.vertices.n:  # it is all there is
            self._cells = GrowingSkeleton.of(piece.skeleton)
            self._cells.n_inconsistent = piece.n_inconsistent
            return
        if piece.corners is None:
            for column, rows in zip(self._cells.columns(), piece.skeleton, strict=True):
                column.append(rows)
        else:
            self._add_own(piece.skeleton, piece.corners)
        self._cells.n_inconsistent += piece.n_inconsistent

    def _add_own(self, cells: Skeleton, corners: Tensor) -> None:
        """Add the cells of a piece that are in no earlier one."""
        merged, is_own = self._cells, own_vertices(cells.vertices, corners)
        own, again = is_own.nonzero()[:, 0], (~is_own).nonzero()[:, 0]
        number = torch.where(
            is_own, merged.vertices.n + is_own.cumsum(0) - 1, -self._n_found_again - (~is_own).cumsum(0)
        ).to(cells.edges.dtype)
        edge = own_edges(cells, corners, self._rows).nonzero()[:, 0]
        ends = cells.edges.index_select(0, edge).reshape(-1)
        self._shared.append(number[is_own & any_corner(corners == LATER)].long())
        self._found_again.append(CellCodes(cells.words, cells.zero_ids).choose(again))
        self._n_found_again += again.shape[0]
        for column, rows in zip((merged.vertices, merged.zero_ids, merged.words), cells[:3], strict=True):
            column.append_chosen(rows, own)
        torch.index_select(number, 0, ends, out=merged.edges.extend(edge.shape[0]).view(-1))
        merged.edge_zero_ids.append_chosen(cells.edge_zero_ids, edge)

    def finish(self) -> Skeleton:
        """Return all cells that were added, as one skeleton."""
        if self._n_found_again:
            self._resolve()
        return self._cells.freeze()

    def _resolve(self) -> None:
        """Renumber vertices that were found again as at first."""
        shared = torch.cat(self._shared)
        again = CellCodes(*(torch.cat(part) for part in zip(*self._found_again, strict=True)))
        known = CellCodes(self._cells.words.rows, self._cells.zero_ids.rows).choose(shared)
        codes = CellCodes(*(torch.cat(pair) for pair in zip(known, again, strict=True)))
        groups = group_codes(codes, self._rows.keys)
        numbers = torch.full((codes.words.shape[0],), -1, dtype=torch.int64, device=shared.device)
        numbers[: shared.shape[0]] = shared
        group = groups.numbers()
        best = torch.full_like(numbers, -1).scatter_reduce(0, group, numbers[groups.order], "amax")
        numbers[groups.order] = best[group]
        resolved = numbers[shared.shape[0] :]
        edges = self._cells.edges.rows
        is_whole = torch.ones(edges.shape[0], dtype=torch.bool, device=edges.device)
        for end in edges.unbind(1):
            place = (end < 0).nonzero()[:, 0]
            found = resolved[-end[place].long() - 1]
            end[place] = found.to(end.dtype)
            is_whole[place[found < 0]] = False
        if not bool(is_whole.all()):  # rounding made the pieces differ
            self._cells.n_inconsistent += int((~is_whole).sum())
            kept = is_whole.nonzero()[:, 0]
            self._cells.edges = self._cells.edges.select(kept)
            self._cells.edge_zero_ids = self._cells.edge_zero_ids.select(kept)


class Extraction(NamedTuple):
    """A cut skeleton with its provenance."""

    skeleton: Skeleton
    provenance: Provenance


def collect(problem: SubdivisionProblem, resources: Resources, level_row: int | None = None) -> Extraction:
    """Cut all of a domain, or as much as memory allows; keep all cells, or those on one row."""
    memory = resources.memory_on(problem.program.device)
    held = ASSEMBLY if level_row is not None else MERGING
    cutter, merger, done = Cutter(problem), PieceMerger(problem.begin.skeleton, problem.rows), 0.0
    provenance = problem.provenance
    limits = NO_LIMITS
    while provenance.is_whole:
        if memory is not None:
            limits = Limits(max(memory - MERGING * merger.n_bytes, LEAST))
        if (piece := cutter.next_piece(limits)) is None:
            break
        merger.add(piece if level_row is None else on_row(piece, level_row))
        done += piece.share
        resources.report(f"{min(done, 1):.0%} of the domain is cut: {merger.n_cells[0]:,} vertices")
        needed = held * merger.n_bytes / max(done, SOON)
        if memory is not None and needed > (max(memory, LEAST) if cutter.is_done else memory):
            provenance = provenance.stopped(_why_stopped(merger, min(done, 1), needed, memory))
    if memory is not None and cutter.n_bytes_needed is not None:
        needed = cutter.n_bytes_needed + MERGING * merger.n_bytes
        provenance = provenance.stopped(_why_stopped(merger, min(done, 1), needed, memory))
    cells, _ = problem.settle(merger.finish())
    n_undecided = problem.decisions.n_undecided if problem.decisions is not None else 0
    return Extraction(cells, provenance.undecided(n_undecided).inconsistent(merger.n_inconsistent))


def _why_stopped(merger: PieceMerger, done: float, needed: float, memory: int) -> str:
    n_vertices, n_edges = merger.n_cells
    return (
        f"stopped after {done:.1%} of the domain, at {n_vertices:,} vertices and {n_edges:,} edges: all "
        f"of it would take {format_bytes(needed)} or more, and {format_bytes(memory)} are allowed"
    )
