"""From the sides that a walk found to a surface: corners and edges, each once, by their neighbours alone.

An edge of the level set is a side of two polygons, in cells that are each other's neighbours across one row.
Around a corner lie four polygons (fewer on walls), and from one to the next it is one step across the side
that runs into the corner. So edges are sides with equal pairs of cells, corners are the orbits of that step,
and nothing has to be looked up by sign vectors or by position.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.hash_keys import Groups, group_exact
from creased.core.arrangement.signs import clear_rows
from creased.core.arrangement.skeleton import Skeleton
from creased.core.complexes.polygons import Polygons
from creased.core.complexes.surface import Surface, link_surface
from creased.core.domains.domain import Domain
from creased.core.marching.march import Walk
from creased.core.program.program import Program


class _Sides(NamedTuple):
    """The sides of the cells walked, and how they lie to each other."""

    cell: Tensor  # (S,) int64
    row: Tensor  # (S,) int64
    following: Tensor  # (S,) int64: around the polygon
    previous: Tensor  # (S,) int64
    partner: Tensor  # (S,) int64: the same edge in the neighbour; itself where there is none
    edges: Groups  # sides grouped by edge


def surface_of_walk(walk: Walk, rows: Arrangement, program: Program, domain: Domain) -> Surface:
    """The surface in three dimensions, the curve in two.

    A side that its neighbour lacks counts as torn, and a cell that should have sides but has none.
    """
    sides = _relate(walk, rows.layout.n_rows)
    n_inconsistent = _count_lacking(walk, sides, rows.layout.n_walls) + walk.n_empty
    if program.in_dim == 2:
        curve = link_surface(program, domain, _curve(walk, sides, rows), rows)
        return curve._replace(n_inconsistent=curve.n_inconsistent + n_inconsistent)
    vertex, first = _corners(sides)
    before, row, cells = sides.row[sides.previous[first]], sides.row[first], sides.cell[first]
    level = torch.full_like(row, rows.layout.first_output)
    zeros = torch.stack([torch.minimum(before, row), torch.maximum(before, row), level], dim=1)
    edge = sides.edges.order[sides.edges.starts]
    words = walk.cells.words[cells]
    clear_rows(words, before)
    clear_rows(words, row)
    skeleton = Skeleton(
        vertices=walk.starts[first],
        zero_ids=zeros.int(),
        words=words,
        edges=torch.stack([vertex[edge], vertex[sides.following[edge]]], dim=1),
        edge_zero_ids=torch.stack([sides.row[edge], level[:1].expand(edge.shape[0])], dim=1).int(),
    )
    met = walk.cells.words[: walk.n_sides.shape[0]][walk.n_sides > 0]
    none = Polygons(vertex.new_zeros(1), vertex[:0])
    n_inconsistent += _count_misoriented(sides)
    return Surface(skeleton, Polygons.of_sizes(walk.n_sides, vertex), met, none, n_inconsistent)


def _relate(walk: Walk, n_rows: int) -> _Sides:
    """Who follows whom, and who is whose partner."""
    n_sides = walk.n_sides
    cell = torch.repeat_interleave(torch.arange(n_sides.shape[0], device=n_sides.device), n_sides)
    row = walk.rows.long()
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
    return _Sides(cell, row, following, previous, partner, edges)


def _corners(sides: _Sides) -> tuple[Tensor, Tensor]:
    """The number (S,) of the corner that each side starts from, and a side (V,) that starts from each."""
    every = torch.arange(sides.row.shape[0], device=sides.row.device)
    into = sides.partner[sides.previous]
    onward = torch.where(into == sides.previous, every, into)
    back = torch.where(sides.partner == every, every, sides.following[sides.partner])
    least = torch.minimum(_least_of_four(onward), _least_of_four(back))
    is_first = torch.zeros_like(least, dtype=torch.bool).index_fill_(0, least, True)
    return (is_first.cumsum(0) - 1)[least], is_first.nonzero()[:, 0]


def _least_of_four(step: Tensor) -> Tensor:
    """The least of each item (n,) and the next three, stepping."""
    every = torch.arange(step.shape[0], device=step.device)
    of_two = torch.minimum(every, step)
    return torch.minimum(of_two, of_two[step[step]])


def _count_lacking(walk: Walk, sides: _Sides, n_walls: int) -> int:
    """Sides that their neighbour lacks, though it was cut."""
    every = torch.arange(sides.row.shape[0], device=sides.row.device)
    is_cut = walk.neighbours < walk.n_sides.shape[0]
    return int(((sides.partner == every) & (sides.row >= n_walls) & is_cut).sum())


def _count_misoriented(sides: _Sides) -> int:
    """Corners where a polygon and its neighbour meet different rows."""
    has = (sides.partner[sides.previous] != sides.previous).nonzero()[:, 0]
    onward = sides.partner[sides.previous[has]]
    return int((sides.row[sides.previous[onward]] != sides.row[has]).sum())


def _curve(walk: Walk, sides: _Sides, rows: Arrangement) -> Skeleton:
    """Vertices where sides are, and an edge for each cell, D = 2."""
    number = torch.empty_like(sides.edges.order)
    number[sides.edges.order] = sides.edges.numbers()
    first = sides.edges.order[sides.edges.starts]
    level = torch.full_like(sides.row, rows.layout.first_output)
    edges = number.reshape(-1, 2)
    words = walk.cells.words[sides.cell[first]]
    clear_rows(words, sides.row[first])
    return Skeleton(
        vertices=walk.starts[first],
        zero_ids=torch.stack([sides.row, level], dim=1)[first].int(),
        words=words,
        edges=edges,
        edge_zero_ids=level[: edges.shape[0], None].int(),
    )
