"""Exact arithmetic on the rows of an arrangement: floating-point weights are rational numbers.

Rows are taken as linear forms of homogeneous coordinates (x, w). Since only signs are asked for, everything
may be scaled by positive numbers, and so all of it is done in integers: a layer's weights are integers over a
common power of two, and a vertex is the integer vector on which its D rows vanish, found by elimination.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import RowLayout
from creased.core.exact.elimination import Form, Point, eliminate, null_vector, reduce
from creased.core.exact.integer_program import (
    apply,
    as_integer,
    exact_block,
    in_integers,
    row_times,
    with_bias,
)
from creased.core.program.program import Program


class ExactRows:
    """Walls, neurons and outputs of one program, and what was found of vertices so far.

    Args:
        program: its weights are taken as they are; finite.
        walls: as affine functions (M, D + 1), the constant last; each up to a positive factor.
        layout: how rows are numbered.
    """

    def __init__(self, program: Program, walls: Sequence[Sequence[float]], layout: RowLayout) -> None:
        self.layout, self.dim = layout, program.in_dim
        self._walls = in_integers(walls)
        self._blocks = [exact_block(block) for block in program.blocks]
        self._head = in_integers(with_bias(program.head.weight, program.head.bias))
        self._points: dict[tuple[Any, ...], Point] = {}
        self._signs: dict[Point, tuple[int, ...]] = {}

    def vertex(self, zero_ids: Sequence[int], words: Sequence[int], towards: Sequence[float]) -> Point:
        """The point on D rows, in the cell that packed signs name; of two opposite directions the nearer.

        Args:
            zero_ids: the rows, ascending.
            words: packed signs; those of rows behind the last of the zeros do not matter.
            towards: about where it is.

        Raises:
            ArithmeticError: the rows are dependent.
        """
        pattern = _as_number(words) & ((1 << max(zero_ids)) - 1)
        key = (*zero_ids, pattern)
        if key not in self._points:
            self._points[key] = null_vector(self._forms(zero_ids, pattern))
        point = self._points[key]
        if point[-1] == 0 and not self.layout.at_infinity:
            raise ArithmeticError(f"the rows {list(zero_ids)} of a vertex are parallel")
        if point[-1] == 0 and sum(x * t for x, t in zip(point, towards, strict=False)) < 0:
            return tuple(-x for x in point)
        return point

    def signs(self, point: Point) -> tuple[int, ...]:
        """Signs (n_rows,) in {-1, 0, 1} of all rows at a point, by evaluating the network there."""
        if point not in self._signs:
            *x, w = map(as_integer, point)
            values = self._evaluate([[a] for a in x], [w], None)
            self._signs[point] = tuple((value[0] > 0) - (value[0] < 0) for value in values)
        return self._signs[point]

    def perturbed_signs(
        self, zero_ids: Sequence[int], words: Sequence[int], rows: Sequence[int], nudges: Sequence[int]
    ) -> tuple[int, ...]:
        """Signs, at the vertex on D rows, of others that vanish there, once all rows are perturbed.

        Row ``r`` is moved up by an infinitesimal, by one that is larger by far the later the row comes in
        ``nudges``, which holds every row that moves, or by a negative one where it is given as ``~r``.

        Args:
            zero_ids: the rows on which the vertex is.
            words: packed signs that name the cell, with those of the rows asked for among them.
            rows: which are asked for.
            nudges: rows, or their complements, in the order of their infinitesimals.
        """
        pattern, signs = _as_number(words), []
        own = [self._pull_back(zero, pattern) for zero in zero_ids]
        for row in rows:
            mine = reduce(self._pull_back(row, pattern), own, self.dim)[self.dim :]
            parts = (mine[row] if row >= 0 else -mine[~row] for row in reversed(nudges))
            first = next((part for part in parts if part != 0), 0)
            signs.append((first > 0) - (first < 0))
        return tuple(signs)

    def _pull_back(self, row: int, pattern: int) -> Form:
        """A positive multiple of how a row depends on x, then of how on what moves each of the rows."""
        blocks, zero = self._blocks, as_integer(0)
        starts = [self.layout.n_walls]
        for block in blocks:
            starts.append(starts[-1] + len(block.affine.rows))
        moves = [zero] * self.layout.n_rows
        moves[row] = zero + 1
        if row < starts[0]:
            linear, index, n_before = self._walls, row, 0
        else:
            n_before = next(k for k in reversed(range(len(starts))) if row >= starts[k])
            linear = blocks[n_before].affine if n_before < len(blocks) else self._head
            index = row - starts[n_before]
        covector, scale = dict(linear.rows[index]), linear.shift
        moves[row] <<= scale
        for k in reversed(range(n_before)):
            block = blocks[k]
            n_state = self.dim if k == 0 else blocks[k - 1].n_next
            hidden, through = block.split(covector)
            active = {j: c for j, c in hidden.items() if (pattern >> (starts[k] + j)) & 1}
            shift = block.affine.shift + block.mix_shift
            moves = [move << shift for move in moves]
            for j, c in active.items():
                moves[starts[k] + j] += c << block.affine.shift
            covector = row_times(active, block.affine)
            for j, c in through.items():
                covector[j] = covector.get(j, zero) + (c << block.affine.shift)
            covector = {j: c for j, c in covector.items() if j < n_state}
        return [covector.get(axis, zero) for axis in range(self.dim)] + moves

    def rank(self, rows: Sequence[int], words: Sequence[int]) -> int:
        """How many of some rows are independent as affine functions, in the cell that packed signs name."""
        forms = [form[:-1] for form in self._forms(rows, _as_number(words))]
        return eliminate(forms)[0]

    def _forms(self, rows: Sequence[int], pattern: int) -> list[Form]:
        n = self.dim + 1
        units = [[as_integer(int(i == j)) for j in range(n)] for i in range(n)]
        forms = self._evaluate(units[:-1], units[-1], pattern, last=max(rows, default=0))
        return [forms[row] for row in rows]

    def _evaluate(self, x: list[Form], w: Form, pattern: int | None, last: int | None = None) -> list[Form]:
        """All rows, or those up to the last asked for; with no pattern given the signs of values decide."""
        rows, state = apply(self._walls, x, w), x
        for block in self._blocks:
            z = apply(block.affine, state, w)
            if last is not None and last < len(rows) + len(z):
                return rows + z
            if pattern is None:
                hidden = [[max(value[0], 0)] for value in z]
            else:
                is_active = [(pattern >> (len(rows) + i)) & 1 for i in range(len(z))]
                hidden = [form if on else [0] * len(w) for form, on in zip(z, is_active, strict=True)]
            rows = rows + z
            state, w = block.advance(hidden, state, w)
        return rows + apply(self._head, state, w) if self.layout.n_outputs else rows


def _as_number(words: Sequence[int]) -> int:
    return sum((word & (2**64 - 1)) << (64 * i) for i, word in enumerate(words))


@dataclass
class Decisions:
    """Decides signs of one arrangement."""

    exact: ExactRows
    band: float  # values below this, relative to the largest, are in doubt
    n_decided: int = 0  # signs that were decided so far

    def settle(
        self, values: Tensor, codes: CellCodes, points: Tensor, first_row: int, largest: float
    ) -> None:
        """Give small values their true signs, in place; 0 where they are zero.

        Args:
            values: (n, N), affine on cells.
            codes: of the vertices that they belong to, with respect to the rows before.
            points: about where those are, (n, D), or (n, D + 1) in homogeneous coordinates.
            first_row: the row of the first value.
            largest: what the band is relative to.
        """
        bound = self.band * largest
        vertex, column = (values.abs() <= bound).nonzero(as_tuple=True)
        if not vertex.numel():
            return
        chosen, place = torch.unique(vertex, return_inverse=True)
        signs = torch.tensor([self._signs(codes, points, int(v)) for v in chosen.tolist()])
        mine = signs.to(values.device)[place, first_row + column].to(values.dtype)
        kind = torch.finfo(values.dtype)
        least = max(kind.eps * bound, kind.tiny)  # where a value that rounding made zero is not
        values[vertex, column] = mine * values[vertex, column].abs().clamp(min=least)
        self.n_decided += vertex.numel()

    def _signs(self, codes: CellCodes, points: Tensor, vertex: int) -> tuple[int, ...]:
        zero_ids, words = codes.zero_ids[vertex].tolist(), codes.words[vertex].tolist()
        return self.exact.signs(self.exact.vertex(zero_ids, words, points[vertex].tolist()))
