"""Texts to hover over: a cell's signs by layer and its affine map."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from creased.core.arrangement.signs import RowLayout
from creased.core.formatting import format_affine, format_signs
from creased.core.program.program import Program

BREAK = "<br>"
WIDEST = 40  # layers whose signs are listed
OUTPUTS = 4  # affine maps that are listed


def describe_cells(
    names: Iterable[str], words: Tensor, layout: RowLayout, maps: Tensor | None = None
) -> list[str]:
    """Describe cells by names, the signs of their neurons and, where known, their affine maps.

    Args:
        names: R first lines.
        words: packed signs (R, W).
        layout: how rows are numbered.
        maps: of the outputs (R, D + 1, O), the constant last.
    """
    signs = layout.masks(words, torch.float64).tolist()
    columns = [None] * len(signs) if maps is None else maps.mT.tolist()
    starts = list(pairwise(accumulate(layout.widths, initial=0)))
    texts = []
    for name, row, functions in zip(names, signs, columns, strict=True):
        layers = [_format_layer(i, row[a:b]) for i, (a, b) in enumerate(starts, 1)]
        texts.append(BREAK.join([name, *layers, *_format_maps(functions or [])]))
    return texts


def _format_layer(layer: int, active: Sequence[float]) -> str:
    if len(active) > WIDEST:
        return f"layer {layer}: {round(sum(active))} of {len(active)} active"
    return f"layer {layer}: {format_signs(round(2 * x - 1) for x in active)}"


def _format_maps(functions: Sequence[Sequence[float]]) -> list[str]:
    shown = functions[: OUTPUTS if len(functions) > OUTPUTS + 1 else None]
    found = [
        f"f{i if len(functions) > 1 else ''} = {format_affine(row[:-1], row[-1])}"
        for i, row in enumerate(shown)
    ]
    return found + [f"... {len(functions) - len(shown)} more outputs"] * (len(shown) < len(functions))


def require_same(layout: RowLayout, program: Program | None) -> None:
    """Refuse a program that a complex or a level set is not of.

    Raises:
        ValueError: it has other layers.
    """
    if program is not None and program.widths != layout.widths:
        raise ValueError(f"figure: what is drawn has layers {layout.widths}, the program {program.widths}")
