"""Number the 2^D regions around a vertex, its corners, and those around an edge.

On a generic complex a vertex lies on D rows, so 2^D regions meet in it: corner ``p`` is the one on the + side
of those of the vertex's zero ids (in ascending order) whose bit is set in ``p``. Where cells are pruned, or
cut piece by piece, subdivision carries the region number of each corner: `DEAD` if the region is outside of
the domain or pruned, `EARLIER` or `LATER` if it is in another piece. A cell is live in a piece if a region
around it is, and belongs to the first piece in which it is live.

An edge has 2^(D - 1) corners, one for each choice of signs of its zero ids; either end gives them.
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
LANES = {1: torch.uint8, 2: torch.int16, 4: torch.int32}  # integer types as wide as n bools


class CornerTables(NamedTuple):
    """Corners of a vertex around its edges, and of an edge around its 2-faces, for one D."""

    of_edge: Tensor  # (D, 2, 2^(D - 1)) int64: of a vertex, by the slot and sign of its further zero
    of_face: Tensor  # (D - 1, 2, 2^(D - 2)) int64: of an edge, by the slot and sign of a moved zero


@cache
def corner_tables(dim: int, device: torch.device) -> CornerTables:
    """Build the tables for D = dim on a device."""
    return CornerTables(_corners_with(dim, device), _corners_with(dim - 1, device))


def _corners_with(n_slots: int, device: torch.device) -> Tensor:
    """List the corners (n_slots, 2, 2^(n_slots - 1)) of n_slots zeros by slot and sign in that slot."""
    corners = torch.arange(2**n_slots)
    rows = [[corners[(corners >> slot) & 1 == sign] for sign in (0, 1)] for slot in range(n_slots)]
    if not rows:
        return torch.empty((0, 2, 0), dtype=torch.int64, device=device)
    return torch.stack([torch.stack(pair) for pair in rows]).to(device)


def corners_of_domain(zero_ids: Tensor) -> Tensor:
    """Return corners (V, 2^D) int32 of a domain's vertices: region 0 inside of all walls, else `DEAD`."""
    corners = zero_ids.new_full((zero_ids.shape[0], 2 ** zero_ids.shape[1]), DEAD)
    corners[:, -1] = 0
    return corners


def edge_corners(
    corners: Tensor, zero_ids: Tensor, edge_zero_ids: Tensor, other_words: Tensor, bits: Tensor
) -> Tensor:
    """Return the corners (n, 2^(D - 1)) of edges.

    Args:
        corners: of the first end of each edge, (n, 2^D).
        zero_ids: of the first end, (n, D).
        edge_zero_ids: (n, D - 1).
        other_words: packed signs (n, W) of the second end.
        bits: the bit of each row, (n_rows, W).
    """
    dim = zero_ids.shape[1]
    # Both lists ascend and differ by one entry, so they agree exactly before it.
    slot = (zero_ids[:, :-1] == edge_zero_ids).sum(1)
    row = zero_ids.gather(1, slot[:, None])[:, 0]
    is_plus = ((other_words & bits.index_select(0, row)) != 0).any(1).long()
    table = corner_tables(dim, corners.device).of_edge.reshape(2 * dim, -1)
    return corners.gather(1, table.index_select(0, 2 * slot + is_plus))


def inside_walls(zero_ids: Tensor, n_walls: int) -> Tensor:
    """True (n, s, 2) where moving a zero of a cell to -, + stays in the domain: the + side of each wall."""
    return torch.stack([zero_ids >= n_walls, torch.ones_like(zero_ids, dtype=torch.bool)], dim=2)


def any_corner(is_so: Tensor) -> Tensor:
    """True (n,) where one of the corners (n, 2^k) is marked; each row of bools is read as one integer."""
    lanes = is_so.contiguous().view(LANES.get(is_so.shape[1], torch.int64))
    return (lanes != 0).any(1) if lanes.shape[1] > 1 else lanes[:, 0] != 0


def live_faces(corners: Tensor, dim: int) -> Tensor:
    """True (n, D - 1, 2) where the 2-face that moves a zero of an edge to -, + is live.

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
