"""Exact distance to a level set in fractions, for small networks.

It is computed cell by cell. The 1 and infinity norms are linear between the hyperplanes where coordinates of
the difference are zero, or equal in size; a cell is cut by those too, and then the norm is least at a vertex.
In the 2-norm the nearest point is the projection onto the affine hull of some face; a projection that leaves
the face but still has the level is a candidate too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from operator import add, sub
from typing import NamedTuple

from creased.core.domains.domain import Domain as Convex
from creased.core.exact.elimination import Vector, dot, identity, integer_row, primitive, rref
from creased.core.formatting import Number, format_number, format_point
from creased.core.numerics.surroundings import as_written
from creased.core.numerics.tensors import Points
from creased.core.program.affine_slice import ProgramSlice
from creased.networks.as_program import Network, as_program
from creased.tropical.algebra.epigraphs import Point, inner
from creased.tropical.algebra.polynomials import listed
from creased.tropical.algebra.rational_maps import one_output
from creased.tropical.cells.cells import MOST_CELLS, Cell, cells, contains, cut_by_rows, domain_within
from creased.tropical.cells.exact_network import ExactNetwork
from creased.tropical.distance.nearest import NORMS
from creased.tropical.polyhedra.cones import Cone, cut
from creased.tropical.polyhedra.faces import closed_sets


class ExactDistance(NamedTuple):
    """The distance to a level set."""

    value: Fraction | float  # infinity: the level is not met; in the 2-norm, the square
    witness: Point | None  # (D,): a nearest point
    signs: tuple[int, ...] | None  # of the neurons there, 0 on a crease

    def __repr__(self) -> str:
        at = "" if self.witness is None else f", at {format_point(self.witness)}"
        return f"distance, or its square, {format_number(self.value)}{at}"


@as_written
def exact_distance(
    network: Network,
    domain: Convex | None,
    point: Points,
    norm: float,
    *,
    level: Number = 0,
    index: int | None = None,
    most: int = MOST_CELLS,
) -> ExactDistance:
    """Compute the distance of a point to {f = level}; in the 2-norm, its square.

    Args:
        network: f: a program, a module that `creased.lower` takes, or a slice with an orthonormal basis.
        domain: a box, or None for all of space, or the cube of a grid.
        point: (D,), in the domain.
        norm: 1, 2 or infinity.
        level: the value of the output.
        index: which output; may be left out if there is one only.
        most: cells that are allowed.

    Raises:
        ValueError: another norm or basis, or the point is not in the domain, or as `cells`.
    """
    if isinstance(network, ProgramSlice) and not network.is_orthonormal:
        raise ValueError("exact_distance: the slice's basis is not orthonormal: see distance_to_level")
    if norm not in NORMS:
        raise ValueError(f"exact_distance: norm must be one of {NORMS}, got {norm}")
    program = one_output(as_program(network, "exact_distance"), index, "exact_distance")
    domain = domain_within(program, domain)
    query = _Query(_exactly(point), norm, _exactly([level])[0], domain)
    _require_inside(query, program.in_dim)
    exact = ExactNetwork(program)
    value: Fraction | float = math.inf
    witness: Point | None = None
    for cell in cells(program, domain, most):
        found = _projections(cell, query) if norm == 2 else _vertices(cell, query)
        for candidate in found:
            size = _size(candidate, query.place, norm)
            if size < value and (norm != 2 or _has_level(exact, candidate, query)):
                value, witness = size, candidate
    if witness is None:
        return ExactDistance(value, None, None)
    rows = exact.rows_at(witness)[:-1]
    return ExactDistance(value, witness, tuple((row > 0) - (row < 0) for row in rows))


class _Query(NamedTuple):
    place: Point
    norm: float
    level: Fraction
    domain: Convex | None


def _has_level(program: ExactNetwork, candidate: Point, query: _Query) -> bool:
    return contains(query.domain, candidate) and program.rows_at(candidate)[-1] == query.level


def _vertices(cell: Cell, query: _Query) -> Iterator[Point]:
    """List the vertices of the level in a cell that is cut where the norm is not linear."""
    row = _level_row(cell, query.level)
    changes = _changes(query.place, query.norm)
    for _, piece in cut_by_rows(cell.cone, changes, cell.cone.rows.bit_length()):
        for ray in _level_side(piece, row).rays:
            if ray[-1] and dot(row, ray) == 0:
                yield tuple(Fraction(x, ray[-1]) for x in ray[:-1])


def _level_row(cell: Cell, level: Fraction) -> Vector:
    """Return the output less the level, as an integer row."""
    (vector,), scale = cell.outputs
    row = [x * level.denominator for x in vector]
    row[-1] -= level.numerator * scale
    return primitive(row)


def _level_side(cone: Cone, row: Vector) -> Cone:
    """Keep one side of a cone cut by a row, so that the row's zeros are among its faces."""
    if not any(row):
        return cone
    below, above = cut(cone, row, cone.rows.bit_length())
    side = above or below
    assert side is not None
    return side


def _projections(cell: Cell, query: _Query) -> Iterator[Point]:
    """Project a point onto the affine hulls of all faces of a cell on the level."""
    row = _level_row(cell, query.level)
    side = _level_side(cell.cone, row)
    on_level = sum(1 << i for i, ray in enumerate(side.rays) if dot(row, ray) == 0)
    for mask in closed_sets(side):
        rays = [ray for i, ray in enumerate(side.rays) if mask >> i & 1]
        vertices = [ray for ray in rays if ray[-1]]
        if mask & on_level == mask and vertices:
            yield _project(query.place, vertices, [*(r for r in rays if not r[-1]), *side.lines])


def _project(place: Point, vertices: list[Vector], directions: list[Vector]) -> Point:
    """Project orthogonally onto the affine hull of vertices and directions."""
    base = [Fraction(x, vertices[0][-1]) for x in vertices[0][:-1]]
    arms = [
        [x * vertices[0][-1] - y * vertex[-1] for x, y in zip(vertex[:-1], vertices[0][:-1], strict=True)]
        for vertex in vertices[1:]
    ]
    span = rref([*arms, *(d[:-1] for d in directions)]).matrix.rows
    rest = [x - b for x, b in zip(place, base, strict=True)]
    orthogonal: list[list[Fraction]] = []
    for arm in span:  # Gram-Schmidt, in fractions
        vector = [Fraction(x) for x in arm]
        for other in orthogonal:
            share = inner(vector, other) / inner(other, other)
            vector = [x - share * y for x, y in zip(vector, other, strict=True)]
        orthogonal.append(vector)
    for vector in orthogonal:
        share = inner(rest, vector) / inner(vector, vector)
        base = [b + share * y for b, y in zip(base, vector, strict=True)]
    return tuple(base)


def _changes(place: Point, norm: float) -> list[Vector]:
    """List the hyperplanes through a point where a norm of the difference is not linear."""
    axes = identity(len(place))
    normals = list(axes)
    if norm != 1:
        for a, b in combinations(axes, 2):
            normals += [tuple(map(sub, a, b)), tuple(map(add, a, b))]
    return [integer_row((*normal, -inner(normal, place))) for normal in normals]


def _size(candidate: Point, place: Point, norm: float) -> Fraction:
    """Compute the norm of the difference; in the 2-norm, its square."""
    gaps = [abs(x - y) for x, y in zip(candidate, place, strict=True)]
    if norm == 2:
        return inner(gaps, gaps)
    return sum(gaps, Fraction(0)) if norm == 1 else max(gaps)


def _exactly(numbers: Points) -> Point:
    """Return finite numbers as fractions.

    Raises:
        ValueError: one is none.
    """
    try:
        return tuple(map(Fraction, listed(numbers)))
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"exact_distance: point and level must be finite numbers, got {numbers}") from None


def _require_inside(query: _Query, dim: int) -> None:
    if len(query.place) != dim:
        raise ValueError(f"exact_distance: the program takes {dim} inputs, the point has {len(query.place)}")
    if not contains(query.domain, query.place):
        raise ValueError(f"exact_distance: the point {format_point(query.place)} is not in {query.domain}")
