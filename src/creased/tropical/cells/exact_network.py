"""A network in integers, simplex by simplex where it is on a grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from creased.core.exact.elimination import RationalMatrix
from creased.core.exact.integer_program import IntegerBlock, IntegerProgram, State
from creased.core.grids.exact_grid import ExactGrid
from creased.core.program.program import Program
from creased.tropical.polyhedra.cones import Cone, intersection


class PartialCell(NamedTuple):
    """A cell of the first blocks."""

    signs: tuple[int, ...]
    cone: Cone
    state: State  # of the next block


class ExactNetwork:
    """The blocks of a program in integers, and where to start with them.

    Args:
        program: with finite weights.

    Raises:
        ValueError: a weight is not finite.
    """

    def __init__(self, program: Program) -> None:
        self._inner = IntegerProgram.of(program.inner)
        self._grid = None if program.grid is None else ExactGrid(program.grid)
        self.blocks: tuple[IntegerBlock, ...] = self._inner.blocks
        self.head = self._inner.head

    def starts(self, cone: Cone) -> Iterator[PartialCell]:
        """Yield the parts of a domain on which the first state is affine: those in simplices of a grid."""
        if self._grid is None:
            yield PartialCell((), cone, self._inner.inputs())
            return
        seen = set()  # a slice along faces of simplices has one part in several
        for simplex in self._grid.simplices_about([ray for ray in cone.rays if ray[-1]]):
            part = self.start(cone, simplex)
            if part is not None and (rays := frozenset(part.cone.rays)) not in seen:
                seen.add(rays)
                yield part

    def start(self, cone: Cone, simplex: int) -> PartialCell | None:
        """Return the part of a domain in a simplex of the grid; None if it has no volume."""
        if self._grid is None:
            return PartialCell((), cone, self._inner.inputs())
        walls = self._grid.barycentric(simplex)
        inside = intersection(cone, zip(walls, self._rows_from(cone, len(walls)), strict=True))
        return None if inside is None else PartialCell((), inside, self._grid.encoder(simplex))

    def _rows_from(self, cone: Cone, n: int) -> range:
        first = cone.rows.bit_length()
        return range(first, first + n)

    def first_rows(self, part: PartialCell) -> list[int]:
        """Number the first inequality of each block's neurons, for a start; then of what comes after."""
        widths = (block.n_neurons for block in self.blocks)
        return list(accumulate(widths, initial=part.cone.rows.bit_length()))

    def rows_at(self, point: Sequence[Fraction]) -> list[Fraction]:
        """Return the exact preactivations of all neurons at a point (D,), then the outputs."""
        if self._grid is None:
            return self._inner.rows_at(point)
        (place,), scale = RationalMatrix.of([point])
        encoder = self._grid.encoder(self._grid.simplex_at((*place, scale)))
        state = [(sum(a * x for a, x in zip(form, (*place, scale), strict=True)),) for form in encoder]
        return [x for z in self._inner.rows(state) for (x,) in z.fractions()]
