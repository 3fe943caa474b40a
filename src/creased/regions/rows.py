"""Names of rows: neurons by layer and number, walls, outputs, planes of a grid."""

from __future__ import annotations

from creased.core.arrangement.signs import RowLayout


def neuron_of(layout: RowLayout, row: int) -> tuple[int, int] | None:
    """Return the layer and the number in it of a neuron's row, both from 0; None for other rows."""
    index = row - layout.n_walls
    for layer, width in enumerate(layout.widths):
        if 0 <= index < width:
            return layer, index
        index -= width
    return None


def name_row(layout: RowLayout, row: int) -> str:
    """Name a row in words; a neuron by its layer, from 1, and its number in it, from 0.

    Raises:
        ValueError: there is no such row.
    """
    if row >= layout.n_rows:
        raise ValueError(f"name_row: rows are 0 to {layout.n_rows - 1}, got {row}")
    if row < 0:
        return "a plane of the grid"
    if row < layout.n_walls:
        return f"wall {row}"
    if (neuron := neuron_of(layout, row)) is not None:
        return f"layer {neuron[0] + 1}, neuron {neuron[1]}"
    return f"output {row - layout.first_output}"
