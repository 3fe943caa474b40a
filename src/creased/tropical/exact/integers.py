"""Programs in integers: float weights are rational numbers, so every cell's affine maps are known exactly.

Affine functions are vectors of homogeneous coordinates, the constant last, over one common positive
denominator. Nothing here rounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from operator import mul
from typing import NamedTuple

from torch import Tensor

from creased.core.program.program import Affine, Program

Vector = tuple[int, ...]  # D + 1 integers: an affine function, or a point or direction; the constant last


class Maps(NamedTuple):
    """Affine functions vectors / scale of the input."""

    vectors: tuple[Vector, ...]
    scale: int  # > 0

    def fractions(self) -> tuple[tuple[Fraction, ...], ...]:
        """The coefficients, the constant last."""
        return tuple(tuple(Fraction(x, self.scale) for x in vector) for vector in self.vectors)


class IntegerAffine(NamedTuple):
    """The map x -> (weight x + bias) / scale."""

    weight: tuple[Vector, ...]  # (out, in)
    bias: Vector  # (out,)
    scale: int  # > 0

    @staticmethod
    def of(affine: Affine) -> IntegerAffine:
        """An affine map with float weights."""
        *weight, bias = fractions_of([*affine.weight, affine.bias])
        scale = lcm(*(x.denominator for row in [*weight, bias] for x in row))
        return IntegerAffine(tuple(_scaled(row, scale) for row in weight), _scaled(bias, scale), scale)

    def __call__(self, maps: Maps) -> Maps:
        """The affine functions of these affine functions."""
        return reduced([self._row(i, maps) for i in range(len(self.bias))], self.scale * maps.scale)

    def _row(self, i: int, maps: Maps) -> list[int]:
        row = combine(self.weight[i], maps.vectors)
        if not row:
            raise ValueError("IntegerAffine: needs at least one function to act on, got none")
        row[-1] += self.bias[i] * maps.scale
        return row


@dataclass(frozen=True)
class IntegerBlock:
    """One layer of neurons."""

    affine: IntegerAffine
    output_map: IntegerAffine | None  # of relu(z) and, where there is a passthrough, the state; None: relu(z)
    has_skip: bool

    @property
    def n_neurons(self) -> int:
        """Neurons of the block."""
        return len(self.affine.bias)

    def advance(self, state: Maps, z: Maps, signs: Sequence[int]) -> Maps:
        """The next state on a cell where the preactivations z have these signs."""
        zero = (0,) * len(state.vectors[0])
        hidden = Maps(tuple(v if s > 0 else zero for v, s in zip(z.vectors, signs, strict=True)), z.scale)
        if self.output_map is None:
            return hidden
        return self.output_map(beside(hidden, state) if self.has_skip else hidden)


@dataclass(frozen=True)
class IntegerProgram:
    """A piecewise-affine map in integers."""

    blocks: tuple[IntegerBlock, ...]
    head: IntegerAffine
    in_dim: int

    @staticmethod
    def of(program: Program) -> IntegerProgram:
        """A program with float weights.

        Raises:
            ValueError: a weight is NaN or infinite.
        """
        program.require_finite("IntegerProgram.of")
        program = program.detach()
        blocks = []
        for block in program.blocks:
            last = None if block.is_plain else IntegerAffine.of(block.output_map())
            blocks.append(IntegerBlock(IntegerAffine.of(block.affine), last, block.has_passthrough))
        return IntegerProgram(tuple(blocks), IntegerAffine.of(program.head), program.in_dim)

    def rows_at(self, point: Sequence[Fraction]) -> list[Fraction]:
        """The exact preactivations of all neurons at a point (D,), then the outputs."""
        scale = lcm(*(x.denominator for x in point))
        state = Maps(tuple((int(x * scale),) for x in point), scale)  # constants
        rows: list[Fraction] = []
        for block in self.blocks:
            z = block.affine(state)
            rows += [value for (value,) in z.fractions()]
            state = block.advance(state, z, [value for (value,) in z.vectors])
        return rows + [value for (value,) in self.head(state).fractions()]

    def inputs(self) -> Maps:
        """The coordinates themselves."""
        dim = self.in_dim
        return Maps(tuple(tuple(int(i == axis) for i in range(dim + 1)) for axis in range(dim)), 1)


def fractions_of(rows: Iterable[Tensor]) -> list[list[Fraction]]:
    """Float vectors as exact fractions."""
    return [[Fraction(x) for x in row.tolist()] for row in rows]


def combine(weights: Sequence[int], vectors: Sequence[Vector]) -> list[int]:
    """The sum of weights times vectors."""
    return [sum(map(mul, weights, column)) for column in zip(*vectors, strict=True)]


def primitive(vector: Sequence[int]) -> Vector:
    """The vector divided by the greatest common divisor of its entries."""
    divisor = gcd(*vector)
    return tuple(vector) if divisor <= 1 else tuple(x // divisor for x in vector)


def reduced(vectors: Sequence[Sequence[int]], scale: int) -> Maps:
    """Vectors / scale with all common factors cancelled."""
    divisor = scale
    for vector in vectors:
        divisor = gcd(divisor, *vector)
    if divisor == 1:
        return Maps(tuple(map(tuple, vectors)), scale)
    return Maps(tuple(tuple(x // divisor for x in vector) for vector in vectors), scale // divisor)


def beside(first: Maps, second: Maps) -> Maps:
    """Both lists of functions over one denominator."""
    scale = lcm(first.scale, second.scale)
    vectors = [
        tuple(x * (scale // maps.scale) for x in vector)
        for maps in (first, second)
        for vector in maps.vectors
    ]
    return Maps(tuple(vectors), scale)


def _scaled(row: Sequence[Fraction], scale: int) -> Vector:
    return tuple(int(x * scale) for x in row)
