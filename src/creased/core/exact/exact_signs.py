"""Exact signs of the rows of an arrangement at its vertices; float weights are rational numbers.

Rows are linear forms of homogeneous coordinates (x, w). Since only signs are asked for, everything may be
scaled by positive numbers, so all of it is done in integers (`creased.core.exact.integer_program`): a vertex
is the integer vector on which its D rows vanish, found by elimination.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import RowLayout
from creased.core.exact.elimination import Vector, null_vector, rref
from creased.core.exact.integer_program import IntegerAffine, IntegerProgram, State
from creased.core.exact.modular_rows import ModularRows
from creased.core.program.program import Program

FEWEST = 4  # vertices from which on residues take less time than integers, vertex by vertex


class ExactVertices(Protocol):
    """Vertices and the signs of rows at them, in exact arithmetic."""

    def vertex(self, zero_ids: Sequence[int], words: Sequence[int], towards: Sequence[float]) -> Vector:
        """Solve for the point (x, w) on D rows in a cell, near a given one."""

    def signs(self, point: Vector, words: Sequence[int]) -> tuple[int, ...]:
        """Evaluate the signs (n_rows,) in {-1, 0, 1} of all rows at a point (x, w) of a cell."""

    def signs_at(self, codes: CellCodes, points: Tensor, vertex: Tensor, row: Tensor) -> SignsAt:
        """Find the signs of rows (k,) at vertices (k,), ascending, of those with these codes and points."""


class SignsAt(NamedTuple):
    """Signs of some rows at some vertices."""

    signs: Tensor  # (k,) int8 in {-1, 0, 1}
    exists: Tensor  # (n,) bool: False where the rows of a vertex are dependent or parallel


class ExactRows:
    """Walls, neurons and outputs of one program in integers, with a cache of vertices and their signs.

    Args:
        program: with finite weights, taken as they are.
        walls: as affine functions (M, D + 1), the constant last; each up to a positive factor.
        layout: how rows are numbered.
    """

    def __init__(self, program: Program, walls: Sequence[Sequence[float]], layout: RowLayout) -> None:
        self.layout, self.dim = layout, program.in_dim
        self._walls = IntegerAffine.of_rows(walls, program.in_dim)
        self._program = IntegerProgram.of(program.inner)
        self._points: dict[tuple[int, ...], Vector] = {}
        self._signs: dict[Vector, tuple[int, ...]] = {}

    @cached_property
    def modular(self) -> ModularRows:
        """The rows modulo primes, for many vertices at once."""
        return ModularRows(self._program, self._walls, self.layout)

    def is_modular(self, n: int) -> bool:
        """True if signs at so many vertices are found together: not those of few, nor at infinity."""
        return n >= FEWEST and not self.layout.at_infinity and not self.layout.on_grid

    def signs_at(self, codes: CellCodes, points: Tensor, vertex: Tensor, row: Tensor) -> SignsAt:
        """Find the signs of rows (k,) at vertices (k,), ascending, of those with these codes and points."""
        if not self.is_modular(len(points)):
            return one_by_one(self, codes, points, vertex, row)
        looked = self.modular.look(codes, vertex, row, shares=False)
        sides = looked.sides()
        signs = sides[vertex.cpu()] * looked.moduli.signs(looked.values)
        return SignsAt(signs.to(vertex.device), (sides != 0).to(vertex.device))

    def zeros(self, codes: CellCodes, points: Tensor) -> Tensor:
        """True (n, n_rows) where rows vanish at vertices with right signs, near points (n, D)."""
        return self.modular.zeros(codes, points).to(points.device)

    def vertex(self, zero_ids: Sequence[int], words: Sequence[int], towards: Sequence[float]) -> Vector:
        """Solve for the point (x, w) on D rows in a cell; of two opposite directions return the nearer.

        Args:
            zero_ids: the rows, ascending.
            words: packed signs of the cell; those of rows behind the last of the zeros do not matter.
            towards: its approximate position.

        Raises:
            ArithmeticError: the rows are dependent.
        """
        pattern = self._before(max(zero_ids), as_number(words))
        key = (*zero_ids, pattern)
        if key not in self._points:
            self._points[key] = null_vector(self._forms(zero_ids, pattern))
        point = self._points[key]
        if point[-1] == 0 and not self.layout.at_infinity:
            raise ArithmeticError(f"the rows {list(zero_ids)} of a vertex are parallel")
        if point[-1] == 0 and sum(x * t for x, t in zip(point, towards, strict=False)) < 0:
            return tuple(-x for x in point)
        return point

    def _before(self, row: int, pattern: int) -> int:
        """The part of a pattern that rows before this one have."""
        return pattern & ((1 << row) - 1)

    def signs(self, point: Vector, words: Sequence[int] = ()) -> tuple[int, ...]:
        """Evaluate the signs (n_rows,) in {-1, 0, 1} of all rows at a point (x, w); of any cell here."""
        if point not in self._signs:
            values = self._evaluate([(x,) for x in point])
            self._signs[point] = tuple((value > 0) - (value < 0) for (value,) in values)
        return self._signs[point]

    def perturbed_signs(
        self, zero_ids: Sequence[int], words: Sequence[int], rows: Sequence[int], nudges: Sequence[int]
    ) -> tuple[int, ...]:
        """Decide the signs of rows that vanish at a vertex on D others, by simulation of simplicity.

        Row ``r`` is moved up by an infinitesimal, by one that is larger by far the later the row comes in
        ``nudges``, which holds every row that moves, or by a negative one where it is given as ``~r``.

        Args:
            zero_ids: the rows on which the vertex is.
            words: packed signs of the cell, with those of the rows asked for among them.
            rows: which are asked for.
            nudges: rows, or their complements, in the order of their infinitesimals.
        """
        pattern, signs = as_number(words), []
        own = rref([self._pull_back(zero, pattern) for zero in zero_ids])
        for row in rows:
            moves = own.reduce(self._pull_back(row, pattern))[self.dim :]
            parts = (moves[row] if row >= 0 else -moves[~row] for row in reversed(nudges))
            first = next((part for part in parts if part != 0), 0)
            signs.append((first > 0) - (first < 0))
        return tuple(signs)

    def _pull_back(self, row: int, pattern: int) -> Vector:
        """A positive multiple of the derivatives of a row by x (D,), then by shifts of all rows (n_rows,)."""
        n_walls = self.layout.n_walls
        moves = [0] * self.layout.n_rows
        if row < n_walls:
            covector, (moves[row],) = self._walls.pull_back({row: 1}), (1 << self._walls.shift,)
        else:
            covector, of_neurons = self._program.pull_back(row - n_walls, pattern >> n_walls)
            moves[n_walls:] = of_neurons[: len(moves) - n_walls]
        return (*(covector.get(axis, 0) for axis in range(self.dim)), *moves)

    def _forms(self, rows: Sequence[int], pattern: int) -> list[Vector]:
        """Rows as linear forms of (x, w) in the cell of a pattern."""
        forms = self._evaluate(self._program.inputs(), pattern, last=max(rows, default=0))
        return [forms[row] for row in rows]

    def _evaluate(self, state: State, pattern: int | None = None, last: int | None = None) -> list[Vector]:
        """All rows, or those up to the last asked for; with no pattern given the signs of values decide."""
        rows = list(self._walls(state).rows)
        of_neurons = None if pattern is None else pattern >> self.layout.n_walls
        n_parts = len(self._program.blocks) + bool(self.layout.n_outputs)
        for part in islice(self._program.rows(state, of_neurons), n_parts):
            rows += part.rows
            if last is not None and last < len(rows):
                break
        return rows


def one_by_one(
    exact: ExactVertices, codes: CellCodes, points: Tensor, vertex: Tensor, row: Tensor
) -> SignsAt:
    """Find signs as `ExactVertices.signs_at` does, vertex by vertex."""
    found = []
    for zero_ids, words, point in zip(
        *(x.tolist() for x in (codes.zero_ids, codes.words, points)), strict=True
    ):
        try:
            found.append(exact.signs(exact.vertex(zero_ids, words, point), words))
        except ArithmeticError:
            found.append(())
    signs = [found[v][r] if found[v] else 0 for v, r in zip(vertex.tolist(), row.tolist(), strict=True)]
    exists = [bool(at) for at in found]
    return SignsAt(vertex.new_tensor(signs, dtype=torch.int8), vertex.new_tensor(exists, dtype=torch.bool))


def as_number(words: Sequence[int]) -> int:
    """Read packed words as one number without sign."""
    return sum((word & (2**64 - 1)) << (64 * i) for i, word in enumerate(words))
