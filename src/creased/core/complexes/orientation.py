"""Orient polygons and polylines so that their normals point along the gradient, to larger values.

Of the two directions of a polygon the one is outward whose area vector points along the gradient of its
region. Where it is so thin that rounding hides its area its neighbours decide, and where all of a component
has collapsed the rows that meet in its corners.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import RowLayout, sign_vectors
from creased.core.complexes.link import Cycles
from creased.core.complexes.polygons import Polygons, area_vectors, fan_arms, twins
from creased.core.numerics.pointer_doubling import label_components
from creased.core.numerics.tolerance import get_epsilon


def orient_polygons(
    cells: Polygons, vertices: Tensor, gradients: Tensor, by_rows: Callable[[Tensor], tuple[Tensor, Tensor]]
) -> Polygons:
    """Reverse polygons whose normals point against the gradients (F, D = 3) of their regions.

    Where areas leave that open ``by_rows`` is asked, see `directions_by_rows`.
    """
    score = (area_vectors(vertices, cells) * gradients).sum(1)
    arms = fan_arms(vertices, cells).square().sum(1)
    reach = torch.zeros_like(score).scatter_reduce(0, cells.owners(), arms, "amax")
    # Coordinates are off by this much, whatever the size of a polygon.
    noise = get_epsilon(vertices.dtype) * vertices.abs().amax()
    doubt = noise * (reach.sqrt() + noise) * gradients.norm(dim=1)
    direction = torch.where(score.abs() > doubt, score.sign(), torch.zeros_like(score)).to(torch.int64)
    return _reverse(cells, _ask_neighbours(cells, direction, by_rows) < 0)


def _ask_neighbours(
    cells: Polygons, direction: Tensor, by_rows: Callable[[Tensor], tuple[Tensor, Tensor]]
) -> Tensor:
    """Orient polygons in doubt (direction 0) as most of their neighbours.

    Where a whole component is in doubt, having collapsed to no area, rows tell the direction of the polygon
    where they do so most clearly, and that one decides for the others.
    """
    if not bool((direction == 0).any()):
        return direction
    owners, mates = cells.owners(), twins(cells)
    side = (mates >= 0).nonzero()[:, 0]
    mine, theirs = owners[side], owners[mates[side]]
    # Neighbours agree when they run along the common edge in opposite directions.
    agree = torch.where(cells.indices[side] == cells.indices[mates[side]], -1, 1)
    while True:
        votes = torch.zeros_like(direction).index_add_(0, mine, agree * direction[theirs])
        decided = torch.where(direction == 0, votes.sign(), direction)
        if torch.equal(decided, direction):
            left = (decided == 0).nonzero()[:, 0]
            if left.shape[0] == 0:
                return decided
            between = ((decided[mine] == 0) & (decided[theirs] == 0)).nonzero()[:, 0]
            component = label_components(cells.n, torch.stack([mine[between], theirs[between]], dim=1))[left]
            told, clearness = by_rows(left)
            best = torch.zeros(cells.n, dtype=clearness.dtype, device=left.device)
            best.scatter_reduce_(0, component, clearness, "amax")
            clearest = clearness == best[component]
            first = torch.full_like(decided, cells.n)
            first.scatter_reduce_(0, component[clearest], left[clearest], "amin")
            is_first = first[component] == left
            decided[left[is_first]] = told[is_first]
        direction = decided


def directions_by_rows(
    cells: Polygons, which: Tensor, corners: CellCodes, regions: Tensor, maps: Tensor, layout: RowLayout
) -> tuple[Tensor, Tensor]:
    """Orient polygons (n,), +1 or -1, by determinants of the rows at their corners; with confidence.

    At a corner a polygon enters along one of the corner's rows and leaves along the other. With u along the
    side that leaves row a into the region, w along that which leaves row b, and f the level's function, u x w
    is a multiple of grad f, of the sign of s_a s_b det [grad a, grad b, grad f]: no area is asked for.

    Args:
        cells: F polygons.
        which: n of them.
        corners: codes of the vertices, their last row that of the level.
        regions: packed signs (n, W) of the polygons.
        maps: gradients (n, D, n_rows) of all rows in these regions.
        layout: how rows are numbered.
    """
    number = torch.full((cells.n,), -1, dtype=torch.int64, device=which.device)
    number[which] = torch.arange(which.shape[0], device=which.device)
    owner = number[cells.owners()]
    corner = (owner >= 0).nonzero()[:, 0]
    owner, here, ahead = owner[corner], cells.indices[corner], cells.heads()[corner]
    pair, level = corners.zero_ids[here, :2].long(), corners.zero_ids[here, 2:].long()
    is_shared = (pair[:, :, None] == corners.zero_ids[ahead, None, :2]).any(2)
    rows = torch.cat([torch.where(is_shared[:, :1], pair.flip(1), pair), level], dim=1)  # left, kept, level
    jacobian = maps[owner].gather(2, rows[:, None, :].expand(-1, maps.shape[1], -1))
    jacobian = torch.nn.functional.normalize(jacobian, dim=1)
    signs = sign_vectors(regions, corners.zero_ids[:0], layout.n_rows)[owner].gather(1, rows[:, :2])
    told = torch.linalg.det(jacobian) * signs.to(maps.dtype).prod(1)
    told = told.masked_fill((is_shared.sum(1) != 1) | layout.is_ray(corners.zero_ids[here]), 0)
    clearness, direction = told.abs(), torch.ones_like(which)
    best = clearness.new_zeros(which.shape[0]).scatter_reduce_(0, owner, clearness, "amax")
    is_best = clearness == best[owner]
    direction[owner[is_best]] = torch.where(told[is_best] < 0, -1, 1)
    return direction, best


def _reverse(cells: Polygons, is_flipped: Tensor) -> Polygons:
    """Reverse the cycles (F,) marked True."""
    owners = cells.owners()
    position = torch.arange(cells.indices.shape[0], device=cells.indices.device)
    mirrored = cells.offsets[owners] + cells.offsets[owners + 1] - 1 - position
    return Polygons(cells.offsets, cells.indices[torch.where(is_flipped[owners], mirrored, position)])


def orient_polylines(cycles: Cycles, vertices: Tensor, gradients: Tensor) -> Polygons:
    """Reverse polylines (D = 2) with the inside on their right; gradients (E, 2) are of the edges."""
    cells = cycles.cells
    tangent = vertices[cells.heads()] - vertices[cells.indices]
    outward = torch.stack([tangent[:, 1], -tangent[:, 0]], dim=1)
    score = (outward * gradients[cycles.corner_edge]).sum(1).masked_fill(cycles.corner_edge < 0, 0)
    return _reverse(cells, cells.sums(score) < 0)
