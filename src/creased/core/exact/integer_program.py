"""A program in integers: float weights are rational numbers, so its affine maps on cells are known exactly.

A state is given on a cell by linear forms of homogeneous coordinates, or at a point by its values; its last
row is what multiplies biases. All rows share one positive factor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from operator import mul
from typing import NamedTuple

import torch

from creased.core.exact.elimination import RationalMatrix, Vector, identity
from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program

State = Sequence[Vector]  # (S + 1, k): k = D + 1 for linear forms, 1 for values; the last row is that of 1
SparseRow = dict[int, int]  # entries by column; the others are zero


@dataclass(frozen=True)
class IntegerAffine:
    """The map x -> (weight x + bias) / 2^shift; of each row the nonzero entries are kept, the bias last."""

    columns: tuple[Vector, ...]  # (n,) of each row's entries
    entries: tuple[Vector, ...]  # (n,)
    width: int  # m, of the weight (n, m): the column of the bias
    shift: int

    @staticmethod
    def of(affine: Affine) -> IntegerAffine:
        """Convert an affine map with finite float weights."""
        matrix, bias = affine.matrix, affine.bias
        width = matrix.shape[1]
        if matrix.layout == torch.strided:
            return IntegerAffine.of_rows(torch.cat([matrix, bias[:, None]], dim=1).tolist(), width)
        columns, values = matrix.col_indices().tolist(), matrix.values().tolist()
        spans = list(pairwise(matrix.crow_indices().tolist()))
        exact = RationalMatrix.of(
            [*values[a:b], last] for (a, b), last in zip(spans, bias.tolist(), strict=True)
        )
        places = tuple((*columns[a:b], width) for a, b in spans)
        return IntegerAffine(places, exact.rows, width, exact.scale.bit_length() - 1)

    @staticmethod
    def of_rows(rows: Sequence[Sequence[float]], width: int) -> IntegerAffine:
        """Convert floats or integers (n, width + 1), the bias last."""
        exact = RationalMatrix.of(rows)
        columns = tuple(tuple(j for j, x in enumerate(row) if x) for row in exact.rows)
        entries = tuple(tuple(x for x in row if x) for row in exact.rows)
        return IntegerAffine(columns, entries, width, exact.scale.bit_length() - 1)

    def __call__(self, state: State) -> RationalMatrix:
        """Return the values (n, k), or linear forms; the scale is that of the last coordinate of forms."""
        parts = tuple(zip(*state, strict=True))
        rows = tuple(
            tuple(sum(map(mul, entries, map(part.__getitem__, columns))) for part in parts)
            for columns, entries in zip(self.columns, self.entries, strict=True)
        )
        return RationalMatrix(rows, state[-1][-1] << self.shift)

    def pull_back(self, covector: SparseRow) -> SparseRow:
        """Multiply a covector (n,) by the weight."""
        product: SparseRow = {}
        for i, c in covector.items():
            for j, a in zip(self.columns[i], self.entries[i], strict=True):
                product[j] = product.get(j, 0) + c * a
        product.pop(self.width, None)
        return product


class IntegerBlock(NamedTuple):
    """One layer of neurons."""

    affine: IntegerAffine
    output_map: IntegerAffine | None  # of relu(z) and, with a passthrough, the state; None: relu(z)
    n_state: int  # S of the state before; 0 without a passthrough

    @staticmethod
    def of(block: Block) -> IntegerBlock:
        """Convert a block with finite float weights."""
        last = None if block.is_plain else IntegerAffine.of(block.output_map())
        n_state = block.affine.matrix.shape[1] if block.has_passthrough else 0
        return IntegerBlock(IntegerAffine.of(block.affine), last, n_state)

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return len(self.affine.columns)

    @property
    def mix_shift(self) -> int:
        """Log2 of the denominator of the output map."""
        return 0 if self.output_map is None else self.output_map.shift

    def advance(self, state: State, z: Sequence[Vector], signs: Sequence[int]) -> State:
        """Return the next state where the preactivations z (N, k) have these signs."""
        zero, shift = (0,) * len(state[-1]), self.affine.shift
        hidden = [row if sign > 0 else zero for row, sign in zip(z, signs, strict=True)]
        if self.output_map is None:
            return [*hidden, _shifted(state[-1], shift)]
        before = [_shifted(row, shift) for row in (*state[: self.n_state], state[-1])]
        return [*self.output_map([*hidden, *before]).rows, _shifted(before[-1], self.mix_shift)]

    def split(self, covector: SparseRow) -> tuple[SparseRow, SparseRow]:
        """Pull a covector on the next state back to one on relu(z) and one on the state."""
        n = self.n_neurons
        pulled = covector if self.output_map is None else self.output_map.pull_back(covector)
        hidden = {j: c for j, c in pulled.items() if j < n}
        return hidden, {j - n: c for j, c in pulled.items() if j >= n}


@dataclass(frozen=True)
class IntegerProgram:
    """A piecewise-affine map in integers, without any rounding of a network's weights."""

    blocks: tuple[IntegerBlock, ...]
    head: IntegerAffine
    in_dim: int

    @staticmethod
    def of(program: Program) -> IntegerProgram:
        """Convert the unfolded form of a program with float weights.

        Raises:
            ValueError: a weight is NaN or infinite.
        """
        program.require_no_grid("integer arithmetic")
        program.require_finite("IntegerProgram.of")
        program = program.detach().exact
        blocks = tuple(map(IntegerBlock.of, program.blocks))
        return IntegerProgram(blocks, IntegerAffine.of(program.head), program.in_dim)

    def inputs(self) -> State:
        """Return the coordinates themselves as linear forms (D + 1, D + 1)."""
        return identity(self.in_dim + 1)

    def rows(self, state: State, pattern: int | None = None) -> Iterator[RationalMatrix]:
        """Yield the preactivations of each block, then the outputs.

        Args:
            state: of the input.
            pattern: bit i is set where neuron i is active; read off the values of a point if None.
        """
        for block in self.blocks:
            z = block.affine(state)
            yield z
            if pattern is None:
                signs = [value for (value,) in z.rows]
            else:
                signs = [pattern >> i & 1 for i in range(block.n_neurons)]
                pattern >>= block.n_neurons
            state = block.advance(state, z.rows, signs)
        yield self.head(state)

    def pull_back(self, row: int, pattern: int) -> tuple[SparseRow, list[int]]:
        """A positive multiple of a row's derivatives by the first state, and by shifts of all rows.

        Args:
            row: a neuron, or an output behind all neurons.
            pattern: bit i is set where neuron i is active.
        """
        starts = list(accumulate((block.n_neurons for block in self.blocks), initial=0))
        n_before = next(k for k in reversed(range(len(starts))) if row >= starts[k])
        linear = self.blocks[n_before].affine if n_before < len(self.blocks) else self.head
        moves = [0] * (starts[-1] + len(self.head.columns))
        moves[row] = 1 << linear.shift
        covector = linear.pull_back({row - starts[n_before]: 1})
        for block, start in zip(reversed(self.blocks[:n_before]), reversed(starts[:n_before]), strict=True):
            hidden, through = block.split(covector)
            active = {j: c for j, c in hidden.items() if pattern >> (start + j) & 1}
            shift = block.affine.shift
            moves = [move << (shift + block.mix_shift) for move in moves]
            for j, c in active.items():
                moves[start + j] += c << shift
            covector = block.affine.pull_back(active)
            for j, c in through.items():
                covector[j] = covector.get(j, 0) + (c << shift)
        return covector, moves

    def rows_at(self, point: Sequence[Fraction]) -> list[Fraction]:
        """Return the exact preactivations of all neurons at a point (D,), then the outputs."""
        (place,), scale = RationalMatrix.of([point])
        return [x for z in self.rows([(x,) for x in (*place, scale)]) for (x,) in z.fractions()]


def _shifted(vector: Vector, shift: int) -> Vector:
    return tuple(x << shift for x in vector) if shift else vector
