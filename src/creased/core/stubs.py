"""Whether every edge that has to leave a vertex does, and no other: the stubs of a complex or a level set.

A vertex leaves each of its zeros to + and to -, but for walls, outside of which there is nothing, and for the
level, on which a level set stays. Each such stub must be one edge, with the codes of an edge and its ends.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.cofaces import arrange
from creased.core.complex import PolyhedralComplex
from creased.core.doubts import HalfEdges
from creased.core.level_set import LevelSet


def edges_from(found: PolyhedralComplex | LevelSet) -> tuple[HalfEdges, int]:
    """Edges as they leave vertices where rows are inactive, and how many are missing or not right."""
    layout, (first, second) = found.layout, found.edges.int().T.contiguous().unbind(0)
    bits = arrange(layout, found.words.device).bits.T.contiguous()
    words = [_columns(found.words, end) for end in (first, second)]
    sides = [_sides(found, first, words[1], bits), _sides(found, second, words[0], bits)]
    is_used = torch.zeros((found.vertices.shape[0], found.dim, 2), dtype=torch.bool, device=first.device)
    for vertex, side in zip((first, second), sides, strict=True):
        stub = (vertex.long() * found.dim + side.slot) * 2 + side.is_plus
        is_used.view(-1).index_fill_(0, stub, True)
    is_wrong = ~(sides[0].is_right & sides[1].is_right) | (sides[0].row == sides[1].row)
    for one, other, bit, bit_of_other in zip(*words, sides[0].bits, sides[1].bits, strict=True):
        is_wrong |= ((one ^ other) & ~(bit | bit_of_other)) != 0
    n_wrong = int(is_wrong.sum())
    n_wrong += sum(int((ids[:, 1:] <= ids[:, :-1]).sum()) for ids in (found.zero_ids, found.edge_zero_ids))
    n_wrong += int((is_used != _stubs(found)).sum()) + 2 * first.shape[0] - int(is_used.sum())
    reach = first.new_zeros(first.shape[0], dtype=torch.float64)
    for a, b in zip(_columns(found.vertices, first), _columns(found.vertices, second), strict=True):
        reach = torch.maximum(reach, (a - b).abs())
    parts = []
    for vertex, end, side in zip((first, second), (second, first), sides, strict=True):
        inward = (side.is_plus == (side.row < layout.n_walls)).nonzero()[:, 0]
        parts.append([x.index_select(0, inward) for x in (vertex, end, side.row, reach)])
    return HalfEdges(*(torch.cat(part) for part in zip(*parts, strict=True))), n_wrong


def _columns(table: Tensor, index: Tensor) -> tuple[Tensor, ...]:
    """Columns (n,), each in one piece, of the rows (n,) of a table: sums over few columns are slow."""
    return tuple(column.index_select(0, index) for column in table.T.contiguous().unbind(0))


class _Sides(NamedTuple):
    """Edges seen from one of their ends."""

    row: Tensor  # (E,) int32: what the edge leaves
    bits: tuple[Tensor, ...]  # W columns (E,) int64: of that row
    slot: Tensor  # (E,) int32: its place among the zeros of the vertex
    is_plus: Tensor  # (E,) bool: whether the edge leaves to its + side
    is_right: Tensor  # (E,) bool: whether the other zeros of the vertex are those of the edge


def _sides(
    found: PolyhedralComplex | LevelSet, vertex: Tensor, beyond: tuple[Tensor, ...], bits: Tensor
) -> _Sides:
    """Edges from vertices (E,), given the words, W columns (E,), of their other ends."""
    zeros, kept = _columns(found.zero_ids, vertex), found.edge_zero_ids.T.contiguous().unbind(0)
    row, slot = zeros[-1], torch.zeros_like(vertex)
    is_right = torch.ones_like(vertex, dtype=torch.bool)
    for k in reversed(range(len(kept))):  # both lists ascend, so that they agree exactly in front of a slot
        is_same = zeros[k] == kept[k]
        row = torch.where(is_same, row, zeros[k])
        slot += is_same
        is_right &= is_same | (zeros[k + 1] == kept[k])
    mine = tuple(column.index_select(0, row) for column in bits.unbind(0))
    is_plus = torch.zeros_like(is_right)
    for word, bit in zip(beyond, mine, strict=True):
        is_plus |= (word & bit) != 0
    return _Sides(row, mine, slot, is_plus, is_right)


def _stubs(found: PolyhedralComplex | LevelSet) -> Tensor:
    """True (V, D, 2) for the sides -, + to which a vertex leaves one of its zeros along an edge."""
    zeros, is_ray = found.zero_ids, found.layout.is_ray(found.zero_ids)
    needed = torch.stack([zeros >= found.layout.n_walls, torch.ones_like(zeros, dtype=torch.bool)], dim=2)
    if isinstance(found, LevelSet):
        needed[:, -1] = False  # the level itself is not left
    needed[is_ray] = False
    needed[is_ray, 0, 1] = True  # the one edge of a ray leaves infinity
    return needed
