"""From layers in fractions to a program in floats, and how much the rounding can change its outputs.

If a layer's weights are off by dW and db, its values are off by |dW| |s| + |db|, s being its true input, and
what its input is off by is passed on by |W|; a ReLU makes no difference larger. Bounds are rounded up. What
evaluating a program in floats loses is another matter, the same for any program.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.program.program import Affine, Block, Program
from creased.tropical.exact.rational_matrices import Row, inner

Matrix = list[Row]


class Closing(NamedTuple):
    """What a block with a passthrough makes of relu(z) and the state, in fractions."""

    mix: Matrix  # (S', N)
    skip: Matrix  # (S', S)
    shift: Row  # (S',)


class Layer(NamedTuple):
    """A block, or the head, in fractions."""

    weight: Matrix  # (N, S)
    bias: Row  # (N,)
    closing: Closing | None  # None: a plain layer
    state_size: Row | None  # bounds on |s|, (S,); None: there are none
    hidden_size: Row | None = None  # bounds on relu(z), (N,)


class _Rounded(NamedTuple):
    """A matrix in floats, and by how much each entry is off."""

    tensor: Tensor
    absolute: Matrix
    lost: Matrix

    @staticmethod
    def of(matrix: Matrix, dtype: torch.dtype) -> _Rounded:
        tensor = torch.tensor([[float(x) for x in row] for row in matrix], dtype=torch.float64).to(dtype)
        back = [[Fraction(x) for x in row] for row in tensor.tolist()]
        lost = [[abs(x - y) for x, y in zip(*rows, strict=True)] for rows in zip(matrix, back, strict=True)]
        return _Rounded(tensor, [[abs(x) for x in row] for row in back], lost)

    def error(self, before: Row, size: Row | None) -> Row:
        """How far (n,) the product with a vector is off, which is off by ``before`` and bounded by size."""
        passed = [inner(row, before) for row in self.absolute]
        return passed if size is None else _sum(passed, [inner(row, size) for row in self.lost])

    @property
    def is_exact(self) -> bool:
        return not any(any(row) for row in self.lost)


class _RoundedLayer(NamedTuple):
    weight: _Rounded
    bias: _Rounded
    closing: tuple[_Rounded, _Rounded, _Rounded] | None

    @staticmethod
    def of(layer: Layer, dtype: torch.dtype) -> _RoundedLayer:
        closing = None
        if layer.closing is not None:
            mix, skip, shift = layer.closing
            closing = (_Rounded.of(mix, dtype), _Rounded.of(skip, dtype), _Rounded.of([shift], dtype))
        return _RoundedLayer(_Rounded.of(layer.weight, dtype), _Rounded.of([layer.bias], dtype), closing)

    def block(self) -> Block:
        affine = Affine(self.weight.tensor, self.bias.tensor[0])
        if self.closing is None:
            return Block(affine)
        mix, skip, shift = self.closing
        return Block(affine, mix.tensor, skip.tensor, shift.tensor[0])

    @property
    def acts_exactly(self) -> bool:
        """Whether what multiplies the state is not rounded."""
        return all(part.is_exact for part in (self.weight, *(self.closing or ())[:2]))

    def error(self, before: Row, layer: Layer) -> Row:
        """How far the next state is off."""
        hidden = _sum(self.weight.error(before, layer.state_size), self.bias.lost[0])
        if self.closing is None:
            return hidden
        mix, skip, shift = self.closing
        passed = _sum(mix.error(hidden, layer.hidden_size), skip.error(before, layer.state_size))
        return _sum(passed, shift.lost[0])


def to_program(layers: Sequence[Layer], in_dim: int, dtype: torch.dtype) -> tuple[Program, float]:
    """The program, the last layer its head, and a bound on how far its outputs are off.

    The bound is infinite where a rounded number multiplies a state that has no bounds.
    """
    rounded = [_RoundedLayer.of(layer, dtype) for layer in layers]
    blocks = [layer.block() for layer in rounded]
    program = Program(tuple(blocks[:-1]), blocks[-1].affine)
    error: Row = [Fraction(0)] * in_dim
    for layer, exact in zip(rounded, layers, strict=True):
        if exact.state_size is None and not layer.acts_exactly:
            return program, math.inf
        error = [_up(x) for x in layer.error(error, exact)]
    return program, float(max(error))


def _sum(first: Row, second: Row) -> Row:
    return [a + b for a, b in zip(first, second, strict=True)]


def _up(number: Fraction) -> Fraction:
    """A float that is no smaller."""
    return Fraction(math.nextafter(float(number), math.inf)) if number else number
