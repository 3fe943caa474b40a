"""Rounding of layers in fractions to a program in floats, with a bound on the change of its outputs.

Errors dW and db of a layer's weights change its values by |dW| |s| + |db|, s being its exact input; an error
of its input is passed on by |W|, and a ReLU enlarges none. Bounds are rounded up. The rounding of a
program's evaluation in floats is not included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.program.program import Affine, Block, Program
from creased.tropical.algebra.epigraphs import inner
from creased.tropical.compression.rational_matrices import Row

Matrix = list[Row]


class OutputMap(NamedTuple):
    """The next state of a block with a passthrough, of relu(z) and the state, in fractions."""

    mix: Matrix  # (S', N)
    skip: Matrix  # (S', S)
    shift: Row  # (S',)


class Layer(NamedTuple):
    """A block, or the head, in fractions."""

    weight: Matrix  # (N, S)
    bias: Row  # (N,)
    output_map: OutputMap | None  # None: a plain layer
    state_size: Row | None  # bounds on |s|, (S,); None: there are none
    hidden_size: Row | None = None  # bounds on relu(z), (N,)


class _Rounded(NamedTuple):
    """A matrix in floats, and the error of each entry."""

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
        """Bound the error (n,) of the product with a vector of error ``before`` and of size ``size``."""
        passed = [inner(row, before) for row in self.absolute]
        return passed if size is None else _sum(passed, [inner(row, size) for row in self.lost])

    @property
    def is_exact(self) -> bool:
        return not any(any(row) for row in self.lost)


class _RoundedLayer(NamedTuple):
    weight: _Rounded
    bias: _Rounded
    output_map: tuple[_Rounded, _Rounded, _Rounded] | None

    @staticmethod
    def of(layer: Layer, dtype: torch.dtype) -> _RoundedLayer:
        output_map = None
        if layer.output_map is not None:
            mix, skip, shift = layer.output_map
            output_map = (_Rounded.of(mix, dtype), _Rounded.of(skip, dtype), _Rounded.of([shift], dtype))
        return _RoundedLayer(_Rounded.of(layer.weight, dtype), _Rounded.of([layer.bias], dtype), output_map)

    def block(self) -> Block:
        affine = Affine(self.weight.tensor, self.bias.tensor[0])
        if self.output_map is None:
            return Block(affine)
        mix, skip, shift = self.output_map
        return Block(affine, mix.tensor, skip.tensor, shift.tensor[0])

    @property
    def acts_exactly(self) -> bool:
        """True if what multiplies the state is not rounded."""
        return all(part.is_exact for part in (self.weight, *(self.output_map or ())[:2]))

    def error(self, before: Row, layer: Layer) -> Row:
        """Bound the error of the next state."""
        hidden = _sum(self.weight.error(before, layer.state_size), self.bias.lost[0])
        if self.output_map is None:
            return hidden
        mix, skip, shift = self.output_map
        passed = _sum(mix.error(hidden, layer.hidden_size), skip.error(before, layer.state_size))
        return _sum(passed, shift.lost[0])


def to_program(layers: Sequence[Layer], in_dim: int, dtype: torch.dtype) -> tuple[Program, float]:
    """Round layers to a program, the last one its head, and bound the error of its outputs.

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
    """Round up to a float."""
    return Fraction(math.nextafter(float(number), math.inf)) if number else number
