"""The complex of a program on a domain in pieces, and its numbers of cells: it may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from creased.core.complex import PolyhedralComplex
from creased.core.domain import Domain
from creased.core.pieces import Cutter
from creased.core.program import Program
from creased.core.skeleton import Skeleton
from creased.core.tasks import choose_dtype, make_task


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
    task = make_task(program, domain, level, at_once, device, dtype)
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

    Raises:
        ArithmeticError: rounding left faces open, in float64 too.
    """
    counts, n_torn = [0] * (domain.dim + 1), 0
    for piece in stream_complex(program, domain, level=level, at_once=at_once, device=device, dtype=dtype):
        own = piece.f_vector()
        own = (0,) * (len(counts) - len(own)) + own  # no cell is smaller than what was divided out
        counts = [count + more for count, more in zip(counts, own, strict=True)]
        n_torn += piece.n_torn
    if n_torn and (dtype or program.dtype) == torch.float32:
        in_double = torch.float64
        return count_cells(program, domain, level=level, at_once=at_once, device=device, dtype=in_double)
    if n_torn:
        raise ArithmeticError(f"count_cells: rounding left {n_torn} faces open: counts would not be exact")
    return tuple(counts)
