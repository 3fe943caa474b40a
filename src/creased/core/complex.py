"""The polyhedral complex of a network on a domain: vertices, edges and their codes.

Cells of higher dimension are not stored. On a generic complex they can be read off: each vertex lies on D
rows, and moving k of its zeros to + or - names the k-cells around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import torch
from torch import Tensor

from creased.core.pairing import CellCodes, KeyTable, cell_keys, group_equal, key_table
from creased.core.records import map_tensors
from creased.core.signs import RowLayout, row_bits, sign_vectors


@dataclass(frozen=True)
class PolyhedralComplex:
    """The domain cut by every hidden neuron and, unless left out, by the zero set of each output."""

    vertices: Tensor  # (V, D) floating
    zero_ids: Tensor  # (V, D) int32: rows that vanish at the vertex, ascending
    words: Tensor  # (V, W) int64: packed signs, bit 0 at the zero ids
    edges: Tensor  # (E, 2) int32
    edge_zero_ids: Tensor  # (E, D - 1) int32
    layout: RowLayout  # how rows are numbered
    n_torn: int = 0  # 2-faces that rounding left with other than two cuts; 0 on generic networks

    @property
    def dim(self) -> int:
        """D."""
        return self.vertices.shape[1]

    def to(self, device: torch.device | str) -> PolyhedralComplex:
        """The same complex on another device."""
        return map_tensors(self, lambda t: t.to(device))

    def sign_vectors(self, which: slice = slice(None)) -> Tensor:
        """Unpacked signs (n, n_rows) int8 in {-1, 0, +1} of the vertices in a slice."""
        return sign_vectors(self.words[which], self.zero_ids[which], self.layout.n_rows)

    def f_vector(self) -> tuple[int, ...]:
        """Numbers of cells of dimension 0, 1, ..., D, each counted as a relatively open cell.

        Counted from the vertices alone, so that the entry for edges is a check on ``edges``. The memory is
        that of C(D, k) 2^k keys a vertex for the k-cells.
        """
        return tuple(count_cells(self, dim) for dim in range(self.dim + 1))

    def euler_characteristic(self) -> int:
        """Alternating sum of the f-vector: 1 for a closed box."""
        return sum((-1) ** k * count for k, count in enumerate(self.f_vector()))


def count_cells(complex_: PolyhedralComplex, cell_dim: int) -> int:
    """Number of cells of one dimension, by the distinct codes around the vertices."""
    if cell_dim == 0:
        return complex_.vertices.shape[0]
    layout, device = complex_.layout, complex_.words.device
    bits = row_bits(layout.n_rows, layout.n_words, device)
    subsets = list(combinations(range(complex_.dim), cell_dim))
    signs = list(product((1, 0), repeat=cell_dim))
    zeros = complex_.zero_ids.long()
    n_vertices = zeros.shape[0]
    kept = torch.tensor([[c for c in range(complex_.dim) if c not in s] for s in subsets], device=device)
    kept = kept.reshape(len(subsets), complex_.dim - cell_dim).long()
    moved = torch.tensor(subsets, device=device)
    is_plus = torch.tensor(signs, device=device, dtype=torch.int64)
    in_domain = torch.cat(
        [
            ((zeros[:, list(subset)] >= layout.n_walls) | is_plus[s].bool()).all(1)
            for subset in subsets
            for s in range(len(signs))
        ]
    ).nonzero()[:, 0]

    def keys_of(table: KeyTable) -> Tensor:
        base = cell_keys(CellCodes(complex_.words, complex_.zero_ids), table)
        changes = torch.stack([table.minus, table.plus])
        keys = [
            base + sum(changes[sign][zeros[:, column]] for sign, column in zip(pattern, subset, strict=True))
            for subset in subsets
            for pattern in signs
        ]
        return torch.cat(keys)[in_domain]

    def codes_of(entries: Tensor) -> CellCodes:
        entries = in_domain[entries]
        vertex, choice = entries % n_vertices, entries // n_vertices
        subset, pattern = choice // len(signs), choice % len(signs)
        rows = zeros[vertex].gather(1, moved[subset])
        raised = (bits[rows] * is_plus[pattern][:, :, None]).sum(1)
        return CellCodes(complex_.words[vertex] | raised, complex_.zero_ids[vertex].gather(1, kept[subset]))

    table = key_table(layout.n_rows, layout.n_words, device)
    return int(group_equal(keys_of, codes_of, table).starts.sum())
