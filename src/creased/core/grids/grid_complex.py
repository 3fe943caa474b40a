"""The complex of a network on a grid: every simplex is cut, and its cells are welded by name.

On a welded complex, whose vertices lie on more than D facets of simplices, cells of dimension 2 and more
cannot be read off the vertices. They are counted in simplices: a cell that several of them share belongs to
the first one. So counting, and pieces that follow each other, take the memory of one batch of simplices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from creased.core.arrangement.cells import CellsAround
from creased.core.arrangement.cofaces import Arrangement, arrange
from creased.core.arrangement.hash_keys import CellCodes, find_words, group_words
from creased.core.arrangement.skeleton import Skeleton, joined
from creased.core.complexes.complex import Own, PolyhedralComplex
from creased.core.complexes.unperturbed import Signs, TrueCells, distinct_cells, signs_of_cells
from creased.core.grids.cut import SimplexCutter, why_stopped
from creased.core.grids.exact_rows import GridRows
from creased.core.grids.grid_regions import GridRegions
from creased.core.grids.search import Share
from creased.core.grids.unweld import Unwelded
from creased.core.grids.weld import Welder
from creased.core.numerics.memory import Resources
from creased.core.provenance import Provenance
from creased.core.subdivision.problem import SubdivisionProblem
from creased.core.subdivision.sub_boxes import Parts, together

COUNTING = 16  # welding cells, and counting them, takes so many times the memory of what is welded


class _Cut(NamedTuple):
    """Cells of a share of the simplices, not welded."""

    skeleton: Skeleton  # its edges int64
    provenance: Provenance


class _WeldedCut(NamedTuple):
    """A whole complex, its cells of two and more dimensions not counted, and what was welded to it."""

    complex_: PolyhedralComplex
    codes: CellCodes  # of the vertices of simplices
    soup: Skeleton  # of simplices that share nothing
    vertex: Tensor  # (V',) int64: of the complex, of each vertex of a simplex
    cutter: SimplexCutter
    welder: Welder


def complex_on_grid(problem: SubdivisionProblem, resources: Resources, parts: Parts) -> PolyhedralComplex:
    """Extract the whole complex, or as much of it as the memory that is given allows.

    Args:
        problem: of a program with a grid.
        resources: of each part.
        parts: shares of the simplices, and the map that cuts them.

    Raises:
        ValueError: no memory is given, and the grid alone does not fit in what is free.
    """
    found, codes, soup, vertex, cutter, welder = _weld_cuts(problem, resources, parts)
    counts, provenance = count_own(soup, cutter.rows, welder), found.provenance
    if provenance.is_whole:  # what rounding tears between simplices is welded to more cells than there are
        welded = len(found.vertices), len(found.edges)
        provenance = provenance.inconsistent(sum(abs(a - b) for a, b in zip(welded, counts, strict=False)))
    regions = _regions(codes, vertex, cutter, problem)
    return replace(found, provenance=provenance, counts=counts, regions=regions)


def skeleton_on_grid(problem: SubdivisionProblem, resources: Resources) -> PolyhedralComplex:
    """Extract a complex without counting its cells of two and more dimensions, in half of the time.

    What rounding tears between simplices is not seen either: its vertices and edges have to be certified.
    """
    return _weld_cuts(problem, resources, Parts()).complex_


def _weld_cuts(problem: SubdivisionProblem, resources: Resources, parts: Parts) -> _WeldedCut:
    cutter, welder = SimplexCutter(problem), Welder.of(problem)
    cutter.require_memory(resources)
    shares = [Share(index, parts.n) for index in range(parts.n)]
    cuts = list(parts.map(partial(_cut_share, problem, resources), shares))
    soup = joined([cut.skeleton for cut in cuts])
    welded = welder.weld_skeleton(soup)
    cells, _ = problem.settle(welded.skeleton)
    complex_ = PolyhedralComplex(
        *cells._replace(edges=cells.edges.int()),
        layout=problem.rows.layout,
        domain=problem.domain,
        provenance=together([cut.provenance for cut in cuts], problem.provenance),
    )
    codes = CellCodes(soup.words, soup.zero_ids)
    return _WeldedCut(complex_, codes, soup, welded.vertex, cutter, welder)


def _cut_share(problem: SubdivisionProblem, resources: Resources, share: Share) -> _Cut:
    memory, provenance = resources.memory_on(problem.program.device), problem.provenance
    cutter = SimplexCutter(problem)
    pieces, n_vertices, n_bytes = [cutter.no_cells()], 0, 0
    for _, piece in cutter.pieces(share):
        pieces.append(piece.skeleton)
        n_vertices += len(piece.skeleton.vertices)
        n_bytes += sum(part.nbytes for part in piece.skeleton)
        provenance = provenance.inconsistent(piece.n_inconsistent)
        if why := why_stopped(n_vertices, n_bytes, memory, COUNTING):
            provenance = provenance.stopped(why)
            break
    return _Cut(joined(pieces), provenance)


def stream_on_grid(problem: SubdivisionProblem) -> Iterator[PolyhedralComplex]:
    """Extract a complex in pieces, a batch of simplices each."""
    cutter, welder = SimplexCutter(problem), Welder.of(problem)
    for _, piece in cutter.pieces():
        soup = piece.skeleton._replace(edges=piece.skeleton.edges.long())
        welded = welder.weld_skeleton(soup)
        cells, _ = problem.settle(welded.skeleton)
        is_own = welder.is_own(CellCodes(soup.words, soup.zero_ids)), welder.is_own(soup.along_edges())
        numbers, n_cells = (welded.vertex, welded.edge), (len(cells.vertices), len(cells.edges))
        yield PolyhedralComplex(
            *cells._replace(edges=cells.edges.int()),
            layout=problem.rows.layout,
            domain=problem.domain,
            provenance=problem.provenance.inconsistent(piece.n_inconsistent),
            own=Own(*map(_marked, numbers, is_own, n_cells)),
            counts=count_own(soup, cutter.rows, welder),
        )


def count_on_grid(problem: SubdivisionProblem) -> tuple[tuple[int, ...], int]:
    """Count the cells of dimension 0, 1, ..., D of a complex that is not held, and faces left open."""
    cutter, welder = SimplexCutter(problem), Welder.of(problem)
    counts, n_inconsistent = (0,) * (cutter.dim + 1), 0
    for _, piece in cutter.pieces():
        more = count_own(piece.skeleton, cutter.rows, welder)
        counts = tuple(a + b for a, b in zip(counts, more, strict=True))
        n_inconsistent += piece.n_inconsistent
    euler_characteristic = sum((-1) ** k * count for k, count in enumerate(counts))
    return counts, n_inconsistent + abs(euler_characteristic - 1)  # the domain is convex and bounded


def _regions(
    codes: CellCodes, vertex: Tensor, cutter: SimplexCutter, problem: SubdivisionProblem
) -> GridRegions:
    found = GridRegions.of(codes, vertex, Welder.of(problem), cutter.rows)
    if problem.zero_sign > 0:
        return found
    return replace(found, words=found.words ^ problem.rows.bits[problem.rows.layout.first_output :].sum(0))


def _marked(number: Tensor, is_marked: Tensor, n: int) -> Tensor:
    """True (n,) for the numbers (m,) that are marked (m,) somewhere."""
    mask = torch.zeros(n, dtype=torch.bool, device=number.device)
    return mask.index_fill_(0, number[is_marked], value=True)


def count_own(soup: Skeleton, rows: Arrangement, welder: Welder) -> tuple[int, ...]:
    """Count the cells of dimension 0, 1, ..., D of simplices that are in no earlier simplex."""
    codes, counts = CellCodes(soup.words, soup.zero_ids), []
    for dim in range(soup.vertices.shape[1] + 1):
        cells = CellsAround(codes, None, dim, rows)
        counts.append(int(welder.is_own(cells.codes(cells.number()[1])).sum()))
    return tuple(counts)


def true_cells_on_grid(cells: Unwelded, at_vertices: Signs, exact: GridRows) -> TrueCells:
    """Find the true cells of a whole complex; equal ones of two simplices are one.

    Args:
        cells: of the complex.
        at_vertices: true signs (n,) of all rows at the vertices of its soup, those of the simplex included.
        exact: the rows of simplices in rationals.
    """
    soup, welder = cells.soup.skeleton, cells.welder
    codes, rows = CellCodes(soup.words, soup.zero_ids), arrange(cells.layout, soup.words.device)
    found, firsts, kept = [], [], list[Signs]()
    for k in range(exact.dim + 1):
        signs = signs_of_cells(CellsAround(codes, None, k, rows), at_vertices)
        kept.append(signs := distinct_cells(signs, kept, exact.layout))
        groups = group_words(welder.names_of_signs(signs))
        firsts.append(signs.choose(groups.firsts()))
        found.append(cells.users_signs(firsts[-1]))
    label = find_words(welder.names_of_signs(at_vertices), welder.names_of_signs(firsts[0]))
    place = torch.zeros(len(firsts[0].plus), dtype=torch.int64, device=label.device)
    place[label] = torch.arange(len(label), device=label.device)
    first, second = soup.edges.unbind(1)
    along = Signs(*(words[first] | words[second] for words in at_vertices))
    number = find_words(welder.names_of_signs(along), welder.names_of_signs(firsts[1]))
    has = (number >= 0).nonzero()[:, 0]
    edges = torch.full((len(firsts[1].plus), 2), -1, device=label.device)
    edges[number[has]] = label[soup.edges[has]]
    vertex = label.new_empty(len(cells.codes.words)).index_copy_(0, cells.soup.vertex, label)
    return TrueCells(tuple(found), soup.vertices[place], edges, vertex, welder.layout)
