"""Assemble a surface from the sides that a walk found: merge corners and edges by adjacency of cells.

An edge of the level set is a side of two polygons, in cells that are neighbours across one row. Around a
corner lie four polygons (fewer on walls); the step from one to the next crosses the side that ends in the
corner. So edges are sides with equal pairs of cells, and corners are the orbits of that step. Neither sign
vectors nor positions are compared.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.hash_keys import Groups, group_exact
from creased.core.arrangement.signs import clear_rows
from creased.core.arrangement.skeleton import Skeleton
from creased.core.complexes.link import CellMaps
from creased.core.complexes.polygons import Polygons
from creased.core.complexes.surface import Surface, link_surface
from creased.core.marching.march import Walk


class _Sides(NamedTuple):
    """The sides of the cells of a walk, and their adjacency."""

    cell: Tensor  # (S,) int64
    row: Tensor  # (S,) int64
    following: Tensor  # (S,) int64: the next side around the polygon
    previous: Tensor  # (S,) int64: the side before
    partner: Tensor  # (S,) int64: the side of the same edge in the neighbour; itself if there is none
    into: Tensor  # (S,) int64: the partner of the previous side
    edges: Groups  # sides grouped by edge


def surface_of_walk(walk: Walk, rows: Arrangement, maps: CellMaps) -> Surface:
    """Assemble the surface in three dimensions, the curve in two.

    Sides without their counterpart in the neighbour, and cells that should have sides but have none, count as
    inconsistent.
    """
    sides = _relate(walk, rows.layout.n_rows)
    n_inconsistent = _count_lacking(walk, sides, rows.layout.n_walls) + walk.n_empty
    if walk.starts.shape[1] == 2:
        curve = link_surface(maps, _curve(walk, sides, rows), rows)
        return curve._replace(n_inconsistent=curve.n_inconsistent + n_inconsistent)
    vertex, first = _corners(sides)
    before, row, cells = sides.row[sides.previous[first]], sides.row[first], sides.cell[first]
    level = torch.full_like(row, rows.layout.first_output)
    zeros = torch.stack([torch.minimum(before, row), torch.maximum(before, row), level], dim=1)
    edge = sides.edges.firsts()
    words = walk.words[cells]
    clear_rows(words, before)
    clear_rows(words, row)
    skeleton = Skeleton(
        vertices=walk.starts[first],
        zero_ids=zeros.int(),
        words=words,
        edges=torch.stack([vertex[edge], vertex[sides.following[edge]]], dim=1),
        edge_zero_ids=torch.stack([sides.row[edge], level[:1].expand(edge.shape[0])], dim=1).int(),
    )
    met = walk.words[: walk.n_sides.shape[0]][walk.n_sides > 0]
    none = Polygons(vertex.new_zeros(1), vertex[:0])
    n_inconsistent += _count_misoriented(sides)
    return Surface(skeleton, Polygons.of_sizes(walk.n_sides, vertex), met, none, n_inconsistent)


def _relate(walk: Walk, n_rows: int) -> _Sides:
    """Build the adjacency of sides: around polygons and across edges."""
    n_sides = walk.n_sides
    cell = torch.repeat_interleave(torch.arange(n_sides.shape[0], device=n_sides.device), n_sides)
    row = walk.rows
    following = Polygons.of_sizes(n_sides, row).following()
    every = torch.arange(row.shape[0], device=row.device)
    previous = torch.empty_like(following).index_copy_(0, following, every)
    beyond_wall = walk.neighbours < 0
    lower = torch.where(beyond_wall, cell, torch.minimum(cell, walk.neighbours))
    edges = group_exact(lower * n_rows + row)
    is_second = ~edges.starts
    pair = is_second.nonzero()[:, 0]
    one, other = edges.order[pair - 1], edges.order[pair]
    partner = every.clone()
    partner[one], partner[other] = other, one
    return _Sides(cell, row, following, previous, partner, partner[previous], edges)


def _corners(sides: _Sides) -> tuple[Tensor, Tensor]:
    """Number the corners: the first corner (S,) of each side, and one side (V,) that starts at each."""
    every = torch.arange(sides.row.shape[0], device=sides.row.device)
    is_alone = sides.partner == every
    if bool(is_alone.any()):
        onward = torch.where(sides.into == sides.previous, every, sides.into)
        back = torch.where(is_alone, every, sides.following[sides.partner])
        least = torch.minimum(_least_of_four(onward), _least_of_four(back))
    else:
        least = _least_of_four(sides.into)
    is_first = torch.zeros_like(least, dtype=torch.bool).index_fill_(0, least, True)
    return (is_first.cumsum(0) - 1)[least], is_first.nonzero()[:, 0]


def _least_of_four(step: Tensor) -> Tensor:
    """Return the minimum (n,) of each index and its next three under a step."""
    every = torch.arange(step.shape[0], device=step.device)
    of_two = torch.minimum(every, step)
    return torch.minimum(of_two, of_two[step[step]])


def _count_lacking(walk: Walk, sides: _Sides, n_walls: int) -> int:
    """Count sides without their counterpart in a neighbour that was cut."""
    every = torch.arange(sides.row.shape[0], device=sides.row.device)
    is_cut = walk.neighbours < walk.n_sides.shape[0]
    return int(((sides.partner == every) & (sides.row >= n_walls) & is_cut).sum())


def _count_misoriented(sides: _Sides) -> int:
    """Count corners where a polygon and its neighbour lie on different rows."""
    is_other_row = sides.row[sides.previous[sides.into]] != sides.row
    return int((is_other_row & (sides.into != sides.previous)).sum())


def _curve(walk: Walk, sides: _Sides, rows: Arrangement) -> Skeleton:
    """Build the curve for D = 2: a vertex for each pair of sides, an edge for each cell."""
    number = torch.empty_like(sides.edges.order)
    number[sides.edges.order] = sides.edges.numbers()
    first = sides.edges.firsts()
    level = torch.full_like(sides.row, rows.layout.first_output)
    edges = number.reshape(-1, 2)
    words = walk.words[sides.cell[first]]
    clear_rows(words, sides.row[first])
    return Skeleton(
        vertices=walk.starts[first],
        zero_ids=torch.stack([sides.row, level], dim=1)[first].int(),
        words=words,
        edges=edges,
        edge_zero_ids=level[: edges.shape[0], None].int(),
    )
