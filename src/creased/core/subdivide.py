"""Edge subdivision: cut the skeleton of a complex by one block of neurons (Berzins, ICML 2023, section 4).

Inside one block every preactivation is affine on every cell. So the network is evaluated once, at the
vertices that the block starts with; a vertex made by a cut gets its values by interpolation along its edge,
and its signs with respect to neurons already done are inherited from the edge, never evaluated again:
rounding can move a vertex, but not tear the complex.

Edges wait in buckets by the lowest neuron that still cuts them, so that a neuron touches only the edges that
it splits. Two new vertices are joined where their edges bound one 2-face; the 2-faces of an edge are its code
with one zero moved to + or -. Work is proportional to the output.

What is not guaranteed: where a sign is in doubt by rounding when a block starts, a 2-face can be cut in other
than two edges. Such faces are counted (`n_torn`), not repaired.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.domain import Skeleton
from creased.core.growable import Growable
from creased.core.pairing import CellCodes, KeyTable, cell_keys, group_equal, key_table, pair_groups
from creased.core.signs import WORD, RowLayout, lowest_row, pack_rows, row_bits, rows_before

CHUNK = 1 << 22  # edges looked at in one go when a block starts: bounds the memory of the first scan


class Arrangement(NamedTuple):
    """What one extraction needs to know of its rows, on its device."""

    layout: RowLayout
    bits: Tensor  # (n_rows, W) int64: the bit of each row
    before: Tensor  # (n_rows + 1, W) int64: the bits of all earlier rows
    keys: KeyTable


class Cut(NamedTuple):
    """A skeleton after a block, with what was carried along its edges."""

    skeleton: Skeleton
    carried: Tensor  # (V, N + P): the block's preactivations and the columns passed along with them
    n_torn: int  # faces that rounding left with other than two cuts


@dataclass
class _Block:
    """The working state while one block cuts."""

    arrangement: Arrangement
    first_row: int
    n_neurons: int
    carried: Growable  # (V, N + P + D): preactivations, passengers, position
    zero_ids: Growable
    words: Growable
    edges: Growable
    edge_zero_ids: Growable
    buckets: list[list[Tensor]]
    n_torn: int = 0

    @property
    def word_range(self) -> slice:
        """The words that hold the block's rows."""
        return slice(self.first_row // WORD, (self.first_row + self.n_neurons - 1) // WORD + 1)


class _NewVertices(NamedTuple):
    """The vertices of one cut, each on its edge; indices are those before the cut."""

    split: Tensor  # (n,) int64: the edges
    ends: Tensor  # (n, 2) int32
    edge_zero_ids: Tensor  # (n, D - 1) int32
    first_words: Tensor  # (n, W): of the ends
    second_words: Tensor
    words: Tensor  # (n, W): of the new vertices


def arrange(layout: RowLayout, device: torch.device) -> Arrangement:
    """Tables of a row layout on a device."""
    n_rows, n_words = layout.n_rows, layout.n_words
    bits, before = row_bits(n_rows, n_words, device), rows_before(n_rows, n_words, device)
    return Arrangement(layout, bits, before, key_table(n_rows, n_words, device))


def subdivide(
    skeleton: Skeleton, preactivations: Tensor, passengers: Tensor | None, first_row: int, rows: Arrangement
) -> Cut:
    """Cut a skeleton by all neurons of a block.

    Args:
        skeleton: cut by all rows before ``first_row``. Its edges are consumed (cut in place).
        preactivations: values (V, N) of the block's neurons at the vertices.
        passengers: further values (V, P) affine on the cells, interpolated at new vertices; or None.
        first_row: number of the block's first neuron among the rows.
        rows: tables of the arrangement.
    """
    n_neurons = preactivations.shape[1]
    dim = skeleton.vertices.shape[1]
    columns = [preactivations, skeleton.vertices]
    if passengers is not None:
        columns.insert(1, passengers)
    words = skeleton.words | pack_rows(preactivations >= 0, first_row, rows.layout.n_words)
    block = _Block(
        arrangement=rows,
        first_row=first_row,
        n_neurons=n_neurons,
        carried=Growable(torch.cat(columns, dim=1)),
        zero_ids=Growable(skeleton.zero_ids),
        words=Growable(words),
        edges=Growable(skeleton.edges),
        edge_zero_ids=Growable(skeleton.edge_zero_ids),
        buckets=[[] for _ in range(n_neurons)],
    )
    _schedule_all(block)
    for neuron in range(n_neurons):
        _cut_by(block, neuron)
    carried = block.carried.rows
    done = Skeleton(
        vertices=carried[:, -dim:].clone(),
        zero_ids=block.zero_ids.rows,
        words=block.words.rows,
        edges=block.edges.rows,
        edge_zero_ids=block.edge_zero_ids.rows,
    )
    return Cut(done, carried[:, :-dim], block.n_torn)


def _schedule_all(block: _Block) -> None:
    """Put every edge that the block cuts in its first bucket."""
    words = block.words.rows[:, block.word_range]
    for start in range(0, block.edges.n, CHUNK):
        ends = block.edges.rows[start : start + CHUNK]
        crossed = words.index_select(0, ends[:, 0]) ^ words.index_select(0, ends[:, 1])
        crossed &= _rows_from(block, 0)
        _schedule(block, torch.arange(start, start + ends.shape[0], device=ends.device), crossed)


def _rows_from(block: _Block, neuron: int) -> Tensor:
    """Bits of the block's neurons from ``neuron`` on, in the block's words."""
    before = block.arrangement.before[:, block.word_range]
    return before[block.first_row + block.n_neurons] & ~before[block.first_row + neuron]


def _schedule(block: _Block, edges: Tensor, crossed: Tensor) -> None:
    """Put edges (n,) in the bucket of the lowest row in crossed (n, words of the block), if any."""
    is_cut = (crossed != 0).any(dim=1).nonzero()[:, 0]
    if is_cut.numel() == 0:
        return
    lowest = lowest_row(crossed[is_cut]) + WORD * block.word_range.start - block.first_row
    order = torch.argsort(lowest)
    counts = torch.bincount(lowest, minlength=block.n_neurons).tolist()
    for bucket, piece in zip(block.buckets, edges[is_cut[order]].split(counts), strict=True):
        if piece.numel():
            bucket.append(piece)


def _cut_by(block: _Block, neuron: int) -> None:
    """Cut by one neuron: split its edges, join the new vertices, reschedule what later neurons cut."""
    if not block.buckets[neuron]:
        return
    split = torch.cat(block.buckets[neuron])
    block.buckets[neuron].clear()
    first_vertex, first_edge = block.words.n, block.edges.n
    new = _split_edges(block, split, neuron)
    pairs, chord_zero_ids, n_torn = _join(new, block.first_row + neuron, block.arrangement)
    block.n_torn += n_torn
    fresh = torch.arange(first_vertex, block.words.n, dtype=torch.int32, device=split.device)
    block.edges.rows[split] = torch.stack([new.ends[:, 0], fresh], dim=1)
    block.edges.append(torch.stack([fresh, new.ends[:, 1]], dim=1))
    block.edges.append(fresh[pairs])
    block.edge_zero_ids.append(new.edge_zero_ids)
    block.edge_zero_ids.append(chord_zero_ids)
    if neuron + 1 < block.n_neurons:
        words = new.words[:, block.word_range]
        crossed = torch.cat(
            [
                words ^ new.first_words[:, block.word_range],
                words ^ new.second_words[:, block.word_range],
                words[pairs[:, 0]] ^ words[pairs[:, 1]],
            ]
        )
        added = torch.arange(first_edge, block.edges.n, device=split.device)
        _schedule(block, torch.cat([split, added]), crossed & _rows_from(block, neuron + 1))


def _split_edges(block: _Block, split: Tensor, neuron: int) -> _NewVertices:
    """Append the vertices where the neuron vanishes on the edges ``split``."""
    ends = block.edges.rows.index_select(0, split)
    edge_zero_ids = block.edge_zero_ids.rows.index_select(0, split)
    start, stop = (block.carried.rows.index_select(0, end) for end in ends.unbind(1))
    share = start[:, neuron] / (start[:, neuron] - stop[:, neuron])
    carried = torch.lerp(start, stop, share[:, None])
    carried[:, neuron] = 0
    first, second = (block.words.rows.index_select(0, end) for end in ends.unbind(1))
    row, rows = block.first_row + neuron, block.arrangement
    fresh = pack_rows(carried[:, : block.n_neurons] >= 0, block.first_row, rows.layout.n_words)
    # Where the ends agree the sign is theirs; where they differ it is that of the end which is not zero for
    # rows already done, and that of the interpolated value for rows to come.
    words = (first & second) | ((first ^ second) & (rows.before[row] | fresh) & ~rows.bits[row])
    block.carried.append(carried)
    block.words.append(words)
    block.zero_ids.append(torch.nn.functional.pad(edge_zero_ids, (0, 1), value=row))
    return _NewVertices(split, ends, edge_zero_ids, first, second, words)


def _join(new: _NewVertices, row: int, rows: Arrangement) -> tuple[Tensor, Tensor, int]:
    """Pairs (n, 2) of new vertices that share a 2-face, zero ids (n, D - 1) of their edges, torn faces."""
    n, n_slots = new.edge_zero_ids.shape
    device = new.words.device
    if n_slots == 0:
        return new.split.new_empty((0, 2)), new.edge_zero_ids.new_empty((0, 0)), 0
    codes = CellCodes((new.first_words | new.second_words) & rows.before[row], new.edge_zero_ids)
    moved = codes.zero_ids.long()
    interior = (moved >= rows.layout.n_walls).reshape(-1).nonzero()[:, 0]  # outside a wall there is no cell
    kept = torch.tensor([[s for s in range(n_slots) if s != slot] for slot in range(n_slots)], device=device)
    kept = kept.reshape(n_slots, n_slots - 1).long()
    n_plus = n * n_slots
    place = torch.cat([torch.arange(n_plus, device=device), interior])  # of an entry in the (n, n_slots) table

    def keys_of(table: KeyTable) -> Tensor:
        base = cell_keys(codes, table)[:, None]
        plus, minus = base + table.plus[moved], base + table.minus[moved]
        return torch.cat([plus.reshape(-1), minus.reshape(-1)[interior]])

    def codes_of(entries: Tensor) -> CellCodes:
        edge, slot = place[entries] // n_slots, place[entries] % n_slots
        words = codes.words[edge] | (rows.bits[moved[edge, slot]] * (entries < n_plus)[:, None])
        return CellCodes(words, codes.zero_ids[edge].gather(1, kept[slot]))

    pairs, n_torn = pair_groups(group_equal(keys_of, codes_of, rows.keys))
    chords = codes_of(pairs[:, 0]).zero_ids
    return place[pairs] // n_slots, torch.nn.functional.pad(chords, (0, 1), value=row), n_torn
