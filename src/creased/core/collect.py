"""Puts the pieces of a task together, as far as memory allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from creased.core.assemble import on_row
from creased.core.memory import free_bytes, in_gigabytes
from creased.core.pieces import Cutter
from creased.core.skeleton import Skeleton
from creased.core.tasks import Task
from creased.core.weld import Welder

ASSEMBLY = 8  # putting a level set together takes this many times the memory of its skeleton
SOON = 0.02  # share of the work after which the memory that all of it takes is known well enough


class Extraction(NamedTuple):
    """A cut skeleton."""

    skeleton: Skeleton
    n_torn: int
    notes: tuple[str, ...]  # what is unusual, in words
    is_whole: bool  # False: stopped before it took more memory than allowed


def collect(
    task: Task,
    memory: int | None,
    level_row: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Extraction:
    """Cut all of a domain, or as much as memory allows; keep all cells, or those on one row."""
    memory = free_bytes(task.program.device) if memory is None else memory
    held = ASSEMBLY if level_row is not None else 1
    cutter, welder, done = Cutter(task), Welder(task.start()[0], task.rows), 0.0
    notes: tuple[str, ...] = ()
    while not notes and (piece := cutter.next_piece()) is not None:
        welder.add(piece if level_row is None else on_row(piece, level_row))
        done += piece.share
        if progress is not None:
            progress(f"{min(done, 1):.0%} of the domain is cut: {welder.n_cells[0]:,} vertices")
        needed = held * welder.n_bytes / max(done, SOON)
        if memory is not None and needed > memory and not cutter.is_done:
            notes = (_why_stopped(welder, min(done, 1), needed, memory),)
    cells, _ = task.settle(welder.finish())
    return Extraction(cells, welder.n_torn, notes, is_whole=not notes)


def _why_stopped(welder: Welder, done: float, needed: float, memory: int) -> str:
    n_vertices, n_edges = welder.n_cells
    return (
        f"stopped after {done:.1%} of the domain, at {n_vertices:,} vertices and {n_edges:,} edges: all "
        f"of it would take about {in_gigabytes(needed)}, and {in_gigabytes(memory)} are allowed"
    )
