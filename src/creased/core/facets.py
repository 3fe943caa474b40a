"""The piece of a level set in each of many cells: its sides, found among the rows nearest to a point of it.

In a cell all rows are affine, and so is the level set. In three dimensions it is a plane, in which each row
is a line with the cell on one side, and the polygon is what these half-planes share. Of the lines nearest to
a point of it, each is cut by all the others to a segment; the polygon is found whole when no further line is
as near as its farthest corner. That is the certificate that no row was missed. In two dimensions the level
set is a line, in which each row is a point.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

NEAREST = 12  # rows that are tried first; doubled where they do not suffice


class Facets(NamedTuple):
    """The sides of the pieces of R cells, around each piece.

    In two dimensions a side is one of the two ends of a segment, and starts where it ends.
    """

    cell: Tensor  # (n,) int64, ascending
    row: Tensor  # (n,) int64: the row that the side lies on
    before: Tensor  # (n,) int64: the row of the side that it follows
    after: Tensor  # (n,) int64: the row of the side that follows it
    start: Tensor  # (n, D): where it starts
    end: Tensor  # (n, D): where it ends


class _Lines(NamedTuple):
    """The rows in the planes of R cells, as lines."""

    slopes: Tensor  # (R, 2, N): of the rows, in the plane's axes
    distances: Tensor  # (R, N) >= 0: from the given point; infinite where the row is parallel to the plane
    axes: Tensor  # (R, 2, 3): of the plane
    diameter: float  # of the domain: no line that is farther away matters

    def choose(self, index: Tensor) -> _Lines:
        """Those of the cells (m,)."""
        slopes, distances, axes = (x.index_select(0, index) for x in (self.slopes, self.distances, self.axes))
        return _Lines(slopes, distances, axes, self.diameter)


def find_facets(rows: Tensor, signs: Tensor, gradients: Tensor, points: Tensor, diameter: float) -> Facets:
    """The pieces of a level set in cells.

    Args:
        rows: affine functions (R, D + 1, N), the constant last; D = 2 or 3.
        signs: True where the cell is on the positive side of a row, (R, N).
        gradients: of the function whose level set it is, (R, D).
        points: a point of each piece, (R, D).
        diameter: of the domain.
    """
    if points.shape[1] == 2:
        return _find_ends(rows, signs, gradients, points)
    lines = _lines_in_plane(rows, gradients, points, diameter)
    todo = torch.arange(rows.shape[0], device=rows.device)
    found: list[Facets] = []
    n_near = min(NEAREST, rows.shape[2])
    while todo.numel():
        is_all = todo.shape[0] == rows.shape[0]
        part = lines if is_all else lines.choose(todo)
        part_signs = signs.index_select(0, todo)
        facets, is_whole = _among_nearest(part, part_signs, points.index_select(0, todo), n_near)
        is_whole |= n_near == rows.shape[2]
        kept = is_whole[facets.cell].nonzero()[:, 0]
        facets = Facets(*(x.index_select(0, kept) for x in facets))
        found.append(facets._replace(cell=todo[facets.cell]))
        todo = todo[~is_whole]
        n_near = min(2 * n_near, rows.shape[2])
    facets = Facets(*(torch.cat(x) for x in zip(*found, strict=True)))
    order = torch.argsort(facets.cell, stable=True)
    return Facets(*(x.index_select(0, order) for x in facets))


def _lines_in_plane(rows: Tensor, gradients: Tensor, points: Tensor, diameter: float) -> _Lines:
    normal = gradients / gradients.square().sum(1, keepdim=True).sqrt()
    helper = torch.zeros_like(normal).scatter_(1, normal.abs().argmin(1, keepdim=True), 1.0)
    first = torch.linalg.cross(normal, helper)
    first = first / first.square().sum(1, keepdim=True).sqrt()
    axes = torch.stack([first, torch.linalg.cross(normal, first)], dim=1)
    slopes = torch.bmm(axes, rows[:, :3])  # (R, 2, N)
    heights = torch.baddbmm(rows[:, 3:], points[:, None], rows[:, :3])[:, 0].abs_()
    lengths = (slopes[:, 0] ** 2).addcmul_(slopes[:, 1], slopes[:, 1]).sqrt_()
    distances = heights.div_(lengths).nan_to_num_(nan=torch.inf, posinf=torch.inf)
    return _Lines(slopes, distances, axes, diameter)


def _among_nearest(lines: _Lines, signs: Tensor, points: Tensor, n_near: int) -> tuple[Facets, Tensor]:
    """Sides among the nearest lines, and for which cells (R,) they are all there are."""
    distances, rows = lines.distances.topk(n_near, dim=1, largest=False)
    slopes = lines.slopes.gather(2, rows[:, None].expand(-1, 2, -1)).transpose(1, 2)
    side = torch.where(signs.gather(1, rows), 1.0, -1.0).to(slopes.dtype)  # the cell is where normals point
    normals = slopes * (side / slopes.square().sum(2).sqrt())[:, :, None]
    along = torch.stack([normals[..., 1], -normals[..., 0]], dim=-1)  # the cell is on the left
    cosine, sine = normals @ normals.transpose(1, 2), along @ normals.transpose(1, 2)
    reach = distances[:, None, :] - distances[:, :, None] * cosine  # of line j at the foot of line i
    crossing = -reach / sine
    others = ~torch.eye(n_near, dtype=torch.bool, device=rows.device)
    hides = (sine == 0) & (reach < 0)  # parallel, and nearer
    start = torch.where((sine > 0) & others, crossing, torch.where(hides & others, torch.inf, -torch.inf))
    end = torch.where((sine < 0) & others, crossing, torch.inf)
    low, before = start.max(2)
    high, after = end.min(2)
    exists = (low < high) & (distances <= lines.diameter)
    is_bounded = low.isfinite() & high.isfinite()
    farthest = torch.where(exists, distances**2 + torch.maximum(low**2, high**2), 0).amax(1)
    is_whole = (is_bounded | ~exists).all(1) & (farthest <= distances[:, -1] ** 2) & exists.any(1)
    cell, line = exists.nonzero(as_tuple=True)
    foot = -distances[cell, line, None] * normals[cell, line]

    def place(t: Tensor) -> Tensor:
        flat = foot + t[cell, line, None] * along[cell, line]
        return points[cell] + torch.bmm(flat[:, None], lines.axes[cell])[:, 0]

    row_of = rows[cell, line]
    return Facets(
        cell,
        row_of,
        rows[cell, before[cell, line]],
        rows[cell, after[cell, line]],
        place(low),
        place(high),
    ), is_whole


def _find_ends(rows: Tensor, signs: Tensor, gradients: Tensor, points: Tensor) -> Facets:
    """The two ends of the segment in each cell, D = 2."""
    along = torch.stack([gradients[:, 1], -gradients[:, 0]], dim=1)
    slopes = torch.bmm(along[:, None], rows[:, :2])[:, 0]
    heights = torch.baddbmm(rows[:, 2:], points[:, None], rows[:, :2])[:, 0]
    leaves = torch.where(signs, -slopes, slopes)  # > 0 where one walks out of the cell
    reach = heights.abs() / slopes.abs()
    high, after = torch.where(leaves > 0, reach, torch.inf).min(1)
    low, before = torch.where(leaves < 0, reach, torch.inf).min(1)
    is_segment = (low.isfinite() & high.isfinite()).nonzero()[:, 0]  # not so where the function is flat
    points, along, low, high = (x[is_segment] for x in (points, along, low, high))
    before, after, cell = before[is_segment], after[is_segment], is_segment.repeat_interleave(2)
    ends = torch.stack([points - low[:, None] * along, points + high[:, None] * along], dim=1).reshape(-1, 2)
    row = torch.stack([before, after], dim=1).reshape(-1)
    other = torch.stack([after, before], dim=1).reshape(-1)
    return Facets(cell, row, other, other, ends, ends)
