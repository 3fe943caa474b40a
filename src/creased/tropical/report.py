"""What a network's counts and bounds are, in words: the text of ``creased count``."""

from __future__ import annotations

import torch

from creased.core.domain import Box
from creased.core.program import Program
from creased.core.stream_complex import count_cells
from creased.tropical.counts import count
from creased.tropical.engine_cells import ComplexTooLargeError
from creased.tropical.region_bounds import bounds_of

WIDTH = 22  # of the first column


def count_table(program: Program, box: Box, *, method: str = "auto", memory: int | None = None) -> str:
    """The three counts, the numbers of cells of all dimensions, and the bounds, one a line.

    Args:
        program: what to count.
        box: where.
        method: see `creased.tropical.count`; or "stream", which counts cells of complexes of any size, but
            not regions and pieces.
        memory: bytes that the complex may take; what is free by default.
    """
    lines = [
        ("network", f"{program.in_dim} inputs, hidden widths {program.widths}, {program.out_dim} output(s)"),
        ("domain", " x ".join(f"[{a:g}, {b:g}]" for a, b in zip(box.lower, box.upper, strict=True))),
    ]
    try:
        lines += _counted(program, box, method, memory)
    except ComplexTooLargeError as error:
        lines.append(("not counted", f"{error}; --method stream counts cells in pieces"))
    if program.n_neurons:
        lines += _bounds(program)
    return "\n".join(f"{name:<{WIDTH}} {value}" for name, value in lines)


def _counted(program: Program, box: Box, method: str, memory: int | None) -> list[tuple[str, str]]:
    if method == "stream":
        cells = count_cells(program, box, level=None, dtype=torch.float64)
        return [("activation cells", f"{cells[-1]:,}"), _by_dimension(cells)]
    counts = count(program, box, method=method, memory=memory)
    return [
        ("activation cells", f"{counts.activation_cells:,}"),
        ("linear regions", f"{counts.linear_regions:,}"),
        ("affine pieces", f"{counts.affine_pieces:,}"),
        ("", counts.guarantee),
        _by_dimension(count_cells(program, box, level=None, dtype=torch.float64)),
    ]


def _by_dimension(cells: tuple[int, ...]) -> tuple[str, str]:
    numbers = ", ".join(f"{count:,}" for count in cells)
    return "cells by dimension", f"{numbers} (0 to {len(cells) - 1}; as if perturbed where degenerate)"


def _bounds(program: Program) -> list[tuple[str, str]]:
    bounds = bounds_of(program)
    return [
        ("upper bounds", "on activation cells, for all weights of these widths"),
        ("  Serra 2018", _in_digits(bounds.serra)),
        ("  Montufar 2017", _in_digits(bounds.montufar_2017)),
        ("  Raghu 2017", _in_digits(bounds.raghu)),
        ("lower bound", "on what the best weights of these widths reach, not on this network"),
        ("  Montufar 2014", _in_digits(bounds.montufar_2014)),
        ("for comparison", "what random weights have about, however deep; no bound"),
        ("  N^D / D!", _in_digits(round(bounds.hanin_rolnick))),
    ]


def _in_digits(number: int) -> str:
    """All digits as long as they can be read, then a power of ten."""
    digits = str(number)
    return f"{number:,}" if len(digits) <= 15 else f"{digits[0]}.{digits[1:3]}e{len(digits) - 1}"
