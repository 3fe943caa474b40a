"""The regions around a vertex: which there are, and what they are called.

On a generic complex a vertex lies on D rows, so 2^D regions meet in it: corner ``p`` is the one on the + side
of those of the vertex's zero ids (in ascending order) whose bit is set in ``p``. Where cells are pruned, or
cut piece by piece, subdivision carries for each corner the number of its region; `DEAD` where there is none,
being outside of the domain or dropped; `EARLIER` or `LATER` where another piece holds it. A cell is alive in
a piece if a region around it is, and belongs to the first of the pieces in which it is.

An edge has the 2^(D - 1) corners that its zero ids leave; they are read off at either of its ends.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

DEAD = -1
EARLIER = -2
LATER = -3
NOWHERE = (DEAD, EARLIER, LATER)
LANES = {1: torch.uint8, 2: torch.int16, 4: torch.int32}  # as wide as so many bools


class CornerTables(NamedTuple):
    """Which corners belong to which cell, for one dimension D."""

    of_edge: (
        Tensor  # (D, 2, 2^(D - 1)) int64: corners of a vertex, given the slot and sign of its further zero
    )
    of_face: (
        Tensor  # (D - 1, 2, 2^(D - 2)) int64: corners of an edge, given the slot and sign of a moved zero
    )


@cache
def corner_tables(dim: int, device: torch.device) -> CornerTables:
    """Tables for D = dim on a device."""
    return CornerTables(_corners_with(dim, device), _corners_with(dim - 1, device))


def _corners_with(n_slots: int, device: torch.device) -> Tensor:
    """Corners (n_slots, 2, 2^(n_slots - 1)) over n_slots zeros whose sign in a slot is given."""
    corners = torch.arange(2**n_slots)
    rows = [[corners[(corners >> slot) & 1 == sign] for sign in (0, 1)] for slot in range(n_slots)]
    if not rows:
        return torch.empty((0, 2, 0), dtype=torch.int64, device=device)
    return torch.stack([torch.stack(pair) for pair in rows]).to(device)


def corners_of_domain(zero_ids: Tensor) -> Tensor:
    """Corners (V, 2^D) int32 of a domain's vertices: region 0 inside of all walls, and nothing outside."""
    corners = zero_ids.new_full((zero_ids.shape[0], 2 ** zero_ids.shape[1]), DEAD)
    corners[:, -1] = 0
    return corners


def edge_corners(
    corners: Tensor, zero_ids: Tensor, edge_zero_ids: Tensor, other_words: Tensor, bits: Tensor
) -> Tensor:
    """Corners (n, 2^(D - 1)) of edges.

    Args:
        corners: of the first end of each edge, (n, 2^D).
        zero_ids: of the first end, (n, D).
        edge_zero_ids: (n, D - 1).
        other_words: packed signs (n, W) of the second end.
        bits: the bit of each row, (n_rows, W).
    """
    dim = zero_ids.shape[1]
    # Both lists ascend and differ by one entry, so they agree exactly in front of it.
    slot = (zero_ids[:, :-1] == edge_zero_ids).sum(1)
    row = zero_ids.gather(1, slot[:, None])[:, 0]
    is_plus = ((other_words & bits.index_select(0, row)) != 0).any(1).long()
    table = corner_tables(dim, corners.device).of_edge.reshape(2 * dim, -1)
    return corners.gather(1, table.index_select(0, 2 * slot + is_plus))


def inside_walls(zero_ids: Tensor, n_walls: int) -> Tensor:
    """True (n, s, 2) where a zero of a cell can move to -, + and stay inside: a wall's + side is inside."""
    return torch.stack([zero_ids >= n_walls, torch.ones_like(zero_ids, dtype=torch.bool)], dim=2)


def any_corner(is_so: Tensor) -> Tensor:
    """True (n,) where one of the corners (n, 2^k) is marked; a row of bools is looked at as one number."""
    lanes = is_so.contiguous().view(LANES.get(is_so.shape[1], torch.int64))
    return (lanes != 0).any(1) if lanes.shape[1] > 1 else lanes[:, 0] != 0


def live_faces(corners: Tensor, dim: int) -> Tensor:
    """True (n, D - 1, 2) where the 2-face that moves a zero of an edge to -, + is alive.

    Args:
        corners: of the edges, (n, 2^(D - 1)).
        dim: D.
    """
    table = corner_tables(dim, corners.device).of_face
    return (corners[:, table] >= 0).any(-1)


def own_vertices(vertices: Tensor, corners: Tensor | None) -> Tensor:
    """True (V,) for the vertices that belong to a piece with these corners."""
    if corners is None:
        return torch.ones(vertices.shape[0], dtype=torch.bool, device=vertices.device)
    return ~any_corner(corners == EARLIER)
