"""Edge subdivision: cut the skeleton of a complex by one block of neurons (Berzins, ICML 2023, section 4).

Inside one block every preactivation is affine on every cell. So the network is evaluated once, at the
vertices that the block starts with; a vertex made by a cut gets its values by interpolation along its edge,
and inherits from the edge its signs with respect to neurons that have cut. Rounding thus moves a vertex, but
does not change how cells are connected.

Edges are kept in buckets by the lowest neuron that still cuts them, so that a neuron visits only the edges
that it splits. Two new vertices are joined if their edges bound one 2-face; the code of a 2-face is that of
an edge with one zero moved to + or -. Work is proportional to the output.

Values within the rounding error are snapped to zero, which counts as +. Not guaranteed: where rounding
exceeds its estimate, as near vertices of almost parallel creases, a 2-face may be cut in other than two
edges. Such faces are counted (`n_inconsistent`), not repaired.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cofaces import Arrangement, Cofaces
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.orthants import edge_corners, inside_walls, live_faces
from creased.core.arrangement.signs import WORD, lowest_row, pack_rows
from creased.core.arrangement.skeleton import BlockCut, GrowingSkeleton, SignDecisions
from creased.core.numerics.memory import rows_at_once, selection_pays
from creased.core.numerics.tensors import Growable
from creased.core.numerics.tolerance import rounding_error, snap_interpolated

CHUNK = 1 << 13  # edges split at a time, so that gathered rows stay in the cache
SCAN = 1 << 15  # edges tested at a time when a block starts


class _NewVertices(NamedTuple):
    """The vertices of one cut, and the edges that they split, as they were before."""

    edge_zero_ids: Tensor  # (n, D - 1) int32: of the split edges
    ends: Tensor  # (n, 2) int32
    first_words: Tensor  # (n, W): of the ends
    second_words: Tensor
    words: Tensor  # (n, W): of the new vertices
    live_faces: Tensor  # (n, D - 1, 2) bool: True if moving a zero of the edge to -, + gives a live 2-face


def start_block(
    skeleton: GrowingSkeleton,
    carried: Growable,
    n_neurons: int,
    first_row: int,
    rows: Arrangement,
    n_done: int = 0,
    decisions: SignDecisions | None = None,
) -> BlockCut:
    """Prepare a skeleton, cut by all rows before ``first_row``, for the cuts of a block.

    Args:
        skeleton: to be cut.
        carried: values (V, N + P) at the vertices, affine on the cells: the preactivations of the block's
            neurons, then P others to be interpolated at new vertices. Grows with the vertices.
        n_neurons: N.
        first_row: number of the block's first neuron among the rows.
        rows: tables of the arrangement.
        n_done: number of the block's neurons that have cut the skeleton already.
        decisions: decides doubtful signs exactly; None: computed signs are used.
    """
    buckets: list[list[Tensor]] = [[] for _ in range(n_neurons)]
    least, largest = torch.aminmax(carried.rows) if carried.rows.numel() else carried.rows.new_zeros(2)
    cut = BlockCut(
        rows, first_row, n_neurons, carried, buckets, max(-float(least), float(largest)), n_done, decisions
    )
    if decisions is not None and n_neurons:
        codes = CellCodes(skeleton.words.rows, skeleton.zero_ids.rows)
        z = carried.rows[:, :n_neurons]
        decisions.settle(z, codes, skeleton.vertices.rows, first_row, cut.largest)
    skeleton.words.rows[:, cut.words] |= _pack_from(cut, carried.rows, n_done)
    _schedule_all(skeleton, cut)
    return cut


def cut_by_next(skeleton: GrowingSkeleton, cut: BlockCut) -> None:
    """Cut a skeleton, in place, by the block's next neuron; costs nothing if no edge changes sign."""
    neuron = cut.n_done
    cut.n_done += 1
    if cut.buckets[neuron]:
        split = torch.cat(cut.buckets[neuron])
        cut.buckets[neuron].clear()
        _cut_edges(skeleton, cut, split, neuron)


def _pack_from(block: BlockCut, carried: Tensor, neuron: int) -> Tensor:
    """Pack the signs of carried values (V, N + P), from a neuron on, in the words of the block's rows."""
    first_word = block.words.start
    n_words = block.words.stop - first_word
    signs = carried[:, neuron : block.n_neurons] >= 0
    return pack_rows(signs, block.first_row + neuron - WORD * first_word, n_words)


def _schedule_all(skeleton: GrowingSkeleton, block: BlockCut) -> None:
    """Put every edge that the block cuts in the bucket of its lowest neuron."""
    words = skeleton.words.rows[:, block.words].contiguous()
    to_come = _rows_from(block, block.n_done)
    at_once = rows_at_once(SCAN, words.device)
    for start in range(0, skeleton.edges.n, at_once):
        ends = skeleton.edges.rows[start : start + at_once]
        crossed = (words.index_select(0, ends[:, 0]) ^ words.index_select(0, ends[:, 1])) & to_come
        _schedule(block, torch.arange(start, start + ends.shape[0], device=ends.device), crossed)


def _rows_from(block: BlockCut, neuron: int) -> Tensor:
    """Return the bits of the block's neurons from ``neuron`` on, in the block's words."""
    before = block.rows.before[:, block.words]
    return before[block.first_row + block.n_neurons] ^ before[block.first_row + neuron]


def _schedule(block: BlockCut, edges: Tensor, crossed: Tensor) -> None:
    """Put edges (n,) in the bucket of the lowest row set in crossed (n, words of the block), if any."""
    is_cut = crossed[:, 0] if crossed.shape[1] == 1 else (crossed != 0).any(dim=1)
    first_row = block.first_row - WORD * block.words.start
    if selection_pays(edges.device):
        cut = is_cut.nonzero()[:, 0]
        if cut.numel() == 0:
            return
        edges, lowest = edges[cut], lowest_row(crossed[cut]) - first_row
    else:
        lowest = torch.where(is_cut != 0, lowest_row(crossed) - first_row, block.n_neurons)
    lowest, order = lowest.sort()
    ordered, start = edges[order], 0
    neurons = torch.arange(block.n_neurons, device=edges.device)
    for neuron, stop in enumerate(torch.searchsorted(lowest, neurons, right=True).tolist()):
        if stop > start:
            block.buckets[neuron].append(ordered[start:stop])
            start = stop


def _cut_edges(skeleton: GrowingSkeleton, block: BlockCut, split: Tensor, neuron: int) -> None:
    """Split edges (n,) by a neuron, join the new vertices, schedule edges for later neurons."""
    first_vertex, first_edge = skeleton.words.n, skeleton.edges.n
    new = _split_edges(skeleton, block, split, neuron)
    pairs, chord_zero_ids, n_inconsistent = _join(new, block.first_row + neuron, block.rows)
    skeleton.n_inconsistent += n_inconsistent
    fresh = torch.arange(first_vertex, skeleton.words.n, dtype=torch.int32, device=split.device)
    skeleton.edges.rows[:, 1].index_copy_(0, split, fresh)
    skeleton.edges.append(torch.stack([fresh, new.ends[:, 1]], dim=1))
    skeleton.edges.append(fresh[pairs])
    skeleton.edge_zero_ids.append(new.edge_zero_ids)
    skeleton.edge_zero_ids.append(chord_zero_ids)
    if neuron + 1 < block.n_neurons:
        words, first, second = (x[:, block.words] for x in (new.words, new.first_words, new.second_words))
        crossed = torch.cat([words ^ first, words ^ second, words[pairs[:, 0]] ^ words[pairs[:, 1]]])
        added = torch.arange(first_edge, skeleton.edges.n, device=split.device)
        _schedule(block, torch.cat([split, added]), crossed & _rows_from(block, neuron + 1))


def _split_edges(skeleton: GrowingSkeleton, block: BlockCut, split: Tensor, neuron: int) -> _NewVertices:
    """Append the vertices where the neuron vanishes on the edges ``split`` (n,)."""
    ends = skeleton.edges.rows.index_select(0, split)
    edge_zero_ids = skeleton.edge_zero_ids.rows.index_select(0, split)
    first, second = (skeleton.words.rows.index_select(0, end) for end in ends.unbind(1))
    # Where the ends agree the sign is theirs. Where they differ it is that of the end which is not zero, for
    # rows that have cut, and that of the interpolated value, for later rows.
    row, rows = block.first_row + neuron, block.rows
    differ = first ^ second
    words = (first & second) | (differ & rows.before[row])
    codes = CellCodes(words, torch.nn.functional.pad(edge_zero_ids, (0, 1), value=row))
    words[:, block.words] |= differ[:, block.words] & _interpolate(skeleton, block, ends, neuron, codes)
    faces = _live_faces(skeleton, ends, edge_zero_ids, second, rows)
    skeleton.words.append(words)
    skeleton.zero_ids.append(codes.zero_ids)
    return _NewVertices(edge_zero_ids, ends, first, second, words, faces)


def _live_faces(
    skeleton: GrowingSkeleton, ends: Tensor, edge_zero_ids: Tensor, second_words: Tensor, rows: Arrangement
) -> Tensor:
    """Mark the live 2-faces (n, D - 1, 2) of split edges; append the corners of the new vertices."""
    if skeleton.corners is None:
        return inside_walls(edge_zero_ids, rows.layout.n_walls)
    corners, zero_ids = (x.rows.index_select(0, ends[:, 0]) for x in (skeleton.corners, skeleton.zero_ids))
    around = edge_corners(corners, zero_ids, edge_zero_ids, second_words, rows.bits)
    skeleton.corners.append(torch.cat([around, around], dim=1))  # the same regions on both sides of the cut
    return live_faces(around, edge_zero_ids.shape[1] + 1)


def _interpolate(
    skeleton: GrowingSkeleton, block: BlockCut, ends: Tensor, neuron: int, codes: CellCodes
) -> Tensor:
    """Append positions and carried values of new vertices between ends (n, 2); return packed signs."""
    coarse = min(rounding_error(block.carried.rows.dtype, 1) * block.largest, 0.5)
    carried, values = block.carried.extend(ends.shape[0]), block.carried.rows
    vertices, points = skeleton.vertices.extend(ends.shape[0]), skeleton.vertices.rows
    packed = []
    at_once = rows_at_once(CHUNK, ends.device)
    for start in range(0, ends.shape[0], at_once):
        chunk = slice(start, start + at_once)
        first, second = (values.index_select(0, end) for end in ends[chunk].unbind(1))
        share = first[:, neuron] / (first[:, neuron] - second[:, neuron])
        made = torch.lerp(first, second, share[:, None], out=carried[chunk])
        made[:, neuron] = 0
        to_come = slice(neuron + 1, block.n_neurons)
        snap_interpolated(made[:, to_come], first[:, to_come], second[:, to_come], coarse)
        first, second = (points.index_select(0, end) for end in ends[chunk].unbind(1))
        torch.lerp(first, second, share[:, None], out=vertices[chunk])
        if block.decisions is not None and neuron + 1 < block.n_neurons:
            mine = CellCodes(codes.words[chunk], codes.zero_ids[chunk])
            row = block.first_row + neuron + 1
            block.decisions.settle(made[:, to_come], mine, vertices[chunk], row, block.largest)
        packed.append(_pack_from(block, made, neuron + 1))
    return torch.cat(packed)


def _join(new: _NewVertices, row: int, rows: Arrangement) -> tuple[Tensor, Tensor, int]:
    """Pair new vertices of one 2-face: pairs (n, 2), zero ids (n, D - 1) of their edges, number unpaired."""
    dim = new.edge_zero_ids.shape[1] + 1
    if dim == 1:
        return new.words.new_empty((0, 2)), new.edge_zero_ids[:0], 0
    words = (new.first_words | new.second_words) & rows.before[row]
    faces = Cofaces(CellCodes(words, new.edge_zero_ids), new.live_faces, rows)
    pairs = faces.pair()
    chords = torch.nn.functional.pad(pairs.codes.zero_ids, (0, 1), value=row)
    return faces.cells(pairs.entries), chords, pairs.n_left
