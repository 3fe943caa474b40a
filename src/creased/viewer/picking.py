"""Find the face under the pointer, and describe the region of the function that it lies in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch

from creased.core.complexes.level_set import LevelSet
from creased.core.program.program import Program
from creased.geometry import polygon_gradients
from creased.regions.rows import name_row
from creased.viewer.cutting import HalfSpace

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 24  # neurons of a layer that are listed


def pick_triangle(
    corners: NDArray[np.float32], origin: Sequence[float], direction: Sequence[float], kept: HalfSpace | None
) -> int | None:
    """Find the first triangle that a ray hits, where that is not cut off; None where there is none.

    Args:
        corners: of the triangles (T, 3, 3).
        origin: of the ray.
        direction: of the ray.
        kept: what is shown; None: all.
    """
    start, ray = np.asarray(origin, dtype=np.float64), np.asarray(direction, dtype=np.float64)
    a = corners[:, 0].astype(np.float64)
    ab, ac = corners[:, 1] - a, corners[:, 2] - a
    normal = np.cross(ab, ac)  # Moeller and Trumbore 1997
    slope, across = normal @ ray, np.cross(start - a, ray)
    with np.errstate(divide="ignore", invalid="ignore"):
        along = ((a - start) * normal).sum(axis=1) / slope
        u, v = (across * ac).sum(axis=1) / -slope, (across * ab).sum(axis=1) / slope
        is_hit = (along > 0) & (u >= 0) & (v >= 0) & (u + v <= 1)
    if kept is not None:
        at = (start + along[:, None] * ray).astype(np.float32)
        is_hit &= kept.heights(np.nan_to_num(at)) <= 0
    hits = np.flatnonzero(is_hit)
    return int(hits[along[hits].argmin()]) if len(hits) else None


def corners_of(level_set: LevelSet, polygon: int) -> list[int]:
    """List the vertices of a polygon, in order."""
    start, end = level_set.polygons.offsets[polygon : polygon + 2].tolist()
    corners: list[int] = level_set.polygons.indices[start:end].tolist()
    return corners


def describe_face(level_set: LevelSet, program: Program, polygon: int) -> str:
    """Describe a face in Markdown: the affine map of its region, the creases around it, the active neurons.

    Args:
        level_set: of the program, in three dimensions.
        program: on the CPU.
        polygon: its number.
    """
    with torch.no_grad():
        (slope,) = polygon_gradients(level_set, program, torch.tensor([polygon])).tolist()
    corners = corners_of(level_set, polygon)
    at = level_set.vertices[corners[0]].tolist()
    constant = level_set.level - sum(s * x for s, x in zip(slope, at, strict=True))
    terms = "".join(f"{s:+.5g} {axis} " for s, axis in zip(slope, "xyz", strict=True))
    sides = [_shared_row(level_set, *ends) for ends in pairwise([*corners, corners[0]])]
    names = ["several" if row is None else name_row(level_set.layout, row) for row in sides]
    return "\n\n".join(
        [
            f"**face {polygon:,}**, {len(corners)} corners",
            f"f = {terms}{constant:+.5g}  \n|gradient| {np.linalg.norm(slope):.4f}",
            "between the creases of  \n" + "  \n".join(names),
            *_format_active(level_set, polygon),
        ]
    )


def _shared_row(level_set: LevelSet, start: int, end: int) -> int | None:
    """Find the row, besides the level's, that vanishes on the edge between two vertices."""
    here, there = (Counter(level_set.zero_ids[vertex].tolist()) for vertex in (start, end))
    shared = [row for row in (here & there) if row != level_set.layout.first_output]
    return shared[0] if len(shared) == 1 else None


def _format_active(level_set: LevelSet, polygon: int) -> list[str]:
    words = level_set.polygon_words[polygon : polygon + 1]
    parts = level_set.activation_masks(words)[0].split(list(level_set.layout.widths))
    lines = []
    for layer, part in enumerate(parts, 1):
        active = part.nonzero()[:, 0].tolist()
        listed = ", ".join(map(str, active[:MOST])) + (", ..." if len(active) > MOST else "")
        lines.append(f"layer {layer}: {len(active)} of {len(part)} active  \n{listed}")
    return lines
