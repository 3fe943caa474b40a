"""The complex of a program on a domain in pieces, and its numbers of cells: it may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from creased.core.complex import PolyhedralComplex
from creased.core.domain import Domain
from creased.core.escalation import EVERYTHING, FEW_VERTICES, Numbers
from creased.core.pieces import Cutter
from creased.core.program import Program
from creased.core.skeleton import Skeleton
from creased.core.tasks import Task, choose_dtype, make_task
from creased.core.tolerance import doubtful_band


def stream_complex(
    program: Program,
    domain: Domain,
    *,
    level: float | None = 0.0,
    at_once: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> Iterator[PolyhedralComplex]:
    """The complex in pieces, each to be counted or written, and forgotten: it may be larger than memory.

    A cell between two pieces is in both, and the first one's own: see `PolyhedralComplex.is_own_vertex`. The
    arguments are those of `extract_complex`; a piece that rounding tore says so in `n_torn`, and is not cut
    again.
    """
    dtype, notes = choose_dtype(dtype or program.dtype, domain)
    yield from _pieces(make_task(program, domain, level, at_once, device, dtype), notes)


def _pieces(task: Task, notes: tuple[str, ...] = ()) -> Iterator[PolyhedralComplex]:
    cutter = Cutter(task)
    while (piece := cutter.next_piece()) is not None:
        cells, corners = task.settle(Skeleton(*(part.clone() for part in piece.skeleton)), piece.corners)
        yield PolyhedralComplex(
            *cells,
            layout=task.rows.layout,
            domain=task.domain,
            corners=None if corners is None else corners.clone(),
            n_torn=piece.n_torn,
            status="; ".join(notes + task.notes),
            part=task.part,
        )


def count_cells(
    program: Program,
    domain: Domain,
    *,
    level: float | None = 0.0,
    at_once: int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> tuple[int, ...]:
    """Numbers of cells of dimension 0, 1, ..., D of the complex, which is not held; see `extract_complex`.

    Directions of the whole space that the network leaves out count as dimensions: the first numbers are 0.
    What rounding tears is counted again in finer numbers: float64, then rationals where there are few cells.

    Raises:
        ArithmeticError: rounding left faces open, in float64 too, of more than some ten thousand vertices.
    """
    dtype, _ = choose_dtype(dtype or program.dtype, domain)
    in_double = Numbers(torch.float64)
    exactly = [in_double._replace(band=band) for band in (doubtful_band(torch.float64), EVERYTHING)]
    for numbers in (Numbers(dtype), *[in_double] * (dtype == torch.float32), *exactly):
        task = make_task(program, domain, level, at_once, device, numbers.dtype, band=numbers.band)
        try:
            counts, n_torn = _count(task, domain.dim)
        except ArithmeticError:  # a wrong sign outside of the band made a vertex that does not exist
            if numbers.band == EVERYTHING:
                raise
            continue
        if not n_torn:
            return counts
        if numbers == in_double and max(counts) > FEW_VERTICES:
            break
    raise ArithmeticError(
        f"count_cells: rounding left {n_torn} faces open: counts would not be exact; "
        "extract_complex(exact=True) decides in rationals"
    )


def _count(task: Task, dim: int) -> tuple[tuple[int, ...], int]:
    """Numbers of cells, and of torn faces."""
    counts, n_torn = [0] * (dim + 1), 0
    for piece in _pieces(task):
        own = piece.f_vector()
        own = (0,) * (len(counts) - len(own)) + own  # no cell is smaller than what was divided out
        counts = [count + more for count, more in zip(counts, own, strict=True)]
        n_torn += piece.n_torn
    return tuple(counts), n_torn
