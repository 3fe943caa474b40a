"""Prove the signs of all rows at all vertices.

They are proven in floating point, with a bound on all that rounding may have done
(`creased.core.certificates.sign_filter`), and those that it leaves open in rationals: of many vertices
together, modulo primes, else one by one (`creased.core.exact`).
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.signs import WORD, RowLayout, unpack_rows
from creased.core.certificates.grid_filter import AllInDoubt, GridSignFilter
from creased.core.certificates.incidence import EdgeMates
from creased.core.certificates.sign_filter import SignFilter
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.complexes.level_set import LevelSet
from creased.core.domains.domain import Domain
from creased.core.exact.exact_signs import ExactRows
from creased.core.grids.exact_rows import GridRows
from creased.core.program.program import Program

AT_ONCE = 1 << 13  # vertices at which signs are decided in one go


class Cells(NamedTuple):
    """Vertices of what was found, in the rows in which signs are proven; on a grid those of a simplex."""

    codes: CellCodes  # (V, ...)
    layout: RowLayout
    names: Tensor | None = None  # (V, k) int64, equal where vertices are; None: their codes are


class ProvenSigns(NamedTuple):
    """Result of proving signs."""

    n_rational: int  # signs that were left to rationals
    n_wrong: int
    vertices: Tensor  # (n,) int64: those with such signs, but rays
    places: Tensor  # (n, D) float64: where they are, each coordinate rounded once; where n_wrong is 0


def prove_signs(
    found: PolyhedralComplex | LevelSet,
    program: Program,
    cells: Cells,
    sides: EdgeMates | None,
    zero_sign: int,
) -> ProvenSigns:
    """Prove signs by a filter, decide the rest in rationals, and place the vertices that took them.

    These may be where rows are nearly parallel, so that interpolation put them far from where they are.
    """
    none = ProvenSigns(0, 0, found.words.new_zeros(0), found.vertices.new_zeros((0, found.dim)).double())
    points, codes, layout = found.vertices.double(), cells.codes, cells.layout
    if points.shape[0] == 0:
        return none
    is_ray, proof = found.is_ray(), sign_filter_of(program, found.domain, layout, points)
    has_edges = isinstance(found, PolyhedralComplex) and not layout.at_infinity
    left = (proof.at_first(points, codes, sides if has_edges else None) | is_ray).nonzero()[:, 0]
    if not left.numel():
        return none
    unsure = proof.by_slopes(points[left], codes.choose(left)) | is_ray[left, None]
    in_doubt = unsure.any(1).nonzero()[:, 0]
    if not in_doubt.numel():
        return none
    exact, vertices = exact_rows_of(program, found.domain, layout), left[in_doubt]
    if not exact.is_modular(len(vertices)):
        n_wrong, nudges = 0, _nudges(found, program, layout, zero_sign)
        for vertex in vertices.tolist():
            n_wrong += _count_wrong(codes, points, vertex, exact, nudges)
        vertices = vertices[~is_ray[vertices]]
        places = [] if n_wrong else [_place(codes, points, vertex, exact) for vertex in vertices.tolist()]
    else:
        n_wrong, places = 0, []
        for part in in_doubt.split(AT_ONCE):
            decided = _decide(codes.choose(left[part]), unsure[part], exact, zero_sign)
            n_wrong += decided.n_wrong
            places += decided.places
    found_places = points.new_tensor([] if n_wrong else places).view(-1, found.dim)
    return ProvenSigns(int(unsure.sum()), n_wrong, vertices, found_places)


def sign_filter_of(program: Program, domain: Domain, layout: RowLayout, points: Tensor) -> SignFilter:
    """The filter of a program in double precision, for vertices at points (V, D)."""
    if program.grid is not None:
        kind = GridSignFilter if program.grid.section is None else AllInDoubt
        return kind(program, domain, layout)
    walls = domain.halfspaces(torch.float64, program.device)
    reach = torch.stack([column.abs().amax() for column in points.unbind(1)])  # faster than all at once
    return SignFilter(program, walls, layout, reach)


def exact_rows_of(program: Program, domain: Domain, layout: RowLayout) -> ExactRows:
    """The rows of a program in exact arithmetic; on a grid in a layout of simplices."""
    kind = ExactRows if program.grid is None else GridRows
    return kind(program, domain.exact_walls(), layout)


def _place(codes: CellCodes, points: Tensor, vertex: int, exact: ExactRows) -> list[float]:
    zero_ids, words = codes.zero_ids[vertex].tolist(), codes.words[vertex].tolist()
    *point, w = exact.vertex(zero_ids, words, points[vertex].tolist())
    return [float(Fraction(int(x), int(w))) for x in point]


def _count_wrong(codes: CellCodes, points: Tensor, vertex: int, exact: ExactRows, nudges: list[int]) -> int:
    """Count signs of a vertex that differ from those of its exact, perturbed point."""
    zero_ids, words = codes.zero_ids[vertex].tolist(), codes.words[vertex].tolist()
    try:
        signs = exact.signs(exact.vertex(zero_ids, words, points[vertex].tolist()), words)
    except ArithmeticError:
        return exact.layout.n_rows
    found = [bool(words[row // WORD] >> (row % WORD) & 1) for row in range(len(signs))]
    n_wrong = sum(signs[row] != 0 for row in zero_ids)
    n_wrong += sum((sign > 0) != found[row] for row, sign in enumerate(signs) if sign)
    if exact.layout.at_infinity and zero_ids[0] == 0:
        return n_wrong  # what vanishes along a ray has the sign that it has on the ray's edge
    n_walls = 0 if exact.layout.on_grid else exact.layout.n_walls  # walls of simplices are as any other rows
    tied = [row for row, sign in enumerate(signs) if not sign and row not in zero_ids]
    n_wrong += sum(not found[row] for row in tied if row < n_walls)  # nothing is outside of a wall
    tied = [row for row in tied if row >= n_walls]
    moved = exact.perturbed_signs(zero_ids, words, tied, nudges) if tied else ()
    return n_wrong + sum((sign > 0) != found[row] for row, sign in zip(tied, moved, strict=True))


class _Decided(NamedTuple):
    """Result of deciding signs at some vertices."""

    n_wrong: int
    places: list[list[float]]  # (n, D), each coordinate rounded once; none where a sign is wrong


def _decide(codes: CellCodes, unsure: Tensor, exact: ExactRows, zero_sign: int) -> _Decided:
    """Count which of the unsure signs (n, n_rows) are wrong, given that all others are right.

    One of a vertex that does not exist makes all of its signs wrong. Where a row vanishes simulation of
    simplicity decides: each is moved up by an infinitesimal, larger by far than those of the rows before, so
    of it and the rows that it depends on the last one counts; it goes against a row that it depends on.
    """
    layout, words, zero_ids = exact.layout, codes.words.cpu(), codes.zero_ids.long().cpu()
    vertex, row = unsure.cpu().scatter(1, zero_ids, False).nonzero().unbind(1)
    found = exact.modular.look(codes, vertex, row)
    exists = found.sides()
    sides = exists[vertex] * found.moduli.signs(found.values)
    tied = ((sides == 0) & (row >= layout.n_walls)).nonzero()[:, 0]  # nothing is outside of a wall
    zeros, own = zero_ids[vertex[tied]], row[tied]
    shares = found.moduli.signs(found.shares[:, tied].flatten(1)).view(zeros.shape)
    shares *= exists[vertex[tied], None] * (-1) ** exact.dim  # w is so many columns from the determinant
    last, place = torch.where(shares != 0, zeros, -1).max(1)
    moved = torch.where(last > own, -shares.gather(1, place[:, None])[:, 0], 1)
    if zero_sign < 0:
        moved = torch.where(torch.maximum(last, own) >= layout.first_output, -moved, moved)
    sides[sides == 0] = 1
    sides[tied] = moved.to(sides.dtype)
    expected = unpack_rows(words, 0, layout.n_rows)[vertex, row]
    is_wrong = ((sides > 0) != expected) & (exists[vertex] != 0)
    n_wrong = int(is_wrong.sum()) + layout.n_rows * int((exists == 0).sum())
    return _Decided(n_wrong, [] if n_wrong else found.positions())


def _nudges(
    found: PolyhedralComplex | LevelSet, program: Program, layout: RowLayout, zero_sign: int
) -> list[int]:
    """Rows in the order of their infinitesimals; complements of rows that are moved down.

    Walls of simplices stay: what two of them share is one.
    """
    order = found.domain.start(program, layout).order if layout.at_infinity else None
    first = layout.n_walls - found.layout.n_walls
    rows = list(range(first, layout.n_rows)) if order is None else order.tolist()
    return [row if zero_sign > 0 or row < layout.first_output else ~row for row in rows]
