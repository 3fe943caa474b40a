"""The full-dimensional activation cells of a program, enumerated in integers.

Cells are cut by one neuron after the other (incremental enumeration, Rada and Cerny 2018, with generators in
place of linear programs), on a box or on all of space. Nothing is perturbed and nothing rounds: a crease that
only touches a cell does not cut it, coincident creases cut once, and a neuron that vanishes on a whole cell
has the sign 0 there.

The work is that of C = cells times neurons in Python integers, about 10,000 cells of small networks in some
seconds; larger ones are for the engine, see `creased.tropical.cells.counts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from operator import or_
from typing import NamedTuple, TypeVar

from creased.core.domains.domain import Domain as Convex
from creased.core.domains.domain import require_domain
from creased.core.exact.elimination import RationalMatrix, Vector, dot, integer_row, primitive
from creased.core.exact.integer_program import IntegerBlock
from creased.core.formatting import cut_list, format_affine, format_signs
from creased.core.grids.exact_grid import ExactGrid
from creased.core.numerics.memory import CellLimitError
from creased.core.numerics.surroundings import as_written
from creased.core.options import domain_of
from creased.core.program.program import Program
from creased.networks.as_program import of_networks
from creased.tropical.cells.exact_network import ExactNetwork, PartialCell
from creased.tropical.polyhedra.cones import Cone, cut, intersection, whole_space

MOST_CELLS = 100_000
MOST_DIMENSIONS = 14  # of a box: all of its corners are listed

Domain = Convex | Cone | None  # None: all of space, or the cube of a grid
Node = TypeVar("Node")


class Cell(NamedTuple):
    """A full-dimensional cell on which a program is affine."""

    signs: tuple[int, ...]  # of all neurons, in {-1, 0, +1}; 0: vanishes on all of the cell
    cone: Cone  # over the closed cell
    outputs: RationalMatrix  # (O, D + 1): the affine maps of the outputs, the constant last; in lowest terms

    def __repr__(self) -> str:
        maps = cut_list(format_affine(row[:-1], row[-1]) for row in self.outputs.fractions())
        return f"cell {format_signs(self.signs)} with f = {maps}"


@of_networks
@as_written
def cells(program: Program, domain: Domain = None, most: int = MOST_CELLS) -> Iterator[Cell]:
    """Enumerate the activation cells of a program, depth first.

    Args:
        program: with finite weights; on a grid its simplices are cells, too.
        domain: a box, or a cell's cone; None is all of space, or the cube of a grid.
        most: cells that are allowed.

    Raises:
        CellLimitError: there are more.
        ValueError: a weight is not finite, or the dimensions differ.
    """
    exact = ExactNetwork(program)
    starts = exact.starts(start_cone(program, domain))
    for found, part in enumerate(part for start in starts for part in _cells_from(exact, start)):
        if found >= most:
            raise CellLimitError(f"cells: more than {most:,} cells; raise `most`, or take a smaller domain")
        yield Cell(part.signs, part.cone, exact.head(part.state).reduced())


def _cells_from(exact: ExactNetwork, start: PartialCell) -> Iterator[PartialCell]:
    n_blocks, first_rows = len(exact.blocks), exact.first_rows(start)

    def cut_further(part: PartialCell, index: int) -> Iterator[PartialCell]:
        if index < n_blocks:
            z = exact.blocks[index].affine(part.state).rows
            yield from cut_by_block(exact.blocks[index], part, z, first_rows[index])

    return (part for part, depth in depth_first(start, cut_further) if depth == n_blocks)


def depth_first(root: Node, children: Callable[[Node, int], Iterator[Node]]) -> Iterator[tuple[Node, int]]:
    """Yield the nodes of a tree with their depths; children are made when they are asked for."""
    levels = [iter([root])]
    while levels:
        depth = len(levels) - 1
        node = next(levels[-1], None)
        if node is None:
            levels.pop()
        else:
            yield node, depth
            levels.append(children(node, depth))


def start_cone(program: Program, domain: Domain) -> Cone:
    """Build the cone over a domain; a box's walls are its inequalities 1, 2, ....

    Raises:
        ValueError: the domain has another dimension than the program's input.
    """
    dim = program.in_dim
    if not isinstance(domain, Cone):
        domain = domain_within(program, domain)
    given = domain.dim - 1 if isinstance(domain, Cone) else dim if domain is None else domain.dim
    if given != dim:
        raise ValueError(f"cells: the program takes {dim} inputs, but the domain has {given} dimensions")
    if isinstance(domain, Cone):
        return domain
    if domain is None:
        return whole_space(dim)
    return over_box(domain, None if program.grid is None else ExactGrid(program.grid).walls_of(domain))


def domain_within(program: Program, domain: Convex | None) -> Convex | None:
    """Return a domain, which is the cube of a grid where none is given, and no larger than it.

    Raises:
        TypeError: it is no domain.
        ValueError: it is larger.
    """
    require_domain("cells", domain)
    return domain if program.grid is None else domain_of("cells", program, domain)


def over_box(box: Convex, walls: Sequence[Vector] | None = None) -> Cone:
    """Build the cone over a box, or over another bounded domain.

    Args:
        box: the domain.
        walls: the domain's, as a grid has them without rounding; by default those that it gives itself.

    Raises:
        CellLimitError: the domain has too many dimensions.
    """
    require_few_corners(box)
    rows = walls_of(box) if walls is None else walls
    cone = intersection(whole_space(box.dim), [(wall, i + 1) for i, wall in enumerate(rows)])
    assert cone is not None
    return cone


def require_few_corners(box: Convex) -> None:
    """Refuse boxes whose corners cannot be listed."""
    if box.dim > MOST_DIMENSIONS:
        raise CellLimitError(
            f"cells: a box of {box.dim} dimensions has 2^{box.dim} corners, and up to {MOST_DIMENSIONS} "
            "dimensions are supported: take a slice (creased.slice_program)"
        )


def walls_of(domain: Convex | None) -> list[Vector]:
    """Return the walls of a domain as integer rows (D + 1,), >= 0 inside; none for all of space."""
    return [] if domain is None else [integer_row(wall) for wall in domain.exact_walls()]


def is_bounded(domain: Domain) -> bool:
    """Tell whether a domain is bounded."""
    return domain is not None and not isinstance(domain, Cone) and domain.is_bounded


def contains(domain: Convex | None, point: Sequence[Fraction]) -> bool:
    """Tell whether a point (D,) lies in a domain."""
    (place,), scale = RationalMatrix.of([point])
    return all(dot(wall, (*place, scale)) >= 0 for wall in walls_of(domain))


def cut_by_rows(cone: Cone, rows: Sequence[Vector], first_row: int) -> Iterator[tuple[tuple[int, ...], Cone]]:
    """Cut a cone by homogeneous rows, and yield the parts with their signs, depth first.

    Row i becomes inequality ``first_row + i``.
    """
    stack: list[tuple[tuple[int, ...], Cone]] = [((), cone)]
    while stack:
        signs, piece = stack.pop()
        done = len(signs)
        if done == len(rows):
            yield signs, piece
        else:
            stack += [((*signs, sign), side) for sign, side in _sides(piece, rows[done], first_row + done)]


def cut_by_block(
    block: IntegerBlock, part: PartialCell, z: Sequence[Vector], first_row: int, known: Sequence[int] = ()
) -> Iterator[PartialCell]:
    """Cut a cell by the neurons of a block with preactivations z, but for those with a known sign not 0."""
    known, zero = known or (0,) * len(z), (0,) * part.cone.dim
    rows = [zero if sign else primitive(row) for row, sign in zip(z, known, strict=True)]
    for found, cone in cut_by_rows(part.cone, rows, first_row):
        signs = tuple(map(or_, known, found))  # one of the two is 0
        yield PartialCell(part.signs + signs, cone, block.advance(part.state, z, signs))


def _sides(cone: Cone, row: Vector, number: int) -> list[tuple[int, Cone]]:
    if not any(row):
        return [(0, cone)]
    below, above = cut(cone, row, number)
    return [(sign, side) for sign, side in ((-1, below), (1, above)) if side is not None]
