"""Exact decisions, while rows cut, of the signs that rounding leaves in doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Generic, TypeVar

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.exact.elimination import Vector
from creased.core.exact.exact_signs import ExactVertices

Exact = TypeVar("Exact", bound=ExactVertices, covariant=True)


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
        n_now = len(chosen) if self.most is None else min(self.most, len(chosen))
        self.n_undecided += len(chosen) - n_now
        if n_now == 0:
            return
        first = chosen[:n_now]
        vertex, column, place = vertex[place < n_now], column[place < n_now], place[place < n_now]
        mine, exists = self.exact.signs_at(codes.choose(first), points[first], place, first_row + column)
        self._count(~exists)
        vertex, column, mine = (x[exists[place]] for x in (vertex, column, mine))
        kind = torch.finfo(values.dtype)
        least = max(kind.eps * bound, kind.tiny)  # where a value that rounding made zero is not
        values[vertex, column] = mine.to(values.dtype) * values[vertex, column].abs().clamp(min=least)

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

    def _count(self, is_missing: Tensor) -> None:
        """Count vertices (n,) that were decided; raise where one does not exist that has to.

        Of a limited number some may not: a wrong sign outside of the band makes such.
        """
        n_missing = int(is_missing.sum())
        if self.most is not None:
            self.most -= len(is_missing)
            self.n_undecided += n_missing
        elif n_missing:
            raise ArithmeticError(f"the rows of {n_missing} vertices are dependent or parallel")

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
