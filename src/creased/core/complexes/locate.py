"""Find the regions that hold points, by the signs of all rows there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import find_words
from creased.core.arrangement.signs import pack_rows
from creased.core.numerics.tensors import Points, as_points
from creased.core.program.program import Program
from creased.core.program.simplices import simplices_at

if TYPE_CHECKING:
    from creased.core.complexes.regions import Regions


def regions_at(points: Points, regions: Regions, program: Program, level: float | None) -> Tensor:
    """Return the regions (...) int64 of points (..., D); -1 outside of the domain.

    Zeros count as +. Where rounding makes signs that no region has, the region is the one of which the point
    is farthest inside, or least outside.

    Raises:
        ValueError: points have another shape, or are not finite.
    """
    points = as_points("at", points, regions.dim, program.dtype, program.device)
    shape, points = points.shape[:-1], points.reshape(-1, regions.dim)
    walls = regions.domain.halfspaces(program.dtype, program.device)
    is_inside = (points @ walls[:-1] + walls[-1] >= 0).all(1)
    found = torch.full_like(is_inside, -1, dtype=torch.int64)
    inside = is_inside.nonzero()[:, 0]
    found[inside] = find_words(_words(points[inside], regions, program, level), regions.words)
    lost = inside[found[inside] < 0]
    if lost.numel():
        found[lost] = _nearest(points[lost], regions, program, level)
    return found.view(shape)


def _words(points: Tensor, regions: Regions, program: Program, level: float | None) -> Tensor:
    """Packed signs (n, W) of points inside of all walls."""
    layout, rows = regions.layout, program.preactivations(points)
    n_neurons = layout.n_neurons
    rows = torch.cat(
        [rows[:, :n_neurons], rows[:, n_neurons:][:, : layout.n_outputs] - (level or 0.0)], dim=1
    )
    walls = torch.ones((len(points), layout.n_walls), dtype=torch.bool, device=points.device)
    words = pack_rows(torch.cat([walls, rows >= 0], dim=1), 0, layout.n_words)
    if program.grid is not None:
        words[:, -1] = simplices_at(program.grid, points)
    return words


def _nearest(points: Tensor, regions: Regions, program: Program, level: float | None) -> Tensor:
    """Return the regions (n,) of which points are inside by the largest least distance to a facet."""
    offsets, normals, constants, _ = regions.halfspaces(program, level or 0.0)
    owner = torch.repeat_interleave(torch.arange(regions.n, device=offsets.device), offsets.diff())
    lengths, found = normals.norm(dim=1).clamp(min=torch.finfo(normals.dtype).tiny), []
    for point in points:
        depths = ((normals * point).sum(1) + constants) / lengths
        least = torch.full((regions.n,), torch.inf).to(depths).scatter_reduce(0, owner, depths, "amin")
        found.append(least.argmax())
    return torch.stack(found)
