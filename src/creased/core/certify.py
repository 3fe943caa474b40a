"""Proves that a complex or a level set is combinatorially right, in exact arithmetic where that is needed.

A vertex is known by the D rows that vanish there and by its signs on all others; if these are exact, there
is such a vertex. If moreover every edge that has to leave it does, and ends at another vertex of the list,
then the list is a union of components of the true 1-skeleton. The skeleton of a domain that is cut is
connected, so that one vertex suffices: nothing is missed, every 2-face is a cycle, and the Euler
characteristic is known. Of a level set, components that were not found may exist; that there are none is
what its guarantee is about. Where rows vanish together it is the perturbed arrangement that is certified.

Signs are proven in floating point, with a bound on all that rounding may have done (`creased.core.doubts`),
and those that it leaves open in rationals. What is certified is the network with the weights that it has,
as exact rational numbers, the level subtracted from the last bias.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor

from creased.core.cofaces import arrange
from creased.core.complex import PolyhedralComplex
from creased.core.doubts import Filter, HalfEdges
from creased.core.level_set import LevelSet
from creased.core.pairing import CellCodes, group_codes
from creased.core.program import Affine, Program
from creased.core.rationals import ExactRows
from creased.core.signs import WORD
from creased.core.stubs import edges_from
from creased.core.tolerance import doubtful_band
from creased.core.whole_space import open_start

EVERYTHING = 1.0  # the band of doubt that holds all values


@dataclass(frozen=True)
class Certificate:
    """What was proven of a complex or a level set."""

    of: str  # "complex" or "level set"
    n_vertices: int
    n_edges: int
    n_signs: int  # that were proven
    n_rational: int  # of these, in rationals
    n_wrong: int  # signs that are not as they should be
    n_open: int  # edges that should leave a vertex and do not, or that are not as they should be
    n_repeated: int  # vertices that are listed before
    euler_characteristic: int | None = None  # where it was counted
    euler_expected: int | None = None  # what it has to be: known of complexes
    n_torn_faces: int = 0  # polygons of a level set that are not one cycle, or clash with others
    is_complete: bool = True  # whether it is proven that nothing is missed, if all that is listed is right

    @property
    def is_certified(self) -> bool:
        """True if everything that was looked at is right."""
        n_faults = self.n_wrong + self.n_open + self.n_repeated + self.n_torn_faces
        is_right = self.euler_expected in (None, self.euler_characteristic)
        return n_faults == 0 and is_right and (self.n_vertices > 0 or self.of == "level set")

    def __str__(self) -> str:
        """The certificate in words and numbers."""
        found = [
            f"{self.n_signs:,} signs exact, {self.n_rational:,} of them decided in rationals"
            if self.n_wrong == 0
            else f"{self.n_wrong:,} of {self.n_signs:,} signs wrong",
            f"every stub of {self.n_vertices:,} vertices closed by one of {self.n_edges:,} edges"
            if self.n_open == 0
            else f"{self.n_open:,} stubs open",
        ]
        if self.n_repeated:
            found.append(f"{self.n_repeated:,} vertices listed twice")
        if self.n_torn_faces:
            found.append(f"{self.n_torn_faces:,} polygons no cycles")
        if self.euler_characteristic is not None:
            found.append(f"Euler characteristic {self.euler_characteristic}")
        if self.is_certified and self.of == "complex":
            found.append("so every 2-face is one cycle")
        if self.is_certified:
            found.append("nothing is missed" if self.is_complete else "that nothing is missed is not proven")
        return f"{self.of} {'certified' if self.is_certified else 'NOT certified'}: {', '.join(found)}"


@torch.inference_mode()
def certify(
    found: PolyhedralComplex | LevelSet,
    program: Program,
    level: float = 0.0,
    *,
    zero_sign: int = 1,
    count: bool = True,
) -> Certificate:
    """Certify a whole complex, or a level set, of a program; perturbed, not contracted.

    Args:
        found: what was extracted.
        program: from which it was extracted.
        level: the value of the outputs that cut a complex; a level set knows its own.
        zero_sign: what zeros of the outputs were to count as.
        count: count cells for the Euler characteristic, and look at the polygons of a level set: a check by
            other means of what follows from the rest.

    Raises:
        ValueError: it is a piece, was given up, or is of another program.
    """
    program = _program_of(found, program, level)
    layout = found.layout
    sides, n_open = edges_from(found)
    n_rational, n_wrong = _prove_signs(found, program, None if n_open else sides, zero_sign)
    certificate = Certificate(
        of="level set" if isinstance(found, LevelSet) else "complex",  # a cut domain is connected
        n_vertices=found.vertices.shape[0],
        n_edges=found.edges.shape[0],
        n_signs=found.vertices.shape[0] * layout.n_rows,
        n_rational=n_rational,
        n_wrong=n_wrong,
        n_open=n_open,
        n_repeated=_count_repeated(found, is_right=n_wrong + n_open == 0),
        is_complete=not isinstance(found, LevelSet) or found.is_complete,
    )
    return _counted(certificate, found) if count else certificate


Found = TypeVar("Found", PolyhedralComplex, LevelSet)


def first_certified(find: Callable[[float], Found], program: Program, level: float, zero_sign: int) -> Found:
    """What is found with the narrowest band of doubt whose signs are proven to be right.

    Args:
        find: extracts, values below a band, relative to the largest of their layer, being decided exactly.
        program: that is extracted from.
        level: of its outputs.
        zero_sign: what their zeros count as.
    """
    try:
        found = find(doubtful_band(torch.float64))
    except ArithmeticError:  # a wrong sign outside of the band made a vertex that does not exist
        return find(EVERYTHING)
    if isinstance(found, PolyhedralComplex) and not found.is_whole:
        return found
    certificate = certify(found, program, level, zero_sign=zero_sign, count=False)
    return found if certificate.n_wrong + certificate.n_open == 0 else find(EVERYTHING)


def prove_walked(found: LevelSet, program: Program) -> tuple[LevelSet, str]:
    """A level set that was walked, its guarantee saying what is proven; and why it is not right, if so."""
    certificate = certify(found, program)
    if certificate.is_certified:
        n, n_rational = certificate.n_signs, certificate.n_rational
        proven = f"{n:,} signs exact, {n_rational:,} of them decided in rationals"
        return replace(found, guarantee=f"{found.guarantee}; {proven}"), ""
    return found, f"subdivided, as what was walked is not right: {certificate}"


def _counted(certificate: Certificate, found: PolyhedralComplex | LevelSet) -> Certificate:
    if isinstance(found, PolyhedralComplex):
        f_vector = replace(found, true=None).f_vector()
        euler = sum((-1) ** k * n for k, n in enumerate(f_vector))
        expected = (-1) ** found.dim if found.layout.at_infinity else 1
        return replace(certificate, euler_characteristic=euler, euler_expected=expected)
    audit = found.audit()
    n_torn = audit.n_crowded_edges + audit.n_clashing_edges + found.n_torn
    return replace(certificate, euler_characteristic=audit.euler_characteristic, n_torn_faces=n_torn)


def _count_repeated(found: PolyhedralComplex | LevelSet, *, is_right: bool) -> int:
    """Vertices that are listed before.

    Where signs and stubs are right the list is a covering of the true 1-skeleton, vertex by vertex and edge
    by edge. That of a complex is connected, so that one vertex is listed as often as any other.
    """
    n_vertices = found.vertices.shape[0]
    if n_vertices and is_right and isinstance(found, PolyhedralComplex):
        is_same = (found.zero_ids == found.zero_ids[:1]).all(1)
        n_sheets = int((found.words[is_same] == found.words[:1]).all(1).sum())
        return n_vertices - n_vertices // n_sheets
    codes, rows = CellCodes(found.words, found.zero_ids), arrange(found.layout, found.words.device)
    return n_vertices - int(group_codes(codes, rows.keys).starts.sum()) if n_vertices else 0


def _program_of(found: PolyhedralComplex | LevelSet, program: Program, level: float) -> Program:
    """The program that cut, in double precision: its outputs less the level."""
    if isinstance(found, PolyhedralComplex) and (found.corners is not None or not found.is_whole):
        raise ValueError("certify: needs a whole complex, got a piece of one")
    program = program.detach().to(found.vertices.device, torch.float64)
    layout, head = found.layout, program.head
    if isinstance(found, LevelSet):
        chosen = slice(found.output, found.output + 1)
        head, level = Affine(head.weight[chosen], head.bias[chosen]), found.level
    if program.in_dim != found.dim or program.widths != layout.widths:
        raise ValueError(
            f"certify: what was found is of widths {layout.widths} on {found.dim} inputs, the program has "
            f"{program.widths} on {program.in_dim}"
        )
    return replace(program, head=Affine(head.weight, head.bias - level))


def _prove_signs(
    found: PolyhedralComplex | LevelSet,
    program: Program,
    sides: HalfEdges | None,
    zero_sign: int,
) -> tuple[int, int]:
    """How many signs were left to rationals, and how many signs are wrong."""
    points, codes = found.vertices.double(), CellCodes(found.words, found.zero_ids)
    if points.shape[0] == 0:
        return 0, 0
    layout, is_ray = found.layout, found.is_ray()
    reach = torch.stack([column.abs().amax() for column in points.unbind(1)])  # faster than all at once
    proof = Filter(program, found.domain.halfspaces(torch.float64, program.device), layout, reach)
    doubt = torch.ones_like(is_ray)
    if sides is not None and not layout.at_infinity and isinstance(found, PolyhedralComplex):
        doubt = proof.by_neighbours(points, codes, sides)
    left = doubt.nonzero()[:, 0]
    unsure = proof.by_slopes(points[left], codes.choose(left)) | is_ray[left, None]
    in_doubt = unsure.any(1).nonzero()[:, 0].tolist()
    if not in_doubt:
        return 0, 0
    n_wrong, nudges = 0, _nudges(found, program, zero_sign)
    exact = ExactRows(program, found.domain.exact_walls(), layout)
    for place in in_doubt:
        n_wrong += _count_wrong(codes, points, int(left[place]), exact, nudges)
    return int(unsure.sum()), n_wrong


def _count_wrong(codes: CellCodes, points: Tensor, vertex: int, exact: ExactRows, nudges: list[int]) -> int:
    """Signs of one vertex that are not those of the point on which its rows vanish, once perturbed."""
    zero_ids, words = codes.zero_ids[vertex].tolist(), codes.words[vertex].tolist()
    try:
        signs = exact.signs(exact.vertex(zero_ids, words, points[vertex].tolist()))
    except ArithmeticError:
        return exact.layout.n_rows
    found = [bool(words[row // WORD] >> (row % WORD) & 1) for row in range(len(signs))]
    n_wrong = sum(signs[row] != 0 for row in zero_ids)
    n_wrong += sum((sign > 0) != found[row] for row, sign in enumerate(signs) if sign)
    if exact.layout.at_infinity and zero_ids[0] == 0:
        return n_wrong  # what vanishes along a ray has the sign that it has on the ray's edge
    n_walls = exact.layout.n_walls
    tied = [row for row, sign in enumerate(signs) if not sign and row not in zero_ids]
    n_wrong += sum(not found[row] for row in tied if row < n_walls)  # nothing is outside of a wall
    tied = [row for row in tied if row >= n_walls]
    moved = exact.perturbed_signs(zero_ids, words, tied, nudges) if tied else ()
    return n_wrong + sum((sign > 0) != found[row] for row, sign in zip(tied, moved, strict=True))


def _nudges(found: PolyhedralComplex | LevelSet, program: Program, zero_sign: int) -> list[int]:
    """Rows, in the order of the infinitesimals by which they are moved; complements of those moved down."""
    layout = found.layout
    rows = list(range(layout.n_rows))
    if layout.at_infinity:
        rows = open_start(program, layout).order.tolist()
    return [row if zero_sign > 0 or row < layout.first_output else ~row for row in rows]
