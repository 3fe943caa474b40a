"""Check vertex-edge incidence: every edge that has to leave a vertex does, and no other.

A vertex leaves each of its zeros to + and to -, but for walls, outside of which there is nothing, and for the
level, on which a level set stays. Each such stub must be one edge, with the codes of an edge and its ends.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import arrange
from creased.core.arrangement.signs import RowLayout
from creased.core.arrangement.skeleton import Skeleton
from creased.core.native.available import is_native

CHUNK = 1 << 14  # edges that are looked at at once, so that what is made of them stays in the cache


class EdgeMates(NamedTuple):
    """Mates of edge stubs: stub 2 (v D + k) leaves the k-th zero of vertex v to -, the next to +."""

    opposite: Tensor  # (2 V D + 1,) int64: the stub at the edge's other end; 2 V D where there is none

    def inward(self, zeros: Tensor, n_walls: int) -> list[Tensor]:
        """Stubs, D columns (V,), to the side on which the row (V, D) that they leave is inactive."""
        n, dim = zeros.shape
        starts = torch.arange(0, 2 * n * dim, 2 * dim, device=zeros.device)
        return [starts + (2 * k + (zeros[:, k] < n_walls).long()) for k in range(dim)]


def edges_from(found: Skeleton, layout: RowLayout, *, on_level: bool) -> tuple[EdgeMates, int]:
    """Match the stubs of vertices along edges; count edges that are missing or wrong.

    Args:
        found: a complex, or a level set.
        layout: how its rows are numbered.
        on_level: whether it is a level set, in which each vertex has the level as its last zero.
    """
    needed = _stubs(found.zero_ids, layout, on_level=on_level)
    n_stubs = needed.numel()
    opposite = torch.full((n_stubs + 1,), n_stubs, device=found.words.device)
    n_wrong = int((found.zero_ids[:, 1:] <= found.zero_ids[:, :-1]).sum())
    if is_native(opposite.device):
        from creased.core.certificates.compiled_incidence import match  # needs numba

        n_wrong += match(found, layout.n_rows, opposite)
    else:
        n_wrong += _match_all(found, layout, opposite)
    is_used = opposite[:n_stubs] < n_stubs
    if not torch.equal(is_used, needed.view(-1)):
        n_wrong += int((is_used != needed.view(-1)).sum())
    n_wrong += 2 * found.edges.shape[0] - int(is_used.count_nonzero())
    return EdgeMates(opposite), n_wrong


def _match_all(found: Skeleton, layout: RowLayout, opposite: Tensor) -> int:
    """Write the stubs at the other ends of edges; count wrong edges."""
    n_wrong, bits = 0, arrange(layout, found.words.device).bits
    tables = _Tables(found.zero_ids.contiguous(), *map(_columns, (found.zero_ids, found.words, bits)))
    for edges, kept in zip(found.edges.split(CHUNK), found.edge_zero_ids.split(CHUNK), strict=True):
        stubs, n_wrong_here = _match(_columns(edges.int()), _columns(kept), tables)
        n_wrong += n_wrong_here
        opposite.scatter_(0, stubs[0], stubs[1]).scatter_(0, stubs[1], stubs[0])
    return n_wrong


def sum_of_indices(vertices: Tensor, mates: EdgeMates) -> int:
    """Return the Euler characteristic of a bounded complex, by the lowest vertices of its cells.

    In a direction that no edge is orthogonal to, each cell has one, and of a vertex's orthants those cells
    have it there that all of whose edges rise: with u_i of the two stubs of its i-th zero rising, that is
    the product of 1 - u_i, summed with signs. Rounded places of vertices that nearly coincide may give
    another number; so does an edge that is amiss.
    """
    n, dim = vertices.shape
    direction = torch.arange(2, dim + 2, device=vertices.device, dtype=vertices.dtype).sqrt()
    heights = torch.nn.functional.pad(vertices @ direction, (0, 1), value=-torch.inf)  # of no end
    ends = mates.opposite[:-1].div(2 * dim, rounding_mode="floor")
    rising = (heights[ends].view(n, dim, 2) > heights[:-1, None, None]).sum(2)
    return int((1 - rising).prod(1).sum())


def _columns(table: Tensor) -> tuple[Tensor, ...]:
    """The columns of a table, each contiguous."""
    return tuple(column.contiguous() for column in table.unbind(1))


class _Tables(NamedTuple):
    """Codes of vertices, column by column, that edges are compared with."""

    zero_ids: Tensor  # (V, D) int32
    zeros: tuple[Tensor, ...]  # D columns (V,) int32
    words: tuple[Tensor, ...]  # W columns (V,) int64
    bits: tuple[Tensor, ...]  # W columns (n_rows,) int64


def _match(
    ends: tuple[Tensor, ...], kept: tuple[Tensor, ...], tables: _Tables
) -> tuple[tuple[Tensor, Tensor], int]:
    """Stubs of both ends, two (n,), of edges with D - 1 zeros (n,); count wrong edges."""
    one, other = (_leave(vertex, kept, tables) for vertex in ends)
    is_right = one.is_right & other.is_right & (one.row != other.row)
    for lower, higher in pairwise(kept):
        is_right &= lower < higher
    signs = [torch.zeros_like(is_right), torch.zeros_like(is_right)]
    for words, bits in zip(tables.words, tables.bits, strict=True):
        a, b = (words.index_select(0, vertex) for vertex in ends)
        bit_a, bit_b = (bits.index_select(0, side.row) for side in (one, other))
        signs[0] |= (b & bit_a) != 0
        signs[1] |= (a & bit_b) != 0
        is_right &= ((a ^ b) & ~bit_a.bitwise_or_(bit_b)) == 0
    stubs = [side.slot.mul_(2).add_(sign.long()) for side, sign in zip((one, other), signs, strict=True)]
    return (stubs[0], stubs[1]), is_right.numel() - int(is_right.count_nonzero())


class _Left(NamedTuple):
    """Edges seen from one of their ends."""

    row: Tensor  # (n,) int32: what the edge leaves
    slot: Tensor  # (n,) int64: where it is in the table of zeros
    is_right: Tensor  # (n,) bool: whether the other zeros of the vertex are those of the edge


def _leave(vertex: Tensor, kept: tuple[Tensor, ...], tables: _Tables) -> _Left:
    """Look up the row and slot that edges with D - 1 zeros (n,) leave at vertices (n,)."""
    slot = vertex.long() * len(tables.zeros)
    zeros = tables.zeros[0].index_select(0, vertex)
    is_right = torch.ones_like(slot, dtype=torch.bool)
    for k, ids in enumerate(kept):  # both lists ascend, so that they agree exactly in front of a slot
        is_same = zeros == ids
        zeros = tables.zeros[k + 1].index_select(0, vertex)
        slot += is_same.long()
        is_right &= is_same.logical_or_(zeros == ids)
    return _Left(tables.zero_ids.view(-1).index_select(0, slot), slot, is_right)


def _stubs(zeros: Tensor, layout: RowLayout, *, on_level: bool) -> Tensor:
    """True (V, D, 2) for the sides -, + to which an edge leaves one of a vertex's zeros (V, D)."""
    is_ray = layout.is_ray(zeros)
    needed = torch.ones((*zeros.shape, 2), dtype=torch.bool, device=zeros.device)
    needed[:, :, 0] = zeros >= layout.n_walls
    if on_level:
        needed[:, -1] = False  # the level itself is not left
    if layout.at_infinity:
        needed[is_ray] = False
        needed[is_ray, 0, 1] = True  # the one edge of a ray leaves infinity
    return needed
