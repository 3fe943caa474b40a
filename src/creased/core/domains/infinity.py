"""Convert a skeleton cut in homogeneous coordinates to vertices, edges and rays of the whole space.

Deep networks have rows that vanish at infinity: where one is constant along a ray, say. As everywhere an
exact zero counts as + there, which leaves cells that are all at infinity, of no extent. They are dropped:
what is kept are the vertices with w > 0, their edges, and one ray for each edge that ends at infinity. A
ray's code is that of its edge with the wall at infinity, row 0, among the zeros.
"""

from __future__ import annotations

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement
from creased.core.arrangement.orthants import DEAD
from creased.core.arrangement.signs import clear_rows, pack_rows, unpack_rows
from creased.core.arrangement.skeleton import Skeleton, corners_of_edges


def cut_at_infinity(
    cells: Skeleton, corners: Tensor | None, rows: Arrangement
) -> tuple[Skeleton, Tensor | None]:
    """Convert vertices (V, D + 1) to positions and ray directions (V, D); drop cells at infinity."""
    points, w = cells.vertices[:, :-1], cells.vertices[:, -1]
    finite = (w > 0).nonzero()[:, 0]
    is_far = w == 0
    n_far = is_far.index_select(0, cells.edges.reshape(-1)).reshape(-1, 2).sum(1)
    kept, unbounded = (n_far <= 1).nonzero()[:, 0], (n_far == 1).nonzero()[:, 0]
    first, second = cells.edges.index_select(0, unbounded).unbind(1)
    far = torch.where(is_far[first.long()], first, second).long()
    around = None
    if corners is not None:
        around = torch.full((far.shape[0], corners.shape[1]), DEAD).to(corners)
        around[:, 1::2] = corners_of_edges(cells, corners, unbounded, rows)
        around = torch.cat([corners[finite], around])
    number = (w > 0).cumsum(0) - 1
    edges = number[cells.edges.long()]
    edges[unbounded] = torch.where(
        is_far[cells.edges[unbounded].long()],
        finite.shape[0] + torch.arange(far.shape[0], device=far.device)[:, None],
        edges[unbounded],
    )
    words = cells.words[first.long()] | cells.words[second.long()]
    clear_rows(words, torch.zeros_like(far))
    directions = points[far] / points[far].norm(dim=1, keepdim=True)
    settled = Skeleton(
        vertices=torch.cat([points[finite] / w[finite, None], directions]),
        zero_ids=torch.cat(
            [cells.zero_ids[finite], torch.nn.functional.pad(cells.edge_zero_ids[unbounded], (1, 0))]
        ),
        words=torch.cat([cells.words[finite], words]),
        edges=edges[kept].to(cells.edges.dtype),
        edge_zero_ids=cells.edge_zero_ids[kept],
    )
    return settled, around


def in_users_numbers(
    cells: Skeleton, corners: Tensor | None, order: Tensor, n_neurons: int
) -> tuple[Skeleton, Tensor | None]:
    """Renumber rows: row ``i`` becomes ``order[i]``; only rows 1 ... n_neurons change places."""
    if bool((order == torch.arange(len(order), device=order.device)).all()):
        return cells, corners
    signs = unpack_rows(cells.words, 1, n_neurons)
    mine, n_words = torch.argsort(order[1 : 1 + n_neurons]), cells.words.shape[1]
    cleared = cells.words & ~pack_rows(torch.ones_like(signs), 1, n_words)
    zero_ids, slots = order[cells.zero_ids.long()].sort(1)
    edge_zero_ids = order[cells.edge_zero_ids.long()].sort(1).values
    if corners is not None:
        corner = torch.arange(corners.shape[1], device=corners.device)
        sides = (corner[:, None] >> torch.arange(slots.shape[1], device=corners.device)) & 1
        corners = corners.gather(1, (sides[None] << slots[:, None]).sum(2))  # bits in the old order of zeros
    renamed = cells._replace(
        words=cleared | pack_rows(signs[:, mine], 1, n_words),
        zero_ids=zero_ids.int(),
        edge_zero_ids=edge_zero_ids.int(),
    )
    return renamed, corners
