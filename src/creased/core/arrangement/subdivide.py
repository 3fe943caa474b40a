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

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.buckets import Batches, joined
from creased.core.arrangement.cofaces import Arrangement, Cofaces
from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.orthants import edge_corners, inside_walls, live_faces
from creased.core.arrangement.signs import WORD, lowest_row, pack_rows
from creased.core.arrangement.skeleton import BlockCut, GrowingSkeleton, SignDecisions
from creased.core.arrangement.turns import take_turns
from creased.core.native.available import is_native
from creased.core.numerics.memory import rows_at_once, selection_pays
from creased.core.numerics.tensors import Growable
from creased.core.numerics.tolerance import rounding_error, snap_interpolated

CHUNK = 1 << 13  # edges split at a time, so that gathered rows stay in the cache
SCAN = 1 << 15  # edges tested at a time when a block starts


class _NewVertices(NamedTuple):
    """The vertices of one cut, and the edges that they split, as they were before."""

    edge_zero_ids: Tensor  # (n, D - 1) int32: of the split edges
    ends: Tensor  # (2, n) int32
    end_words: Tensor  # (2, n, W)
    words: Tensor  # (n, W): of the new vertices
    before: Tensor  # (n or 1, W): bits of the rows that have cut
    zero_ids: Tensor  # (n, D) int32: of the new vertices; the last one is of the row that cuts
    live_faces: Tensor  # (n, D - 1, 2) bool: True if moving a zero of the edge to -, + gives a live 2-face
    n_faces: int  # that are live


def start_block(
    skeleton: GrowingSkeleton,
    carried: Growable,
    n_neurons: int,
    first_row: int,
    rows: Arrangement,
    n_done: int = 0,
    decisions: SignDecisions | None = None,
    n_corners: int = 0,
    largest: float | None = None,
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
        n_corners: of each simplex, where the skeleton is of simplices that share nothing, in order: their
            neurons take turns. 0: it is not.
        largest: the size that doubts are relative to; None: that of the largest value.
    """
    if largest is None:
        extremes = torch.stack(carried.rows.aminmax()).tolist() if carried.rows.numel() else [0.0]
        largest = max(map(abs, extremes))
    buckets = Batches.of(n_neurons)
    cut = BlockCut(rows, first_row, n_neurons, carried, buckets, largest, n_done, decisions)
    if n_neurons and is_native(carried.rows.device):
        from creased.core.arrangement import compiled_cut

        compiled_cut.start(skeleton, cut)
    elif n_neurons:
        _sign_all(skeleton, cut)
        if n_corners and decisions is None:
            words = skeleton.words.rows[:, cut.words]
            cut.turns = take_turns(words, n_corners, first_row, n_neurons)
        _schedule_all(skeleton, cut, buckets)
    return cut


def _sign_all(skeleton: GrowingSkeleton, block: BlockCut) -> None:
    """Write the signs of the values at the vertices; those in doubt are decided."""
    if block.decisions is not None:
        codes = CellCodes(skeleton.words.rows, skeleton.zero_ids.rows)
        z = block.carried.rows[:, : block.n_neurons]
        block.decisions.settle(z, codes, skeleton.vertices.rows, block.first_row, block.largest)
    words = skeleton.words.rows[:, block.words]
    words |= _pack_from(block, block.carried.rows, block.n_done)


def cut_by_next(skeleton: GrowingSkeleton, cut: BlockCut) -> None:
    """Cut a skeleton, in place, by the block's next neuron or turn; costs nothing if no edge changes sign."""
    turn = cut.n_done
    cut.n_done += 1
    if not cut.buckets.n(turn):
        return
    if not isinstance(cut.buckets, Batches):
        from creased.core.arrangement import compiled_cut

        compiled_cut.cut_edges(skeleton, cut)
        return
    row = cut.rows.numbers[cut.first_row + turn + 1, None]
    if cut.turns is not None:
        row = joined(cut.turns.rows[turn])
    _cut_edges(skeleton, cut, cut.buckets, turn, row)


def _pack_from(block: BlockCut, carried: Tensor, neuron: int) -> Tensor:
    """Pack the signs of carried values (V, N + P), from a neuron on, in the words of the block's rows."""
    first_word = block.words.start
    n_words = block.words.stop - first_word
    signs = carried[:, neuron : block.n_neurons] >= 0
    return pack_rows(signs, block.first_row + neuron - WORD * first_word, n_words)


def _schedule_all(skeleton: GrowingSkeleton, block: BlockCut, buckets: Batches) -> None:
    """Put every edge that the block cuts in the bucket of its lowest neuron."""
    words = skeleton.words.rows[:, block.words].contiguous()
    to_come = ~block.rows.before[block.first_row + block.n_done, block.words]
    at_once = rows_at_once(SCAN, words.device)
    for start in range(0, skeleton.edges.n, at_once):
        ends = skeleton.edges.rows[start : start + at_once]
        crossed = (words.index_select(0, ends[:, 0]) ^ words.index_select(0, ends[:, 1])) & to_come
        edges = torch.arange(start, start + ends.shape[0], device=ends.device)
        _schedule(block, buckets, edges, crossed)


def _schedule(block: BlockCut, buckets: Batches, edges: Tensor, crossed: Tensor) -> None:
    """Put edges (n,) in the bucket of the lowest row set in crossed (n, words of the block), if any."""
    if selection_pays(edges.device):
        is_cut = crossed[:, 0] if crossed.shape[1] == 1 else (crossed != 0).any(dim=1)
        cut = is_cut.nonzero()[:, 0]
        if cut.numel() == 0:
            return
        edges, crossed = edges[cut], crossed[cut]
    rows = lowest_row(crossed, block.words.start)
    when, order = (rows if block.turns is None else block.turns.of(edges, rows)).sort()
    edges, rows, first = edges[order], rows[order], WORD * block.words.start
    ends = block.rows.numbers[first : block.first_row + block.n_neurons + 1]
    stops = torch.searchsorted(when, ends, right=True).tolist()[block.first_row - first :]
    for turn, (start, stop) in enumerate(pairwise(stops)):
        if stop > start:
            buckets.batches[turn].append(edges[start:stop])
            if block.turns is not None:
                block.turns.rows[turn].append(rows[start:stop])


def _cut_edges(skeleton: GrowingSkeleton, block: BlockCut, buckets: Batches, turn: int, row: Tensor) -> None:
    """Split the edges (n,) of a turn by rows (n,) or (1,), join the new vertices, schedule for later rows."""
    split = buckets.take(turn)
    first_vertex, first_edge = skeleton.words.n, skeleton.edges.n
    new = _split_edges(skeleton, block, split, turn, row)
    pairs, chord_zero_ids, n_inconsistent = _join(new, block.rows)
    skeleton.n_inconsistent += n_inconsistent
    fresh = torch.arange(first_vertex, skeleton.words.n, dtype=torch.int32, device=split.device)
    skeleton.edges.rows[:, 1].index_copy_(0, split, fresh)
    skeleton.edges.append(torch.stack([fresh, new.ends[1]], dim=1), fresh[pairs])
    skeleton.edge_zero_ids.append(new.edge_zero_ids, chord_zero_ids)
    if turn + 1 < block.n_neurons:
        later = block.rows.after.index_select(0, row)[:, block.words]
        words, end_words = new.words[:, block.words], new.end_words[:, :, block.words]
        halves, of_chords = (words ^ end_words) & later, (words & later)[pairs]
        crossed = torch.cat([halves.flatten(0, 1), of_chords[:, 0] ^ of_chords[:, 1]])
        added = torch.arange(first_edge, skeleton.edges.n, device=split.device)
        if block.turns is not None:
            block.turns.inherit(split, pairs[:, 0])
        _schedule(block, buckets, torch.cat([split, added]), crossed)


def _split_edges(
    skeleton: GrowingSkeleton, block: BlockCut, split: Tensor, turn: int, row: Tensor
) -> _NewVertices:
    """Append the vertices where rows (n,) or (1,) vanish on the edges ``split`` (n,)."""
    ends = skeleton.edges.rows.index_select(0, split).T.contiguous()
    edge_zero_ids = skeleton.edge_zero_ids.rows.index_select(0, split)
    end_words = skeleton.words.rows.index_select(0, ends.flatten()).unflatten(0, (2, -1))
    first, second = end_words
    # Where the ends agree the sign is theirs. Where they differ it is that of the end which is not zero, for
    # rows that have cut, and that of the interpolated value, for later rows.
    before, after = (bits.index_select(0, row) for bits in (block.rows.before, block.rows.after))
    differ = first ^ second
    words = (first & second) | (differ & before)
    zero_ids = torch.cat([edge_zero_ids, row.expand(len(split))[:, None]], dim=1)
    faces = _live_faces(skeleton, ends, edge_zero_ids, second, block.rows)
    columns = (row.long() - block.first_row).expand(len(split))[:, None]
    splits = _Splits(ends, columns, CellCodes(words, zero_ids), turn)
    interpolated, n_faces = _interpolate(skeleton, block, splits, faces)
    words[:, block.words].bitwise_or_((differ & after)[:, block.words] & interpolated)
    skeleton.words.append(words)
    skeleton.zero_ids.append(zero_ids)
    return _NewVertices(edge_zero_ids, ends, end_words, words, before, zero_ids, faces, n_faces)


def _live_faces(
    skeleton: GrowingSkeleton, ends: Tensor, edge_zero_ids: Tensor, second_words: Tensor, rows: Arrangement
) -> Tensor:
    """Mark the live 2-faces (n, D - 1, 2) of split edges; append the corners of the new vertices."""
    if skeleton.corners is None:
        return inside_walls(edge_zero_ids, rows.layout.n_walls)
    corners, zero_ids = (x.rows.index_select(0, ends[0]) for x in (skeleton.corners, skeleton.zero_ids))
    around = edge_corners(corners, zero_ids, edge_zero_ids, second_words, rows.bits)
    skeleton.corners.append(torch.cat([around, around], dim=1))  # the same regions on both sides of the cut
    return live_faces(around, edge_zero_ids.shape[1] + 1)


class _Splits(NamedTuple):
    """Edges that are split."""

    ends: Tensor  # (2, n) int32
    columns: Tensor  # (n, 1) int64: of the neurons that split them
    codes: CellCodes  # of the new vertices, as far as rows have cut
    turn: int


def _interpolate(
    skeleton: GrowingSkeleton, block: BlockCut, splits: _Splits, faces: Tensor
) -> tuple[Tensor, int]:
    """Append positions and carried values of new vertices; return packed signs, and the number of live faces.

    The host waits for a device once: what is in doubt is seldom, and done again.
    """
    n, first = splits.ends.shape[1], (skeleton.vertices.n, block.carried.n)
    skeleton.vertices.extend(n)
    block.carried.extend(n)
    at_once = rows_at_once(CHUNK, faces.device)
    chunks = [slice(start, min(start + at_once, n)) for start in range(0, n, at_once)]
    done = [_fill(skeleton, block, splits, chunk, first) for chunk in chunks]
    packed = [signs for signs, _ in done]
    *in_doubt, n_faces = torch.stack([*(doubts for _, doubts in done), faces.sum()]).tolist()
    for i, chunk in enumerate(chunks):
        if in_doubt[i]:
            packed[i], _ = _fill(skeleton, block, splits, chunk, first, block.decisions)
    return joined(packed), n_faces


def _fill(
    skeleton: GrowingSkeleton,
    block: BlockCut,
    splits: _Splits,
    chunk: slice,
    first_new: tuple[int, int],
    decisions: SignDecisions | None = None,
) -> tuple[Tensor, Tensor]:
    """Write places and values of a chunk of new vertices; return packed signs, and if any is in doubt."""
    at, column, values = splits.ends[:, chunk].flatten(), splits.columns[chunk], block.carried.rows
    first, second = both = values.index_select(0, at).unflatten(0, (2, -1))
    a, b = both.gather(2, column.expand(2, -1, -1))
    gap = a - b
    share = a / gap
    starts, stops = between = skeleton.vertices.rows.index_select(0, at).unflatten(0, (2, -1))
    mine = CellCodes(splits.codes.words[chunk], splits.codes.zero_ids[chunk])
    if decisions is not None:
        decisions.place(share, gap, a, mine, between, block.largest)
    vertices, made = (
        rows[start + chunk.start : start + chunk.stop]
        for rows, start in zip((skeleton.vertices.rows, values), first_new, strict=True)
    )
    torch.lerp(first, second, share, out=made)
    torch.lerp(starts, stops, share, out=vertices)
    to_come = made[:, splits.turn + 1 : block.n_neurons]
    if block.decisions is None or block.decisions.snaps:
        one, other = both[..., splits.turn + 1 : block.n_neurons]
        snap_interpolated(to_come, one, other, min(rounding_error(made.dtype, 1) * block.largest, 0.5))
    made.scatter_(1, column, 0)
    if decisions is not None:
        decisions.settle(to_come, mine, vertices, block.first_row + splits.turn + 1, block.largest)
    in_doubt = torch.zeros((), dtype=torch.bool, device=made.device)
    if block.decisions is not None and decisions is None:
        bound = block.decisions.band * block.largest
        in_doubt = (gap.abs() <= bound).any() | (to_come.abs() <= bound).any()
    return _pack_from(block, made, splits.turn + 1), in_doubt


def _join(new: _NewVertices, rows: Arrangement) -> tuple[Tensor, Tensor, int]:
    """Pair new vertices of one 2-face: pairs (n, 2), zero ids (n, D - 1) of their edges, number unpaired."""
    dim = new.zero_ids.shape[1]
    if dim == 1:
        return new.words.new_empty((0, 2)), new.edge_zero_ids[:0], 0
    codes = CellCodes(new.words & new.before, new.edge_zero_ids)
    faces = Cofaces(codes, new.live_faces, rows, new.n_faces)
    found = faces.pair()
    pairs = faces.cells(found.entries)
    row = new.zero_ids[:, -1].index_select(0, pairs[:, 0])
    return pairs, torch.cat([found.codes.zero_ids, row[:, None]], dim=1), found.n_left
