"""Say which options bring a mesh nearer to its shape, before training and after it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import nn

from creased.networks.models.grid_mlp import grids_of
from creased.shapes.differences import Kind
from creased.shapes.target import Target

WIDER = 1.2  # a domain that is advised where walls cut the surface
UNKNOWN = "unknown"  # quality of a network on a grid, of which nothing else is known

log = logging.getLogger(__name__)


def warn_of_thin_parts(shape: Target, network: nn.Module, quality: str) -> dict[str, Any] | None:
    """Log which walls and gaps of a shape are thinner than a cell of the network's grid; None without one."""
    if not (grids := grids_of(network)):
        return None
    finest = min(grids, key=lambda grid: grid.half_width / grid.levels[-1])
    n_cells = finest.levels[-1]
    rng = np.random.default_rng(0)
    found = shape.measure_thinness(n_cells, 2 * finest.half_width / n_cells, rng)
    if found is None:
        return None
    for sentence in found.sentences(1 / shape.to_domain.scale, shape.to_domain.unit):
        log.warning("shape %s: %s; %s is finer", shape.name, sentence, finer_grid(quality))
    return found.as_dict()


def advise(metrics: Mapping[str, Any], quality: str | None = None, n_samples: int | None = None) -> str:
    """Say which options bring a mesh nearer to its shape; specks come from places with few samples."""
    kinds = [difference["kind"] for difference in metrics.get("differences", [])]
    samples = "more data.n_samples" if n_samples is None else f"data.n_samples={2 * n_samples}"
    advice = [finer_grid(quality), samples]
    if kinds[:1] == [Kind.SPECKS.name]:
        advice.reverse()
    if metrics["cut_at"] and Kind.OPEN.name in kinds:
        advice.insert(0, f"domain.half_width={WIDER * metrics['cut_at']:.3g}")
    return ", or ".join(advice)


def finer_grid(quality: str | None) -> str:
    """Name the option for the next finer grid than that of a quality; None: the network is on no grid."""
    finer = {None: "model=grid", "draft": "quality=normal", "normal": "quality=high", "high": "quality=ultra"}
    return finer.get(quality, "a further level in model.levels")
