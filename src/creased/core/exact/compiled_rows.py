"""Evaluate rows at vertices modulo primes by compiled kernels, with the results of `modular_rows`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from creased.core.exact.kernels import modular as kernels
from creased.core.exact.kernels.modular import FlatRows, Found, Pairs, Room, Vertices
from creased.core.exact.modular_program import SplitProgram
from creased.core.exact.modular_rows import Cells

Batches = Sequence[tuple[int, ...]]


def lay_out(program: SplitProgram, primes: tuple[int, ...]) -> FlatRows:
    """Lay out rows modulo P primes."""
    matrices = program.matrices
    counts = [torch.bincount(m.index[0], minlength=m.shape[0]) for m in matrices]
    ends = torch.cat([torch.zeros(1, dtype=torch.int64), *counts]).cumsum(0)
    shifts, blocks, row = [], [], matrices[0].shape[0]
    for block in program.integers.blocks:
        scales = [[pow(2, n, prime) for prime in primes] for n in (block.affine.shift, block.mix_shift)]
        n_mixed = -1 if block.output_map is None else len(block.output_map.columns)
        shifts.append(scales)
        blocks.append([block.n_neurons, row, n_mixed, block.n_state])
        row += block.n_neurons + max(n_mixed, 0)
    shifts.append([[1] * len(primes)] * 2)
    blocks.append([matrices[-1].shape[0], row, -1, 0])
    return FlatRows(
        np.array(primes, np.float64),
        torch.cat([matrix.residues(primes) for matrix in matrices], dim=1).numpy(),
        torch.cat([matrix.index[1] for matrix in matrices]).numpy(),
        ends.numpy(),
        np.array(shifts, np.float64),
        np.array(blocks, np.int64),
        matrices[0].shape[0],
    )


class CompiledRows:
    """Walls, neurons and outputs of one program modulo primes."""

    def __init__(self, program: SplitProgram) -> None:
        self._program = program
        self._flat = dict[tuple[int, ...], FlatRows]()

    def look(
        self, cells: Cells, vertex: Tensor, row: Tensor, last: int, primes: Batches, n_shares: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return points (P, n, D + 1), values (P, k) and shares (P, k, D or 0), modulo primes.

        Args:
            cells: of the vertices.
            vertex: of each pair (k,), ascending.
            row: of each pair (k,).
            last: row up to which rows are wanted.
            primes: in batches.
            n_shares: D, or 0.
        """
        n_primes, (n, dim) = sum(map(len, primes)), cells.zero_ids.shape
        points, values = np.empty((n_primes, n, dim + 1)), np.empty((n_primes, len(row)))
        shares = np.zeros((n_primes, len(row), n_shares))
        pairs = Pairs(torch.searchsorted(vertex, torch.arange(n + 1)).numpy(), row.numpy())
        vertices, begin = _vertices(cells, last), 0
        for batch in primes:
            some = slice(begin, begin := begin + len(batch))
            rows, found = self._laid_out(batch), Found(points[some], values[some], shares[some])
            kernels.look(rows, vertices, pairs, found, _room(rows, dim))
        return torch.from_numpy(points), torch.from_numpy(values), torch.from_numpy(shares)

    def zeros(self, cells: Cells, n_rows: int, primes: Batches) -> Tensor:
        """True (n, n_rows) where rows vanish modulo all primes, which come in batches."""
        vertices, vanishes = _vertices(cells, n_rows - 1), np.ones((len(cells.zero_ids), n_rows), np.int8)
        for batch in primes:
            rows = self._laid_out(batch)
            kernels.zeros(rows, vertices, vanishes, _room(rows, cells.zero_ids.shape[1]))
        return torch.from_numpy(vanishes).bool()

    def _laid_out(self, primes: tuple[int, ...]) -> FlatRows:
        if primes in self._flat:
            return self._flat[primes]
        found = lay_out(self._program, primes)
        if self._program.is_kept:
            self._flat[primes] = found
        return found


def _vertices(cells: Cells, last: int) -> Vertices:
    starts = torch.searchsorted(cells.cell, torch.arange(len(cells.words) + 1))
    order, zeros = cells.order.numpy(), cells.zero_ids.numpy()
    return Vertices(cells.words.numpy(), starts.numpy(), order, zeros, last)


def _room(rows: FlatRows, dim: int) -> Room:
    n_neurons, _, n_mixed, n_passing = rows.blocks.T
    behind = n_neurons + n_passing + 1
    after = np.where(n_mixed >= 0, n_mixed + 1, behind)
    sizes = np.concatenate([[0, dim + 1], np.stack([behind, after], axis=1).ravel()])
    places, n_primes = sizes.cumsum(), len(rows.primes)
    return Room(
        np.empty((n_primes, rows.n_walls + int(n_neurons.sum()), dim + 1)),
        np.empty((n_primes, int(places[-1]), dim + 1)),
        places,
        np.empty(1 << (dim + 1)),
        np.empty((dim + 1, dim + 1)),
        np.empty(dim, np.int64),
    )
