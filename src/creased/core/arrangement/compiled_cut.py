"""Cut edges by compiled kernels, with the results of `subdivide`: edge by edge, in one pass."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.kernels import cut as kernels
from creased.core.arrangement.kernels.matching import join
from creased.core.arrangement.kernels.records import Cells, Doubts, Rows
from creased.core.arrangement.skeleton import BlockCut, GrowingSkeleton
from creased.core.numerics.tolerance import rounding_error

NO_CORNERS = np.empty((0, 0), np.int32)
NEVER = -1.0  # no size is below it


def sign_vertices(skeleton: GrowingSkeleton, block: BlockCut) -> None:
    """Write the signs of the values carried at the vertices; see `subdivide.start_block`."""
    n = skeleton.vertices.n
    cells, rows, doubts = _cells_of(skeleton, block), _rows_of(block), _doubts_of(block, n)
    n_close = kernels.pack(cells, rows, block.n_done, doubts, np.arange(n))
    if n_close:
        close = torch.from_numpy(doubts.signed[:n_close].copy())
        _settle(skeleton, block, close, 0)
        kernels.pack(cells, rows, block.n_done, _no_doubts(n_close), close.numpy())


def schedule(skeleton: GrowingSkeleton, block: BlockCut, edges: Tensor, last: Tensor) -> None:
    """Put edges (m,) in the bucket of the lowest row that cuts them after the last one (1,), if any."""
    m = edges.shape[0]
    crossing, found = torch.empty(m, dtype=torch.int32), torch.empty(m, dtype=torch.int64)
    stops = torch.empty(block.n_neurons + 1, dtype=torch.int64)
    out = tuple(part.numpy() for part in (found, stops, crossing))
    kernels.schedule(_cells_of(skeleton, block), _rows_of(block), int(last), edges.numpy(), out)
    begin = 0
    for neuron, end in enumerate(stops.tolist()[:-1]):
        if end > begin:
            block.buckets[neuron].append(found[begin:end])
        begin = end


def cut_edges(skeleton: GrowingSkeleton, block: BlockCut, split: Tensor, row: Tensor) -> None:
    """Split edges (n,) by a row (1,), join the new vertices, schedule edges for later rows."""
    n, first = split.shape[0], (skeleton.vertices.n, skeleton.edges.n)
    made = [skeleton.vertices, skeleton.zero_ids, skeleton.words, block.carried]
    for column in (*made, *([] if skeleton.corners is None else [skeleton.corners])):
        column.extend(n)
    n_faces = 2 * n * skeleton.edge_zero_ids.rows.shape[1]
    for column in (skeleton.edges, skeleton.edge_zero_ids):
        column.extend(n + n_faces // 2)
    cells, rows = _cells_of(skeleton, block), _rows_of(block)
    _split(skeleton, block, (cells, rows), split, int(row), first)
    table = np.zeros(1 << (2 * n_faces).bit_length(), np.int32), np.empty(n_faces, np.int64)
    n_chords, n_left = join(cells, rows, first[0], n, first[1] + n, table)
    skeleton.n_inconsistent += n_left
    for column in (skeleton.edges, skeleton.edge_zero_ids):
        column.n = first[1] + n + n_chords
    if not block.is_done:
        schedule(skeleton, block, torch.cat([split, torch.arange(first[1], skeleton.edges.n)]), row)


def _split(
    skeleton: GrowingSkeleton,
    block: BlockCut,
    arrays: tuple[Cells, Rows],
    split: Tensor,
    row: int,
    first: tuple[int, int],
) -> None:
    """Write what is made of edges (n,); what is in doubt is decided exactly."""
    doubts = _doubts_of(block, split.shape[0])
    n_far, n_close = kernels.split(*arrays, doubts, split.numpy(), row, first)
    if n_far:
        far = torch.from_numpy(doubts.placed[:n_far])
        shares = _place(skeleton, block, far, split[far], first)
        kernels.place(*arrays, split.numpy(), shares.numpy(), far.numpy(), first)
        more = _doubts_of(block, n_far)
        n_more = kernels.sign(*arrays, more, split.numpy(), far.numpy(), first)
        doubts.signed[n_close : n_close + n_more] = more.signed[:n_more]
        n_close += n_more
    if n_close:
        close = torch.from_numpy(doubts.signed[:n_close])
        _settle(skeleton, block, close + first[0], block.n_done)
        kernels.sign(*arrays, _no_doubts(n_close), split.numpy(), close.numpy(), first)


def _place(
    skeleton: GrowingSkeleton, block: BlockCut, far: Tensor, split: Tensor, first: tuple[int, int]
) -> Tensor:
    """Return the shares (m,) at which vertices (m,) made by a split lie on their edges (m,)."""
    assert block.decisions is not None
    ends = torch.stack([skeleton.edges.rows[split, 0], skeleton.edges.rows[far + first[1], 1]]).long()
    zero_ids = skeleton.zero_ids.rows[far + first[0]]
    one, other = skeleton.words.rows[ends]
    words = (one & other) | ((one ^ other) & block.rows.before[zero_ids[:, -1].long()])
    column = (zero_ids[:, -1:].long() - block.first_row).expand(2, -1, -1)
    value, far_value = block.carried.rows[ends].gather(2, column)
    gaps = value - far_value
    shares = value / gaps
    codes, between = CellCodes(words, zero_ids), skeleton.vertices.rows[ends]
    block.decisions.place(shares, gaps, value, codes, between, block.largest)
    return shares[:, 0].contiguous()


def _settle(skeleton: GrowingSkeleton, block: BlockCut, vertices: Tensor, first: int) -> None:
    """Decide the values at vertices (m,) from a neuron on."""
    assert block.decisions is not None
    values = block.carried.rows[vertices]
    codes = CellCodes(skeleton.words.rows[vertices], skeleton.zero_ids.rows[vertices])
    points, to_come = skeleton.vertices.rows[vertices], values[:, first : block.n_neurons]
    block.decisions.settle(to_come, codes, points, block.first_row + first, block.largest)
    block.carried.rows[vertices] = values


def _cells_of(skeleton: GrowingSkeleton, block: BlockCut) -> Cells:
    vertices, zero_ids, words, edges, edge_zero_ids = (column.rows.numpy() for column in skeleton.columns())
    corners = NO_CORNERS if skeleton.corners is None else skeleton.corners.rows.numpy()
    return Cells(vertices, zero_ids, words, edges, edge_zero_ids, corners, block.carried.rows.numpy())


def _rows_of(block: BlockCut) -> Rows:
    layout, keys = block.rows.layout, block.rows.keys
    before, multipliers, moves = (table.numpy() for table in (block.rows.before, *keys))
    return Rows(before, multipliers, moves, layout.n_walls, block.first_row, block.n_neurons)


def _doubts_of(block: BlockCut, n: int) -> Doubts:
    """What is in doubt for a block, with room for n."""
    decisions, dtype = block.decisions, block.carried.rows.dtype
    rate = rounding_error(dtype, 1)
    noise = min(rate * block.largest, 0.5) if decisions is None or decisions.snaps else NEVER
    band = NEVER if decisions is None else decisions.band * block.largest
    return Doubts(band, noise, rate, np.empty(n, np.int64), np.empty(n, np.int64))


def _no_doubts(n: int) -> Doubts:
    return Doubts(NEVER, NEVER, 0.0, np.empty(0, np.int64), np.empty(n, np.int64))
