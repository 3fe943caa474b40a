"""The complex of a network on a grid: every simplex is cut, and its cells are welded by name.

Cells of dimension 2 and more are counted, not kept: on a welded complex, whose vertices lie on more than D
facets of simplices, they cannot be read off the vertices.
"""

from __future__ import annotations

import torch

from creased.core.arrangement.cells import CellsAround
from creased.core.arrangement.hash_keys import CellCodes, find_words, group_words
from creased.core.arrangement.skeleton import Skeleton
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.complexes.unperturbed import Signs, TrueCells, distinct_cells, signs_of_cells
from creased.core.grids.cut import SimplexCutter
from creased.core.grids.search import batches_of
from creased.core.grids.weld import Welder
from creased.core.numerics.memory import Resources, format_bytes
from creased.core.subdivision.pieces import Piece
from creased.core.subdivision.problem import SubdivisionProblem

ASSEMBLY = 6  # welding takes so many times the memory of what is welded


def complex_on_grid(
    problem: SubdivisionProblem, resources: Resources, *, contract: bool = False
) -> PolyhedralComplex:
    """Extract the whole complex, or as much of it as memory allows; with its true cells if contracted."""
    memory, provenance = resources.memory_on(problem.program.device), problem.provenance
    cutter, welder = SimplexCutter(problem), Welder.of(problem)
    pieces: list[Piece] = []
    n_bytes = 0
    for simplices, states in batches_of(problem):
        pieces.append(cutter.cut(simplices, states))
        n_bytes += sum(part.nbytes for part in pieces[-1].skeleton)
        provenance = provenance.inconsistent(pieces[-1].n_inconsistent)
        if memory is not None and ASSEMBLY * n_bytes > memory:
            provenance = provenance.stopped(
                f"stopped at {sum(len(p.skeleton.vertices) for p in pieces):,} vertices: all would take more "
                f"than the {format_bytes(memory)} that are allowed"
            )
            break
    soup = _joined([piece.skeleton for piece in pieces])
    cells, _ = problem.settle(welder.weld_skeleton(soup).skeleton)
    return PolyhedralComplex(
        *cells._replace(edges=cells.edges.int()),
        layout=problem.rows.layout,
        domain=problem.domain,
        provenance=provenance,
        counts=_count_cells(soup, cutter, welder),
        true=_true_cells(soup, cutter, welder, problem) if contract else None,
    )


def _joined(skeletons: list[Skeleton]) -> Skeleton:
    """Put skeletons one behind the other."""
    parts, first = [], 0
    for cells in skeletons:
        parts.append(cells._replace(edges=cells.edges.long() + first))
        first += len(cells.vertices)
    return Skeleton(*(torch.cat(column) for column in zip(*parts, strict=True)))


def _count_cells(soup: Skeleton, cutter: SimplexCutter, welder: Welder) -> tuple[int, ...]:
    codes, counts = CellCodes(soup.words, soup.zero_ids), []
    for dim in range(cutter.dim + 1):
        cells = CellsAround(codes, None, dim, cutter.rows)
        groups = cells.group()
        counts.append(len(welder.weld(cells.codes(groups.order[groups.starts]))[0]))
    return tuple(counts)


def _true_cells(
    soup: Skeleton, cutter: SimplexCutter, welder: Welder, problem: SubdivisionProblem
) -> TrueCells:
    """Find the cells of the unperturbed network, by exact signs; equal ones of two simplices are one."""
    dim, exact = cutter.dim, cutter.exact
    codes = CellCodes(soup.words, soup.zero_ids)
    at_vertices = exact.signs_in_simplices(codes, soup.vertices)
    if problem.zero_sign < 0:  # outputs were negated
        outputs = cutter.rows.before[-1] & ~cutter.rows.before[cutter.rows.layout.first_output]
        plus, minus = at_vertices
        at_vertices = Signs(plus & ~outputs | minus & outputs, minus & ~outputs | plus & outputs)
    found, firsts = [], []
    for k in range(dim + 1):
        signs = distinct_cells(
            signs_of_cells(CellsAround(codes, None, k, cutter.rows), at_vertices), k, exact
        )
        groups = group_words(welder.names_of_signs(signs))
        firsts.append(signs.choose(groups.order[groups.starts]))
        found.append(Signs(*(welder.users_words(words) for words in firsts[-1])))
    label = find_words(welder.names_of_signs(at_vertices), welder.names_of_signs(firsts[0]))
    place = torch.zeros(len(firsts[0].plus), dtype=torch.int64, device=label.device)
    place[label] = torch.arange(len(label), device=label.device)
    first, second = soup.edges.unbind(1)
    along = Signs(*(words[first] | words[second] for words in at_vertices))
    number = find_words(welder.names_of_signs(along), welder.names_of_signs(firsts[1]))
    has = (number >= 0).nonzero()[:, 0]
    edges = torch.full((len(firsts[1].plus), 2), -1, device=label.device)
    edges[number[has]] = label[soup.edges[has]]
    vertex, _ = welder.weld(codes)
    return TrueCells(tuple(found), soup.vertices[place], edges, label[vertex], problem.rows.layout)
