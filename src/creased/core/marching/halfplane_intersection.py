"""Half-plane intersection: the polygon of a level set in each of many cells.

In the plane of the level set each row is a line with the cell on one side, and the polygon is the
intersection of these half-planes. Each of the lines nearest to a point of the polygon is clipped by all the
others. The polygon is complete when no further line is as near as its farthest corner; otherwise more lines
are taken. For D = 2 the level set is a line, and each row leaves a half-line of it.

Where lines meet in one point within rounding, `perturbation` decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.marching.cell_planes import NormalSlopes, Slices
from creased.core.marching.perturbation import ClippedLines, NearestLines, spans_with_ties
from creased.core.numerics.memory import selection_pays
from creased.core.numerics.tensors import places_of
from creased.core.numerics.tolerance import may_coincide

NEAREST = 12  # rows that are tried first; doubled while the polygon is incomplete
FAR = 4  # times as many on a device, where trying again costs more


class Facets(NamedTuple):
    """Sides of the polygons of R cells, counter-clockwise around each seen from the side of larger f.

    For D = 2 they are the two ends of a segment, with smaller values of f on its left.
    """

    cell: Tensor  # (n,) int64, ascending
    row: Tensor  # (n,) int64: the row that the side lies on
    start: Tensor  # (n, D): its first corner; the next side starts at the other one


def find_facets(slices: Slices, normal_slopes_of: Callable[[Slices], NormalSlopes], reach: float) -> Facets:
    """Find the polygon of a level set in each cell; none in cells that it does not meet.

    Args:
        slices: the rows in the planes of the level set.
        normal_slopes_of: slopes of rows along the normals, called for slices with ties.
        reach: of the domain and its coordinates, to which rounding errors are relative.
    """
    every = torch.arange(slices.signs.shape[0], device=slices.signs.device)
    if slices.normals.shape[1] == 2:
        return _in_order([_settle(slices, every, normal_slopes_of(slices), reach)[0]])
    facets, doubtful = _settle(slices, every, None, reach)
    if not doubtful.numel():
        return _in_order([facets])
    tied = slices.choose(doubtful)
    decided, _ = _settle(tied, doubtful, normal_slopes_of(tied), reach)
    return _in_order([facets, decided])


def _settle(
    slices: Slices, names: Tensor, normal_slopes: NormalSlopes | None, reach: float
) -> tuple[Facets, Tensor]:
    """Find sides in cells with given names (R,), with more lines while incomplete; and doubtful cells."""
    n_rows = slices.rows.shape[2]
    is_far = normal_slopes is None and not selection_pays(names.device)  # slopes would take too much memory
    nearest = FAR * NEAREST if is_far else NEAREST
    found, doubtful, n_near = [], [names[:0]], min(nearest, n_rows)
    while names.numel():
        near = _nearest(slices, n_near, reach)
        slopes = None if normal_slopes is None else normal_slopes.gather(near.rows)
        spans = _spans(near) if slopes is None else spans_with_ties(near, slopes)
        is_whole = ~spans.is_doubtful if n_near == n_rows else _is_whole(near, spans) & ~spans.is_doubtful
        is_side = spans.exists & (spans.high - spans.low < torch.inf) & is_whole[:, None]
        is_left = ~(is_whole | spans.is_doubtful)
        sides, (in_doubt,), (rest,) = places_of(is_side, spans.is_doubtful, is_left)
        doubtful.append(names[in_doubt])
        found.append(_sides(slices, near, spans, sides, names))
        if rest.numel():
            slices = slices.choose(rest)
            normal_slopes = None if normal_slopes is None else normal_slopes.choose(rest)
        names = names[rest]
        n_near = min(2 * n_near, n_rows)
    return _join(found), torch.cat(doubtful)


def _nearest(slices: Slices, n_near: int, reach: float) -> NearestLines:
    """Select the lines nearest to the points of the slices."""
    slopes, heights = slices.rows[:, :-1], slices.rows[:, -1]
    lengths = slopes[:, 0] * slopes[:, 0]
    for slope in slopes.unbind(1)[1:]:
        lengths.addcmul_(slope, slope)
    squares = (heights * heights).div_(lengths)  # NaN, which sorts as largest, where a row is constant zero
    nearest, rows = squares.topk(n_near, dim=1, largest=False)
    slopes = slopes.gather(2, rows[:, None].expand(-1, slopes.shape[1], -1))
    scale = slopes.square().sum(1).sqrt().reciprocal_()
    signs = slices.signs.gather(1, rows)
    side = scale * (2 * signs - 1)  # the cell is where normals point
    near_heights = heights.gather(1, rows)
    return NearestLines(
        rows=rows,
        normals=slopes * side[:, None],
        heights=near_heights,
        distances=near_heights * side,
        limit=nearest[:, -1].sqrt(),
        scale=scale,
        signs=signs > 0,
        reach=reach,
    )


def _spans(near: NearestLines) -> ClippedLines:
    """Clip each line by all others, where no two corners of a polygon coincide."""
    (x, y), c = near.normals.unbind(1), near.distances
    cosine = (x[:, :, None] * x[:, None]).addcmul_(y[:, :, None], y[:, None])
    sine = (y[:, :, None] * x[:, None]).addcmul_(x[:, :, None], y[:, None], value=-1)
    crossing = (cosine * c[:, :, None]).sub_(c[:, None]).div_(sine)  # of line j on line i
    limit = torch.copysign(sine.new_full((), torch.inf), sine)  # where line j does not clip that end of i
    starts, ends = torch.minimum(crossing, limit), torch.maximum(crossing, limit)
    starts.diagonal(dim1=1, dim2=2).fill_(-torch.inf)  # a line does not cut itself
    ends.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    low, high = starts.amax(2), ends.amin(2)
    # A line through a corner of two others is clipped to a point.
    is_tied = may_coincide(high - low, near.reach).any(1)
    is_parallel = may_coincide(sine, 1.0).flatten(1).sum(1) > c.shape[1]  # more than each with itself
    is_flat = near.scale.amax(1) > 1e5 * near.scale.amin(1)
    nobody = near.rows[:, :0]
    return ClippedLines(low, high, nobody, nobody, low < high, is_tied | is_parallel | is_flat)


def _is_whole(near: NearestLines, spans: ClippedLines) -> Tensor:
    """True (R,) for cells whose polygon no line beyond the nearest can cut."""
    reach = torch.maximum(spans.low.square(), spans.high.square())
    if near.normals.shape[1] == 2:
        reach += near.distances.square()
    farthest = torch.where(spans.exists, reach, 0).amax(1).sqrt()
    is_clear = (near.limit > farthest) & ~may_coincide(near.limit - farthest, near.reach)
    return spans.exists.any(1) & is_clear


def _sides(slices: Slices, near: NearestLines, spans: ClippedLines, sides: Tensor, names: Tensor) -> Facets:
    """List sides, given as cells and lines (2, n), in order around each polygon."""
    cell, line = sides
    low = spans.low[cell, line]
    if near.normals.shape[1] == 1:
        cell = cell.repeat_interleave(2)
        ends = torch.stack([spans.before[:, 0], spans.after[:, 0]], dim=1)[cell[::2]]
        row = near.rows[cell, ends.reshape(-1)]
        point = slices.place(cell, torch.stack([low, spans.high[cell[::2], 0]], dim=1).reshape(-1, 1))
        return Facets(names[cell], row, point)
    normal = near.normals[cell, :, line]
    angle = torch.atan2(normal[:, 1], normal[:, 0])
    order = torch.argsort(8 * cell + angle)
    cell, line, normal = cell[order], line[order], normal[order]
    along = torch.stack([normal[:, 1], -normal[:, 0]], dim=1)  # the cell is on the left
    foot = -near.distances[cell, line, None] * normal
    return Facets(names[cell], near.rows[cell, line], slices.place(cell, foot + low[order, None] * along))


def join_facets(batches: list[Facets], n: int) -> Facets:
    """Concatenate the facets of batches of n cells each."""
    return _join(
        [facets._replace(cell=facets.cell + n * i) if i else facets for i, facets in enumerate(batches)]
    )


def _join(parts: list[Facets]) -> Facets:
    return parts[0] if len(parts) == 1 else Facets(*(torch.cat(x) for x in zip(*parts, strict=True)))


def _in_order(parts: list[Facets]) -> Facets:
    """Concatenate and sort by cell."""
    facets = _join(parts)
    order = torch.argsort(facets.cell, stable=True)
    return Facets(*(x.index_select(0, order) for x in facets))
