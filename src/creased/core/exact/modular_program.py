"""A program modulo primes: its rows as linear forms on cells.

In a cell rows are integer linear forms of homogeneous coordinates (x, w). Their coefficients, and so
determinants of D + 1 of them, are bounded beforehand by absolute values of weights, so that enough primes
tell these determinants (`creased.core.exact.residues`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from itertools import chain
from math import factorial, prod
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.signs import RowLayout
from creased.core.exact.integer_program import IntegerAffine, IntegerBlock, IntegerProgram
from creased.core.exact.residues import ModularMatrix, Moduli, SplitMatrix, centred

KEPT = 1 << 18  # entries of all matrices, modulo one prime, up to which their residues are kept


class _Layer(NamedTuple):
    """A block of neurons modulo primes."""

    affine: ModularMatrix  # (N, S + 1)
    shift: Tensor  # (P, 1, 1): 2^shift
    output_map: ModularMatrix | None
    mix_shift: Tensor  # (P, 1, 1)
    n_state: int

    def __call__(self, state: Tensor, active: Tensor, primes: Tensor) -> tuple[Tensor, Tensor]:
        """Return preactivations (P, N, k), and the state behind them, of a state (P, S + 1, k).

        Args:
            state: its last row is that of 1.
            active: 1 or 0, (N, k).
            primes: (P, 1, 1).
        """
        z = centred(self.affine @ state, primes)
        before = torch.cat([state[:, : self.n_state], state[:, -1:]], dim=1)
        before = centred(before * self.shift, primes)
        behind = torch.cat([z * active, before], dim=1)
        if self.output_map is None:
            return z, behind
        ones = centred(before[:, -1:] * self.mix_shift, primes)
        return z, torch.cat([centred(self.output_map @ behind, primes), ones], dim=1)


class ModularProgram(NamedTuple):
    """Walls, neurons and outputs modulo primes."""

    primes: Tensor  # (P, 1, 1) float64
    walls: ModularMatrix
    layers: list[_Layer]
    head: ModularMatrix
    dim: int
    layout: RowLayout

    def forms(self, words: Tensor, last: int) -> Tensor:
        """Return rows as linear forms (P, n_rows, m, D + 1), up to the last that is asked for.

        Args:
            words: packed signs (m, W) of the cells.
            last: row.
        """
        width, n_primes = self.dim + 1, len(self.primes)
        active = self.layout.masks(words, torch.float64).T.repeat_interleave(width, 1)
        state = torch.eye(width, dtype=torch.float64)[None, :, None]
        state = state.expand(n_primes, -1, len(words), -1).flatten(2)  # (P, S + 1, m (D + 1))
        rows = [self.walls @ state]
        n_rows, is_active = self.layout.n_walls, iter(active.split(self.layout.widths))
        for layer in self.layers:
            if n_rows > last:
                break
            z, state = layer(state, next(is_active), self.primes)
            rows.append(z)
            n_rows += z.shape[1]
        if n_rows <= last:
            rows.append(centred(self.head @ state, self.primes))
        return torch.cat(rows, dim=1).view(n_primes, -1, len(words), width)


class SplitProgram:
    """Walls, neurons and outputs of a program, cut into limbs.

    Args:
        program: in integers.
        walls: as affine functions, the first rows.
        layout: how rows are numbered.
    """

    def __init__(self, program: IntegerProgram, walls: IntegerAffine, layout: RowLayout) -> None:
        self.integers, self.layout, self._integer_walls = program, layout, walls
        self._walls, self._head = SplitMatrix.of(walls), SplitMatrix.of(program.head)
        self._affine = [SplitMatrix.of(block.affine) for block in program.blocks]
        maps = [block.output_map for block in program.blocks]
        self._output_maps = [None if last is None else SplitMatrix.of(last) for last in maps]
        self._kept = dict[tuple[int, ...], ModularProgram]()

    @cached_property
    def matrices(self) -> list[SplitMatrix]:
        """Those of the walls, of each block and its output map if it has one, and of the outputs."""
        parts = chain.from_iterable(zip(self._affine, self._output_maps, strict=True))
        return [self._walls, *(part for part in parts if part), self._head]

    @cached_property
    def n_entries(self) -> int:
        """Number of entries of all matrices, zeros included."""
        return sum(prod(matrix.shape) for matrix in self.matrices)

    @property
    def is_kept(self) -> bool:
        """True if residues of matrices are kept for other calls."""
        return self.n_entries <= KEPT

    @cached_property
    def widest(self) -> int:
        """The most rows and columns that a matrix has."""
        return max(sum(matrix.shape) for matrix in self.matrices)

    def moduli(self, last: int) -> Moduli:
        """Choose primes that tell determinants of the rows up to the last that is asked for."""
        width = self.integers.in_dim + 1
        largest = next(bound for n_rows, bound in self._bounds if n_rows > last)
        n_terms = max(matrix.shape[1] for matrix in self.matrices)
        return Moduli.of(factorial(width) * largest**width, n_terms)

    def batches(self, moduli: Moduli) -> list[tuple[int, ...]]:
        """Group primes, as many of them at once as the matrices leave room for."""
        n = max(KEPT // self.n_entries, 1)
        return [moduli.primes[i : i + n] for i in range(0, len(moduli.primes), n)]

    def modulo(self, primes: tuple[int, ...]) -> ModularProgram:
        """Reduce the program modulo each prime."""
        if primes in self._kept:
            return self._kept[primes]
        found = ModularProgram(
            torch.tensor(primes, dtype=torch.float64)[:, None, None],
            self._walls.modulo(primes),
            self._layers(primes),
            self._head.modulo(primes),
            self.integers.in_dim,
            self.layout,
        )
        if self.is_kept:
            self._kept[primes] = found
        return found

    def _layers(self, primes: tuple[int, ...]) -> list[_Layer]:
        layers = []
        for affine, last, block in zip(self._affine, self._output_maps, self.integers.blocks, strict=True):
            shift, mix_shift = (
                torch.tensor([pow(2, shift, prime) for prime in primes], dtype=torch.float64)[:, None, None]
                for shift in (block.affine.shift, block.mix_shift)
            )
            output_map = None if last is None else last.modulo(primes)
            layers.append(_Layer(affine.modulo(primes), shift, output_map, mix_shift, block.n_state))
        return layers

    @cached_property
    def _bounds(self) -> list[tuple[int, int]]:
        """Numbers of rows of first parts, and bounds on coefficients of these, in any cell."""
        ones = [(1,)] * (self.integers.in_dim + 1)
        blocks = [
            IntegerBlock(_absolute(affine), None if last is None else _absolute(last), n_state)
            for affine, last, n_state in self.integers.blocks
        ]
        absolute = IntegerProgram(tuple(blocks), _absolute(self.integers.head), self.integers.in_dim)
        found, n_rows, largest = list[tuple[int, int]](), 0, 1
        for part in (_absolute(self._integer_walls)(ones), *absolute.rows(ones, -1)):
            n_rows += len(part.rows)
            largest = max(largest, *(x for (x,) in part.rows), 0)
            found.append((n_rows, largest))
        return found


def _absolute(affine: IntegerAffine) -> IntegerAffine:
    return replace(affine, entries=tuple(tuple(map(abs, row)) for row in affine.entries))
