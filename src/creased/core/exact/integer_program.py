"""Matrices of floating-point weights in integers over a common power of two, and their products.

Integers are those of python-flint where it is installed (``pip install 'creased[exact]'``), else Python's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import torch
from torch import Tensor

from creased.core.exact.elimination import Form
from creased.core.program.program import Block


@cache
def integer_type() -> Callable[[int], Any]:
    """How a Python integer becomes one to compute with."""
    try:
        kind: Callable[[int], Any] = import_module("flint").fmpz
    except ImportError:
        return int
    return kind


def as_integer(number: int) -> Any:
    """A Python integer as one to compute with."""
    return integer_type()(number)


class IntegerRows(NamedTuple):
    """A matrix of integers over a power of two, with what multiplies w as its last column."""

    rows: list[list[tuple[int, Any]]]  # entries that are not zero, by column
    shift: int  # log2 of the denominator


def in_integers(rows: Tensor | Sequence[Sequence[float]]) -> IntegerRows:
    """Floats (n, m + 1) as integers over a common power of two."""
    numbers = rows.tolist() if isinstance(rows, Tensor) else rows
    exact = [[Fraction(x) for x in row] for row in numbers]
    shift = max((x.denominator.bit_length() - 1 for row in exact for x in row), default=0)
    return IntegerRows(
        [[(j, as_integer(int(x * (1 << shift)))) for j, x in enumerate(row) if x] for row in exact], shift
    )


def with_bias(weight: Tensor, bias: Tensor) -> list[list[float]]:
    """A matrix (n, m) with its bias (n,) as one of m + 1 columns."""
    return [[*row, b] for row, b in zip(weight.tolist(), bias.tolist(), strict=True)]


def apply(linear: IntegerRows, state: list[Form], w: Form) -> list[Form]:
    """Values of a matrix on a state and w, times its denominator."""
    columns = [*state, w]
    if len(w) == 1:
        return [[sum((a * columns[j][0] for j, a in row), 0)] for row in linear.rows]
    zero = [0] * len(w)
    return [
        [sum(terms) for terms in zip(*([a * v for v in columns[j]] for j, a in row), strict=True)] or zero
        for row in linear.rows
    ]


def row_times(covector: dict[int, Any], linear: IntegerRows) -> dict[int, Any]:
    """A covector times a matrix, by column."""
    product: dict[int, Any] = {}
    for i, c in covector.items():
        for j, a in linear.rows[i]:
            product[j] = product[j] + c * a if j in product else c * a
    return product


class ExactBlock(NamedTuple):
    """A block's rows, and what makes the next state of them."""

    affine: IntegerRows
    mix: IntegerRows | None  # of (relu(z), state, w); None: relu(z) itself

    @property
    def mix_shift(self) -> int:
        """log2 of the denominator of the mix."""
        return self.mix.shift if self.mix else 0

    @property
    def n_next(self) -> int:
        """S', of the next state."""
        return len(self.mix.rows if self.mix else self.affine.rows)

    def split(self, covector: dict[int, Any]) -> tuple[dict[int, Any], dict[int, Any]]:
        """A covector on the next state as one on relu(z), and one on what is passed through, by column."""
        n_neurons = len(self.affine.rows)
        if self.mix is None:
            return {j: c for j, c in covector.items() if j < n_neurons}, {}
        n_next = len(self.mix.rows)
        pulled = row_times({j: c for j, c in covector.items() if j < n_next}, self.mix)
        hidden = {j: c for j, c in pulled.items() if j < n_neurons}
        return hidden, {j - n_neurons: c for j, c in pulled.items() if j >= n_neurons}

    def advance(self, hidden: list[Form], state: list[Form], w: Form) -> tuple[list[Form], Form]:
        """The next state and w, both scaled by the same power of two."""
        a = self.affine.shift
        scaled = [value << a for value in w]
        if self.mix is None:
            return hidden, scaled
        old = [[value << a for value in form] for form in state]
        return apply(self.mix, hidden + old, scaled), [value << self.mix.shift for value in scaled]


def exact_block(block: Block) -> ExactBlock:
    """A block's weights as they are, as integers."""
    affine = in_integers(with_bias(block.affine.weight, block.affine.bias))
    if block.is_plain:
        return ExactBlock(affine, None)
    mix, skip, shift = block.output_matrices()
    return ExactBlock(affine, in_integers(torch.cat([mix, skip, shift[:, None]], dim=1)))
