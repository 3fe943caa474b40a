"""The full-dimensional activation cells of a program, enumerated in integers.

Cells are cut by one neuron after the other (incremental enumeration, Rada and Cerny 2018, with generators in
place of linear programs), on a box or on all of space. Nothing is perturbed and nothing rounds: a crease that
only touches a cell does not cut it, coincident creases cut once, and a neuron that vanishes on a whole cell
has the sign 0 there.

The work is that of C = cells times neurons in Python integers, about 10,000 cells of small networks in some
seconds; for larger ones there is the engine, see `creased.tropical.cells.counts`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from operator import mul
from typing import NamedTuple

import torch

from creased.core.domains.box import Box
from creased.core.domains.domain import Domain as Convex
from creased.core.program.program import Program
from creased.tropical.exact.integers import (
    IntegerBlock,
    IntegerProgram,
    Maps,
    Vector,
    fractions_of,
    primitive,
)
from creased.tropical.polyhedra.cones import Cone, cut, dot, intersection, whole_space

MOST_CELLS = 100_000
MOST_DIMENSIONS = 14  # of a box: all of its corners are listed

Domain = Box | Cone | None  # None: all of space


class Cell(NamedTuple):
    """A full-dimensional cell on which a program is affine."""

    signs: tuple[int, ...]  # of all neurons, in {-1, 0, +1}; 0: vanishes on all of the cell
    cone: Cone  # over the closed cell
    outputs: Maps  # the outputs on it


class Part(NamedTuple):
    """A cell of the first blocks."""

    signs: tuple[int, ...]
    cone: Cone
    state: Maps  # of the next block


class CellBudgetError(ValueError):
    """More cells than were allowed, or a box with too many corners to begin with."""


def cells(program: Program, domain: Domain = None, most: int = MOST_CELLS) -> Iterator[Cell]:
    """The activation cells of a program, one after the other, depth first.

    Args:
        program: with finite weights.
        domain: a box, or a cell's cone; None is all of space.
        most: cells that are allowed.

    Raises:
        CellBudgetError: there are more.
        ValueError: a weight is not finite, or the dimensions differ.
    """
    exact = IntegerProgram.of(program)
    start = start_cone(program, domain)
    for found, part in enumerate(parts_behind(exact, start, len(exact.blocks))):
        if found >= most:
            raise CellBudgetError(f"cells: more than {most:,} cells; raise `most`, or take a smaller domain")
        yield Cell(part.signs, part.cone, exact.head(part.state))


def parts_behind(program: IntegerProgram, start: Cone, n_blocks: int) -> Iterator[Part]:
    """The cells of the first blocks of a program, depth first, each made when it is asked for."""
    first_rows = list(accumulate((b.n_neurons for b in program.blocks), initial=start.rows.bit_length()))
    levels = [iter([Part((), start, program.inputs())])]  # what is left to visit behind each block
    while levels:
        part = next(levels[-1], None)
        index = len(levels) - 1
        if part is None:
            levels.pop()
        elif index == n_blocks:
            yield part
        else:
            levels.append(_cut_by(program.blocks[index], part, first_rows[index]))


def start_cone(program: Program, domain: Domain) -> Cone:
    """The cone over a domain; a box's walls are inequalities 1, 2, ... of it.

    Raises:
        ValueError: the domain has another dimension than the program's input.
    """
    dim = program.in_dim
    given = domain.dim - 1 if isinstance(domain, Cone) else dim if domain is None else domain.dim
    if given != dim:
        raise ValueError(f"cells: the program takes {dim} inputs, but the domain has {given} dimensions")
    if isinstance(domain, Cone):
        return domain
    return whole_space(dim) if domain is None else over_box(domain)


def over_box(box: Convex) -> Cone:
    """The cone over a box, or over another bounded domain.

    Raises:
        CellBudgetError: it is of too many dimensions.
    """
    require_few_corners(box)
    cone = intersection(whole_space(box.dim), [(wall, i + 1) for i, wall in enumerate(walls_of(box))])
    assert cone is not None
    return cone


def require_few_corners(box: Convex) -> None:
    """Refuse boxes whose corners cannot be listed."""
    if box.dim > MOST_DIMENSIONS:
        raise CellBudgetError(
            f"cells: a box of {box.dim} dimensions has 2^{box.dim} corners, and up to {MOST_DIMENSIONS} "
            "dimensions are looked at: take a slice (creased.slice_program)"
        )


def walls_of(domain: Convex | None) -> list[Vector]:
    """The walls of a domain as integer rows (D + 1,), >= 0 inside, in its order; none of all of space."""
    if domain is None:
        return []
    walls = domain.halfspaces(torch.float64, torch.device("cpu")).T
    return [_integer_row(row) for row in fractions_of(walls)]


def is_bounded(domain: Domain) -> bool:
    """Whether a domain lies in a box."""
    if domain is None or isinstance(domain, Cone):
        return False
    return all(map(math.isfinite, (*domain.lower, *domain.upper)))


def in_words(box: Box) -> str:
    """A box as people write it: [-1, 1]^3, or [0, 1] x [-2, 2]."""
    sides = [f"[{a:g}, {b:g}]" for a, b in zip(box.lower, box.upper, strict=True)]
    return f"{sides[0]}^{box.dim}" if len(set(sides)) == 1 < box.dim else " x ".join(sides)


def contains(domain: Box | None, point: Sequence[Fraction]) -> bool:
    """Whether a point (D,) lies in a domain."""
    return all(sum(map(mul, wall, (*point, Fraction(1)))) >= 0 for wall in walls_of(domain))


def _integer_row(row: Sequence[Fraction]) -> Vector:
    scale = math.lcm(*(x.denominator for x in row))
    return primitive([int(x * scale) for x in row])


def cut_by_rows(cone: Cone, rows: Sequence[Vector], first_row: int) -> Iterator[tuple[tuple[int, ...], Cone]]:
    """The parts that homogeneous rows cut a cone into, each with its signs; row i is inequality first + i.

    They are made depth first, when they are asked for.
    """
    stack: list[tuple[tuple[int, ...], Cone]] = [((), cone)]
    while stack:
        signs, piece = stack.pop()
        done = len(signs)
        if done == len(rows):
            yield signs, piece
        else:
            stack += [((*signs, sign), side) for sign, side in _sides(piece, rows[done], first_row + done)]


def _cut_by(block: IntegerBlock, part: Part, first_row: int) -> Iterator[Part]:
    """A cell cut by the neurons of a block."""
    z = block.affine(part.state)
    for signs, cone in cut_by_rows(part.cone, [primitive(v) for v in z.vectors], first_row):
        yield Part(part.signs + signs, cone, block.advance(part.state, z, signs))


def _sides(cone: Cone, row: Vector, number: int) -> list[tuple[int, Cone]]:
    if not any(row):
        return [(0, cone)]
    below, above = cut(cone, row, number)
    return [(sign, side) for sign, side in ((-1, below), (1, above)) if side is not None]


def value_at(maps: Maps, output: int, generator: Vector) -> Fraction:
    """An affine function at a vertex; at a direction, its slope there."""
    t = generator[-1] or 1
    return Fraction(dot(maps.vectors[output], generator), maps.scale * t)
