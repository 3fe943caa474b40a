"""Figures of persistence diagrams: births against deaths, by dimension."""

from __future__ import annotations

import math
from typing import Any

import torch

from creased.core.formatting import format_number, format_number_of, format_point
from creased.drawing.palette import FAINT, by_layer
from creased.topology import PersistenceDiagram
from creased.topology.diagrams import Interval
from creased.viewer.figures.hover import BREAK
from creased.viewer.figures.traces import Picture, dots, layout, lines, require_few

MOST_CLASSES = 50_000
MARGIN = 0.08  # of the extent, beyond which infinity is drawn


def show_diagram(diagram: PersistenceDiagram, program: None = None) -> Picture:
    """Show a diagram with its diagonal; what never dies is on the line above.

    Raises:
        ValueError: there are more classes than a page is drawn with.
    """
    require_few(len(diagram), MOST_CLASSES, "classes", "take those that are `lasting`")
    both = torch.stack([diagram.births, diagram.deaths], dim=1)
    finite = both[both.isfinite()]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    margin = MARGIN * ((high - low) or 1.0)
    bottom, top = low - margin, high + margin
    points = both.nan_to_num(posinf=top, neginf=bottom).numpy()
    ends = torch.tensor([[[bottom, bottom], [top, top]]], dtype=torch.float64).numpy()
    traces: list[Any] = lines(ends, "diagonal", FAINT, width=1)
    over = torch.tensor([[[bottom, top], [top, top]]], dtype=torch.float64).numpy()
    traces += lines(over, "infinity", FAINT, width=1)
    at = zip(diagram, diagram.at_birth.tolist(), diagram.at_death.tolist(), strict=True)
    texts = [_describe(*entry) for entry in at]
    for dim in diagram.dims.unique().tolist():
        chosen = (diagram.dims == dim).nonzero()[:, 0].tolist()
        mine = [texts[i] for i in chosen]
        traces.append(dots(points[chosen], f"H{dim}: {len(chosen)}", mine, by_layer(dim), 8))
    axes = {"xaxis": {"title": {"text": "birth"}, "constrain": "domain"}}
    axes["yaxis"] = {"title": {"text": "death"}, "scaleanchor": "x", "constrain": "domain"}
    caption = f"persistence: {format_number_of(len(diagram), 'class', 'classes')}"
    return Picture(traces, caption, layout(2) | axes | {"margin": {"b": 90, "l": 60, "r": 0}})


def _describe(row: Interval, born: list[float], dies: list[float]) -> str:
    interval = f"H{row.dim}: [{format_number(row.birth)}, {format_number(row.death)})"
    where = [interval, f"born at {format_point(born)}", f"dies at {format_point(dies)}"]
    return BREAK.join(where[: 3 if row.death < math.inf else 2])
