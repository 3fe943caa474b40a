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

from creased.core.program.layers import Affine, Block
from creased.core.program.program import Program
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


def to_program(layers: Sequence[Layer], in_dim: int, dtype: torch.dtype) -> tuple[Program, float]:
    """Round layers to a program, the last one its head, and bound the error of its outputs.

    The bound is infinite where a rounded number multiplies a state that has no bounds.
    """
    rounded = [_round(layer, dtype) for layer in layers]
    blocks = [_block_of(*(part.tensor for part in parts)) for parts in rounded]
    program = Program(tuple(blocks[:-1]), blocks[-1].affine)
    error: Row = [Fraction(0)] * in_dim
    for layer, (weight, bias, *output_map) in zip(layers, rounded, strict=True):
        if layer.state_size is None and not all(part.is_exact for part in (weight, *output_map[:2])):
            return program, math.inf
        passed = _sum(weight.error(error, layer.state_size), bias.lost[0])
        if output_map:
            mix, skip, shift = output_map
            passed = _sum(mix.error(passed, layer.hidden_size), skip.error(error, layer.state_size))
            passed = _sum(passed, shift.lost[0])
        error = [_up(x) for x in passed]
    return program, float(max(error))


def _round(layer: Layer, dtype: torch.dtype) -> list[_Rounded]:
    """Round weight and bias, then mix, skip and shift of a block with a passthrough."""
    matrices = [layer.weight, [layer.bias]]
    if layer.output_map is not None:
        matrices += [layer.output_map.mix, layer.output_map.skip, [layer.output_map.shift]]
    return [_Rounded.of(matrix, dtype) for matrix in matrices]


def _block_of(weight: Tensor, bias: Tensor, *output_map: Tensor) -> Block:
    if not output_map:
        return Block(Affine(weight, bias[0]))
    mix, skip, shift = output_map
    return Block(Affine(weight, bias[0]), mix, skip, shift[0])


def _sum(first: Row, second: Row) -> Row:
    return [a + b for a, b in zip(first, second, strict=True)]


def _up(number: Fraction) -> Fraction:
    """Round up to a float."""
    return Fraction(math.nextafter(float(number), math.inf)) if number else number
