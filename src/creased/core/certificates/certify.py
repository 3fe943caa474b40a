"""Prove that a complex or a level set is combinatorially right, in exact arithmetic where needed.

A vertex is known by the D rows that vanish there and by its signs on all others; if these are exact, there
is such a vertex. If moreover every edge that has to leave it does, and ends at another vertex of the list,
then the list is a union of components of the true 1-skeleton. The skeleton of a domain that is cut is
connected, so that one vertex suffices: nothing is missed, every 2-face is a cycle, and the Euler
characteristic is known. Of a level set, components that were not found may exist; that there are none is
what its guarantee is about. Where rows vanish together it is the perturbed arrangement that is certified.
On a grid each simplex is a domain, and what was welded is taken apart again (`creased.core.grids.unweld`).

What is certified is the network with the weights that it has, as exact rational numbers, the level subtracted
from the last bias.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import torch

from creased.core.arrangement.cofaces import arrange
from creased.core.arrangement.hash_keys import CellCodes, group_codes, group_words
from creased.core.arrangement.skeleton import Skeleton
from creased.core.certificates.incidence import EdgeMates, edges_from, sum_of_indices
from creased.core.certificates.proven_signs import Cells, ProvenSigns, prove_signs
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.complexes.level_set import LevelSet
from creased.core.grids.grid_complex import count_own
from creased.core.grids.unweld import Unwelded
from creased.core.numerics.surroundings import as_written
from creased.core.program.affine_slice import slice_program
from creased.core.program.combine import minus_level, select
from creased.core.program.program import Program

Found = TypeVar("Found", bound=PolyhedralComplex | LevelSet)


@dataclass(frozen=True)
class Certificate:
    """Result of certifying a complex or a level set."""

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
    n_inconsistent_faces: int = 0  # polygons of a level set that are not one cycle, or clash with others
    is_complete: bool = True  # whether it is proven that nothing is missed, if all that is listed is right

    @property
    def is_certified(self) -> bool:
        """True if all checks passed."""
        n_faults = self.n_wrong + self.n_open + self.n_repeated + self.n_inconsistent_faces
        is_right = self.euler_expected in (None, self.euler_characteristic)
        return n_faults == 0 and is_right and (self.n_vertices > 0 or self.of == "level set")

    def __repr__(self) -> str:
        """Describe the certificate in words and numbers."""
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
        if self.n_inconsistent_faces:
            found.append(f"{self.n_inconsistent_faces:,} polygons no cycles")
        if self.euler_characteristic is not None:
            found.append(f"Euler characteristic {self.euler_characteristic}")
        if self.is_certified and self.of == "complex":
            found.append("so every 2-face is one cycle")
        if self.is_certified:
            found.append("nothing is missed" if self.is_complete else "that nothing is missed is not proven")
        return f"{self.of} {'certified' if self.is_certified else 'NOT certified'}: {', '.join(found)}"


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
        TypeError: it is neither.
        ValueError: it is a piece, was given up, is of another program, or of a slice of one on a grid.
    """
    if not isinstance(found, PolyhedralComplex | LevelSet):
        raise TypeError(
            f"certify: needs a complex or a level set, and its network, got a {type(found).__name__}"
        )
    if program.grid is not None and program.grid.section is not None:
        raise ValueError("certify: slices of networks on a grid are not certified: certify the whole")
    return prove(found, program, level, zero_sign=zero_sign, count=count)[0]


@as_written
@torch.no_grad()
def prove(
    found: Found, program: Program, level: float = 0.0, *, zero_sign: int = 1, count: bool = True
) -> tuple[Certificate, Found]:
    """Certify, and place vertices that took rationals where these put them."""
    program = program_of(found, program, level)
    cells, mates, n_open, unwelded = _state(found, program)
    signs = prove_signs(found, program, cells, None if n_open else mates, zero_sign)
    certificate = Certificate(
        of="level set" if isinstance(found, LevelSet) else "complex",  # a cut domain is connected
        n_vertices=found.vertices.shape[0],
        n_edges=found.edges.shape[0],
        n_signs=found.vertices.shape[0] * cells.layout.n_rows,
        n_rational=signs.n_rational,
        n_wrong=signs.n_wrong,
        n_open=n_open,
        n_repeated=_count_repeated(found, cells, is_right=signs.n_wrong + n_open == 0),
        is_complete=not isinstance(found, LevelSet) or found.is_complete,
    )
    placed = _placed(found, signs) if signs.n_wrong + n_open == 0 else found
    return (_counted(certificate, found, mates, unwelded) if count else certificate), placed


def _placed(found: Found, signs: ProvenSigns) -> Found:
    if signs.vertices.shape[0] == 0:
        return found
    vertices = found.vertices.index_copy(0, signs.vertices, signs.places.to(found.vertices))
    return replace(found, vertices=vertices)


class _Stated(NamedTuple):
    """What is stated of cells, in the rows in which it is proven."""

    cells: Cells
    mates: EdgeMates | None  # of stubs; None on a grid
    n_open: int  # edges that are wrong or missing
    unwelded: Unwelded | None  # on a grid


def _state(found: PolyhedralComplex | LevelSet, program: Program) -> _Stated:
    on_level = isinstance(found, LevelSet)
    skeleton = Skeleton(found.vertices, found.zero_ids, found.words, found.edges, found.edge_zero_ids)
    if program.grid is None:
        cells = Cells(CellCodes(found.words, found.zero_ids), found.layout)
        return _Stated(cells, *edges_from(skeleton, found.layout, on_level=on_level), None)
    unwelded = Unwelded(skeleton, program.grid, found.domain, found.layout)
    n_open = unwelded.n_malformed
    for slab in unwelded.slabs() if not n_open else ():
        n_open += edges_from(slab.skeleton, unwelded.layout, on_level=on_level)[1]
    cells = Cells(unwelded.codes, unwelded.layout, unwelded.names)
    return _Stated(cells, None, n_open, unwelded)


def _counted(
    certificate: Certificate,
    found: PolyhedralComplex | LevelSet,
    mates: EdgeMates | None,
    unwelded: Unwelded | None,
) -> Certificate:
    if isinstance(found, PolyhedralComplex):
        found = replace(found, true=None)
        is_unbounded = found.layout.at_infinity
        if mates is not None and not is_unbounded and sum_of_indices(found.vertices, mates) == 1:
            return replace(certificate, euler_characteristic=1, euler_expected=1)
        if unwelded is not None and not unwelded.n_malformed:
            rows = arrange(unwelded.layout, found.words.device)
            found = replace(found, counts=count_own(unwelded.soup.skeleton, rows, unwelded.welder))
        expected = (-1) ** found.dim if found.layout.at_infinity else 1
        euler = found.euler_characteristic()
        return replace(certificate, euler_characteristic=euler, euler_expected=expected)
    audit = found.audit()
    n_inconsistent = audit.n_nonmanifold_edges + audit.n_misoriented_edges + found.n_inconsistent
    return replace(
        certificate, euler_characteristic=audit.euler_characteristic, n_inconsistent_faces=n_inconsistent
    )


def _count_repeated(found: PolyhedralComplex | LevelSet, cells: Cells, *, is_right: bool) -> int:
    """Count vertices that are listed before.

    Where signs and stubs are right the list is a covering of the true 1-skeleton, vertex by vertex and edge
    by edge. That of a complex is connected, so that one vertex is listed as often as any other.
    """
    n_vertices, (codes, layout, names) = found.vertices.shape[0], cells
    if n_vertices and is_right and isinstance(found, PolyhedralComplex):
        if names is None:
            is_same = (codes.zero_ids == codes.zero_ids[:1]).all(1)
            n_sheets = int((codes.words[is_same] == codes.words[:1]).all(1).sum())
        else:
            n_sheets = int((names == names[:1]).all(1).sum())
        return n_vertices - n_vertices // n_sheets
    if not n_vertices:
        return 0
    rows = arrange(layout, codes.words.device)
    groups = group_codes(codes, rows.keys) if names is None else group_words(names)
    return n_vertices - int(groups.starts.sum())


def program_of(found: PolyhedralComplex | LevelSet, program: Program, level: float) -> Program:
    """The program that cut, in double precision: its outputs less the level."""
    if isinstance(found, PolyhedralComplex) and (found.is_piece or not found.is_whole):
        raise ValueError("certify: needs a whole complex, got a piece of one")
    program = program.detach().to(found.vertices.device, torch.float64)
    if found.part is not None:
        program = slice_program(program, found.part.slice.origin, found.part.slice.basis).program
    layout = found.layout
    if isinstance(found, LevelSet):
        program, level = select(program, found.output), found.level
    stated = _format_shape(layout.widths, found.dim, on_grid=layout.on_grid)
    given = _format_shape(program.widths, program.in_dim, on_grid=program.grid is not None)
    if stated != given:
        raise ValueError(f"certify: what was found is of {stated}, the program has {given}")
    return minus_level(program, level)


def _format_shape(widths: tuple[int, ...], dim: int, *, on_grid: bool) -> str:
    return f"widths {widths} on {dim} inputs{' and a grid' * on_grid}"
