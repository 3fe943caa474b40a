"""Exact signs of the rows of an arrangement at its vertices; float weights are rational numbers.

Rows are linear forms of homogeneous coordinates (x, w). Since only signs are asked for, everything may be
scaled by positive numbers, so all of it is done in integers (`creased.core.exact.integer_program`): a vertex
is the integer vector on which its D rows vanish, found by elimination.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import islice
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import RowLayout
from creased.core.exact.elimination import Vector, null_vector, rank, rref
from creased.core.exact.integer_program import IntegerAffine, IntegerProgram, State
from creased.core.program.program import Program


class ExactVertices(Protocol):
    """Vertices and the signs of rows at them, in exact arithmetic."""

    def vertex(self, zero_ids: Sequence[int], words: Sequence[int], towards: Sequence[float]) -> Vector:
        """Solve for the point (x, w) on D rows in a cell, near a given one."""

    def signs(self, point: Vector, words: Sequence[int]) -> tuple[int, ...]:
        """Evaluate the signs (n_rows,) in {-1, 0, 1} of all rows at a point (x, w) of a cell."""


Exact = TypeVar("Exact", bound=ExactVertices, covariant=True)


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

    def rank(self, rows: Sequence[int], words: Sequence[int]) -> int:
        """Return the rank of the gradients of rows in the cell that packed signs name."""
        return rank([form[:-1] for form in self._forms(rows, as_number(words))])

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


def as_number(words: Sequence[int]) -> int:
    """Read packed words as one number without sign."""
    return sum((word & (2**64 - 1)) << (64 * i) for i, word in enumerate(words))


@dataclass
class Decisions(Generic[Exact]):
    """Exact decisions of the signs of one arrangement that rounding leaves in doubt."""

    make: Callable[[], Exact]  # called with the first doubt
    band: float  # values below this, relative to the largest, are in doubt
    tells_places: bool = True  # exact vertices are points (x, w)
    most: int | None = None  # vertices that are decided; then signs are as computed. None: all
    n_undecided: int = 0  # vertices of which signs in doubt were left as computed

    @cached_property
    def exact(self) -> Exact:
        """The rows in exact arithmetic."""
        return self.make()

    @property
    def snaps(self) -> bool:
        """True if values within rounding are to be zero first: the band may be narrower, or most spent."""
        return self.most in (None, 0)

    def settle(
        self, values: Tensor, codes: CellCodes, points: Tensor, first_row: int, largest: float
    ) -> None:
        """Set small values to their exact signs, in place; 0 where they are zero.

        Args:
            values: (n, N), affine on cells.
            codes: of the vertices that they belong to, with respect to the rows before.
            points: their approximate positions, (n, D), or (n, D + 1) in homogeneous coordinates.
            first_row: the row of the first value.
            largest: what the band is relative to.
        """
        bound = self.band * largest
        vertex, column = (values.abs() <= bound).nonzero(as_tuple=True)
        if not vertex.numel():
            return
        chosen, place = torch.unique(vertex, return_inverse=True)
        found = {i: signs for i, v in enumerate(chosen.tolist()) if (signs := self._signs(codes, points, v))}
        if len(found) < len(chosen):
            is_known = torch.zeros_like(chosen, dtype=torch.bool)
            is_known[list(found)] = True
            kept = is_known[place]
            vertex, column, place = vertex[kept], column[kept], (is_known.cumsum(0) - 1)[place[kept]]
        if not found:
            return
        table = torch.tensor(list(found.values()), device=values.device)
        mine = table[place, first_row + column].to(values.dtype)
        kind = torch.finfo(values.dtype)
        least = max(kind.eps * bound, kind.tiny)  # where a value that rounding made zero is not
        values[vertex, column] = mine * values[vertex, column].abs().clamp(min=least)

    def place(
        self, shares: Tensor, gaps: Tensor, first: Tensor, codes: CellCodes, ends: Tensor, largest: float
    ) -> None:
        """Set shares of edges to those of exact vertices, in place, where values at both ends are in doubt.

        There they are of the size of rounding, and so is nothing that they tell of where the vertex is.

        Args:
            shares: (n, 1), of the second end.
            gaps: between the values at the ends, which have opposite signs, (n, 1).
            first: the values at the first ends, (n, 1).
            codes: of the vertices between them, with respect to the rows before.
            ends: their positions, (2, n, D); nothing is done in homogeneous coordinates.
            largest: what the band is relative to.
        """
        doubtful = (gaps.abs() <= self.band * largest).nonzero()[:, 0]
        for vertex in doubtful.tolist() if doubtful.numel() else ():  # an empty list would be waited for, too
            if float(first[vertex]) in (0.0, float(gaps[vertex])):
                continue  # an end lies on the row
            start, stop = ends[:, vertex]
            *point, w = self._vertex(codes, start, vertex) or (0,)
            if self.tells_places and len(point) == len(start):
                along, step = stop - start, start.new_tensor([float(Fraction(x, w)) for x in point]) - start
                square = along.square().sum().clamp(min=torch.finfo(along.dtype).tiny)
                shares[vertex] = (step @ along / square).clamp(0, 1)

    def _signs(self, codes: CellCodes, points: Tensor, vertex: int) -> tuple[int, ...]:
        point = self._vertex(codes, points[vertex], vertex)
        return self.exact.signs(point, codes.words[vertex].tolist()) if point else ()

    def _vertex(self, codes: CellCodes, towards: Tensor, vertex: int) -> Vector:
        """Solve for a vertex; () where no more are decided, or, of a limited number, where there is none."""
        if self.most == 0:
            self.n_undecided += 1
            return ()
        zero_ids, words = codes.zero_ids[vertex].tolist(), codes.words[vertex].tolist()
        if self.most is None:
            return self.exact.vertex(zero_ids, words, towards.tolist())
        self.most -= 1
        try:
            return self.exact.vertex(zero_ids, words, towards.tolist())
        except ArithmeticError:  # a wrong sign outside of the band made a vertex that does not exist
            self.n_undecided += 1
            return ()
