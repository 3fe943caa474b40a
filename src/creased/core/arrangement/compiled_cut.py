"""Cut edges by compiled kernels, with the results of `subdivide`: edge by edge, in one pass."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.kernels import cut as kernels
from creased.core.arrangement.kernels import records
from creased.core.arrangement.kernels.matching import join
from creased.core.arrangement.kernels.records import Cells, Doubts, Rows
from creased.core.arrangement.skeleton import BlockCut, GrowingSkeleton
from creased.core.numerics.tensors import Growable
from creased.core.numerics.tolerance import rounding_error

NO_CORNERS = np.empty((0, 0), np.int32)
NEVER = -1.0  # no size is below it


class Queues(NamedTuple):
    """The edges that each neuron cuts next, sorted batch by batch; see `buckets.Buckets`."""

    edges: Growable  # (M,) int32
    starts: NDArray[np.int64]  # (N + 1, N + 1): of each neuron's in the batch after so many have cut
    sizes: NDArray[np.int64]  # (N,)

    @staticmethod
    def of(n_neurons: int, n_edges: int) -> Queues:
        """Make room for a first batch of so many edges."""
        edges = Growable.with_room(n_edges, torch.empty(0, dtype=torch.int32))
        starts = np.zeros((n_neurons + 1, n_neurons + 1), np.int64)
        return Queues(edges, starts, np.zeros(n_neurons, np.int64))

    def n(self, turn: int) -> int:
        """Return how many edges a neuron cuts."""
        return int(self.sizes[turn])

    def arrays(self) -> records.Queues:
        """Return what kernels work on."""
        return records.Queues(self.edges.rows.numpy(), self.starts, self.sizes)

    def renumbered(self, numbers: Tensor) -> Queues:
        """Keep the edges that have new numbers (E,) int64, not -1."""
        kept = Queues.of(len(self.sizes), int(self.sizes.sum()) + 1)
        kept.edges.n = kernels.requeue(self.arrays(), numbers.numpy(), kept.arrays())
        return kept


def start(skeleton: GrowingSkeleton, block: BlockCut) -> None:
    """Write the signs of the values carried at the vertices, and queue edges; see `subdivide.start_block`."""
    n = skeleton.vertices.n
    cells, rows, doubts = _cells_of(skeleton, block), _rows_of(block), _doubts_of(block, n)
    n_close = kernels.pack(cells, rows, block.n_done, doubts, np.arange(n))
    if n_close:
        close = torch.from_numpy(doubts.signed[:n_close].copy())
        _settle(skeleton, block, close, 0)
        kernels.pack(cells, rows, block.n_done, _no_doubts(n_close), close.numpy())
    block.buckets = queues = Queues.of(block.n_neurons, 0)
    _queue(queues, (cells, rows), _splits_of(block, 0, skeleton.edges.n), block.n_done, 0)


def cut_edges(skeleton: GrowingSkeleton, block: BlockCut) -> None:
    """Split the edges in the last neuron's queue, join the new vertices, queue edges for later ones."""
    queues, first = block.buckets, (skeleton.vertices.n, skeleton.edges.n, block.n_done - 1)
    assert isinstance(queues, Queues)
    n = queues.n(first[2])
    made = [skeleton.vertices, skeleton.zero_ids, skeleton.words, block.carried]
    for growing in (*made, *([] if skeleton.corners is None else [skeleton.corners])):
        growing.extend(n)
    n_faces = 2 * n * skeleton.edge_zero_ids.rows.shape[1]
    for growing in (skeleton.edges, skeleton.edge_zero_ids):
        growing.extend(n + n_faces // 2)
    arrays = _cells_of(skeleton, block), _rows_of(block)
    splits = _splits_of(block, n, n_faces // 2)
    _split(skeleton, block, arrays, (splits, queues.arrays()), first)
    table = np.zeros(1 << n_faces.bit_length(), np.int32), np.empty(n_faces, np.int64)
    n_chords, n_left = join(*arrays, first[0], n, first[1] + n, table)
    skeleton.n_inconsistent += n_left
    for growing in (skeleton.edges, skeleton.edge_zero_ids):
        growing.n = first[1] + n + n_chords
    if not block.is_done:
        splits = splits._replace(rows=splits.rows[: 2 * n + n_chords])
        _queue(queues, arrays, splits, block.n_done, first[1])


def _queue(
    queues: Queues, arrays: tuple[Cells, Rows], splits: records.Splits, batch: int, first: int
) -> None:
    """Queue edges; see `kernels.cut.queue`."""
    queues.starts[batch, 0] = queues.edges.n
    queues.edges.extend(splits.rows.shape[0])
    kernels.queue(*arrays, queues.arrays(), splits, batch, first)
    queues.edges.n = int(queues.starts[batch, -1])


def _split(
    skeleton: GrowingSkeleton,
    block: BlockCut,
    arrays: tuple[Cells, Rows],
    edges: tuple[records.Splits, records.Queues],
    first: tuple[int, int, int],
) -> None:
    """Write what is made of the edges in a queue; what is in doubt is decided exactly."""
    splits, queues = edges
    doubts = _doubts_of(block, splits.edges.shape[0])
    n_far, n_close = kernels.split(*arrays, doubts, queues, splits, first)
    if n_far:
        far = torch.from_numpy(doubts.placed[:n_far])
        splits.shares[far.numpy()] = _place(skeleton, block, far, splits, first[0]).numpy()
        kernels.place(arrays[0], splits, far.numpy(), first)
        more = _doubts_of(block, n_far)
        n_more = kernels.sign(*arrays, more, splits, far.numpy(), first)
        doubts.signed[n_close : n_close + n_more] = more.signed[:n_more]
        n_close += n_more
    if n_close:
        close = torch.from_numpy(doubts.signed[:n_close])
        _settle(skeleton, block, close + first[0], block.n_done)
        kernels.sign(*arrays, _no_doubts(n_close), splits, close.numpy(), first)


def _place(
    skeleton: GrowingSkeleton, block: BlockCut, far: Tensor, splits: records.Splits, first: int
) -> Tensor:
    """Return the shares (m,) at which vertices (m,) made by a split lie on their edges (m,)."""
    assert block.decisions is not None
    ends = torch.from_numpy(splits.ends)[far].T.long()
    zero_ids = skeleton.zero_ids.rows[far + first]
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


def _splits_of(block: BlockCut, n: int, n_more: int) -> records.Splits:
    """Make room for n splits, and for the rows that cut other edges."""
    edges, rows, ends = np.empty(n, np.int32), np.empty(2 * n + n_more, np.int32), np.empty((n, 2), np.int32)
    return records.Splits(edges, rows, ends, np.empty(n, block.carried.rows.numpy().dtype))


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
