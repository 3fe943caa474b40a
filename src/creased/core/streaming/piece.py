"""The part of a level set in one sub-box: whole polygons, and corners of those that planes cut.

A row holds at most one side of a polygon, which is convex. So the rows of the sides before and behind a
corner say which corner follows, wherever planes cut the sides between them.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes, cell_keys, key_table
from creased.core.arrangement.signs import RowLayout
from creased.core.complexes.polygons import Polygons
from creased.core.complexes.surface import Surface
from creased.core.domains.box import Box
from creased.core.marching.march import Walk
from creased.core.subdivision.sub_boxes import in_planes

N_KEYS = 2  # of 64 bits, of a cell: of the second one, equal ones are verified


class Piece(NamedTuple):
    """What is kept of a sub-box, on the CPU."""

    vertices: Tensor  # (V, 3) float64, in no plane
    sizes: Tensor  # (F,) int64: of the polygons that no plane cuts
    corners: Tensor  # (n,) int64: their vertices
    cut: Tensor  # (c, 5) int64: corners of cut polygons: 2 keys of the cell, rows before, behind, vertex
    walls: Tensor  # (s,) int64: of sides in planes between sub-boxes, the wall of this one
    keys: Tensor  # (s,) int64: first key of the cell of each
    words: Tensor  # (s, W) int64: its signs
    middles: Tensor  # (s, 3) float64
    residual: Tensor  # () float64: the largest |f - level| at some of the vertices
    counts: Tensor  # (4,) int64: cells walked, sides on walls of the box, open faces, sides it was entered by

    @property
    def n_cells(self) -> int:
        """Number of cells that were walked."""
        return int(self.counts[0])

    @property
    def n_wall_sides(self) -> int:
        """Number of sides on walls of the box."""
        return int(self.counts[1])

    @property
    def n_inconsistent(self) -> int:
        """Number of faces that rounding left open."""
        return int(self.counts[2])

    @property
    def n_entered(self) -> int:
        """Number of sides of neighbours that it was walked from."""
        return int(self.counts[3])


def piece_of(walk: Walk, surface: Surface, layout: RowLayout, part: Box, whole: Box, n_entered: int) -> Piece:
    """Divide what was walked in a sub-box into what is whole and what planes cut."""
    polygons, rows = surface.polygons, walk.rows
    vertex, owner, following = polygons.indices, polygons.owners(), polygons.following()
    is_real = ~in_planes(surface.skeleton.zero_ids, part, whole)
    number = is_real.cumsum(0) - 1
    stays = is_real[vertex]
    is_cut = torch.zeros(polygons.n, dtype=torch.bool, device=rows.device)
    is_cut[owner[~stays]] = True
    before = torch.empty_like(rows).index_copy_(0, following, rows)
    kept = (is_cut[owner] & stays).nonzero()[:, 0]
    some = is_cut.nonzero()[:, 0]
    keys = owner.new_zeros((N_KEYS, polygons.n))
    keys[:, some] = _keys_of(surface.polygon_words[some], layout.n_rows)
    cut = torch.stack([*keys[:, owner[kept]], before[kept], rows[kept], number[vertex[kept]]], dim=1)
    in_plane = in_planes(rows[:, None], part, whole).nonzero()[:, 0]
    starts = surface.skeleton.vertices
    n_wall_sides = int((stays & (rows < layout.n_walls)).sum())
    counts = (walk.n_sides.shape[0], n_wall_sides, surface.n_inconsistent, n_entered)
    found = Piece(
        vertices=starts[is_real],
        sizes=polygons.sizes[~is_cut],
        corners=number[vertex[~is_cut[owner]]],
        cut=cut,
        walls=rows[in_plane],
        keys=keys[0, owner[in_plane]],
        words=surface.polygon_words[owner[in_plane]],
        middles=(starts[vertex[in_plane]] + starts[vertex[following[in_plane]]]) / 2,
        residual=starts.new_zeros(()),
        counts=torch.tensor(counts),
    )
    return Piece(*(part.cpu() for part in found))


def _keys_of(words: Tensor, n_rows: int) -> Tensor:
    """Keys (2, n) of cells by their words (n, W)."""
    codes = CellCodes(words, torch.empty((words.shape[0], 0), dtype=torch.int32, device=words.device))
    tables = (key_table(n_rows, words.shape[1], words.device, seed) for seed in range(N_KEYS))
    return torch.stack([cell_keys(codes, table) for table in tables])


def join(cut: Tensor, n_rows: int) -> tuple[Polygons, int]:
    """Join corners (c, 5) of cut polygons, their vertices counted over all pieces.

    Returns:
        The polygons, and the number of corners that nothing follows: those are left out with their polygon.
    """
    order = cut[:, 0].argsort(stable=True)
    key, check, before, behind, vertex = cut[order].unbind(1)
    is_first = torch.ones_like(key, dtype=torch.bool)
    is_first[1:] = key[1:] != key[:-1]
    region = is_first.cumsum(0) - 1
    is_alike = check == check[is_first][region]
    ends = region * n_rows + behind
    starts, by_start = (region * n_rows + before).sort()
    place = torch.searchsorted(starts, ends).clamp_(max=max(len(starts) - 1, 0))
    following = by_start[place]
    fits = starts[place] == ends
    fits &= torch.bincount(following[fits], minlength=len(key))[following] == 1
    is_right = torch.ones(int(is_first.sum()), dtype=torch.bool)
    is_right[region[~(fits & is_alike)]] = False
    return _cycles(region, following, vertex, is_right)


def _cycles(region: Tensor, following: Tensor, vertex: Tensor, is_right: Tensor) -> tuple[Polygons, int]:
    sizes = torch.bincount(region, minlength=len(is_right))
    first = sizes.cumsum(0) - sizes
    around, corner = torch.full_like(vertex, -1), first
    for step in range(int(sizes.amax()) if len(sizes) else 0):
        on = (is_right & (sizes > step)).nonzero()[:, 0]
        around[first[on] + step] = vertex[corner[on]]
        corner = following[corner]
        is_right &= (sizes <= step + 1) | (corner != first)  # it closes too early
        is_right &= (sizes != step + 1) | (corner == first)
    kept = is_right[region]
    return Polygons.of_sizes(sizes[is_right], around[kept]), int((~kept).sum())
