"""Treat points on more than D rows: perturb, contract, or raise an error.

Subdivision perturbs, whatever is asked for: an exact zero counts as +, so that all is simple, with several
vertices in one place. That is what ``"perturb"`` gives. ``"contract"`` makes one of what coincides, and
``"error"`` raises. Whether it does is decided in rationals.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from creased.core.arrangement.hash_keys import CellCodes
from creased.core.arrangement.skeleton import Skeleton
from creased.core.certificates.proven_signs import sign_filter_of
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.complexes.level_set import LevelSet
from creased.core.complexes.polygons import Polygons
from creased.core.complexes.unperturbed import Signs, TrueCells, find_true_cells, may_vanish, true_signs
from creased.core.exact.exact_signs import ExactRows
from creased.core.grids.exact_rows import GridRows
from creased.core.grids.grid_complex import true_cells_on_grid
from creased.core.grids.unweld import Unwelded
from creased.core.provenance import Finding, Note
from creased.core.subdivision.problem import SubdivisionProblem

Found = TypeVar("Found", PolyhedralComplex, LevelSet)


class DegenerateError(ValueError):
    """More than D rows meet in a point; the message says where."""


def treat(found: Found, problem: SubdivisionProblem, degeneracy: str) -> Found:
    """Contract what coincides in a complex or a level set, or raise where anything does.

    Raises:
        DegenerateError: a vertex lies on more than D rows, and that was to be an error.
    """
    if problem.program.grid is not None:
        return _treat_on_grid(found, problem, degeneracy)
    exact = problem.exact_rows()
    if degeneracy == "error":
        signs = _true_signs(found, problem, exact).unpack(exact.layout.n_rows)
        _refuse(found, (signs == 0).sum(1) * ~found.is_ray())
        return found
    if isinstance(found, LevelSet):
        return _merged(found, _places(found, problem, exact))
    return _with_true_cells(found, problem, exact)


def _treat_on_grid(found: Found, problem: SubdivisionProblem, degeneracy: str) -> Found:
    """Treat what lies on a grid, in the rows of simplices."""
    program, domain = problem.program, problem.domain
    assert program.grid is not None
    skeleton = Skeleton(found.vertices, found.zero_ids, found.words, found.edges, found.edge_zero_ids)
    cells = Unwelded(skeleton, program.grid, domain, found.layout)
    exact = GridRows(program, domain.exact_walls(), cells.layout)
    proof = sign_filter_of(program, domain, cells.layout, found.vertices)
    if degeneracy == "contract" and isinstance(found, PolyhedralComplex):
        soup = cells.soup.skeleton
        codes = CellCodes(soup.words, soup.zero_ids)
        in_doubt = proof.by_slopes(soup.vertices, codes).any(1)
        signs = true_signs(codes, soup.vertices, in_doubt, exact)
        return _with(found, true_cells_on_grid(cells, signs, exact))
    doubtful = proof.by_slopes(found.vertices, cells.codes).any(1).nonzero()[:, 0]
    columns = [
        column[doubtful].tolist() for column in (cells.codes.zero_ids, cells.codes.words, found.vertices)
    ]
    points = [exact.vertex(*vertex) for vertex in zip(*columns, strict=True)]
    if degeneracy == "error":
        n_zeros = torch.full_like(found.words[:, 0], found.dim)
        counts = [exact.signs(point, words).count(0) for point, words in zip(points, columns[1], strict=True)]
        _refuse(found, n_zeros.index_copy(0, doubtful, n_zeros.new_tensor(counts)))
    elif isinstance(found, LevelSet):
        first = dict(zip(reversed(points), reversed(doubtful.tolist()), strict=True))
        places = torch.arange(len(found.vertices), device=doubtful.device)
        places[doubtful] = places.new_tensor([first[point] for point in points])
        return _merged(found, torch.unique(places, return_inverse=True)[1])
    return found


def _with_true_cells(
    found: PolyhedralComplex, problem: SubdivisionProblem, exact: ExactRows
) -> PolyhedralComplex:
    return _with(found, find_true_cells(found.skeleton(), found.domain, problem.program, exact, problem.rows))


def _with(found: PolyhedralComplex, true: TrueCells) -> PolyhedralComplex:
    flat = Note(Finding.FLAT, f"an output vanishes on {true.n_flat} full-dimensional cells")
    return replace(found, true=true, provenance=found.provenance.noting(*[flat] * bool(true.n_flat)))


def _merged(found: LevelSet, vertex: Tensor) -> LevelSet:
    """Make one vertex of those (V,) with the same number."""
    every = torch.arange(vertex.shape[0], device=vertex.device)
    kept = torch.full_like(torch.unique(vertex), vertex.shape[0]).scatter_reduce(0, vertex, every, "amin")
    n_merged = vertex.shape[0] - kept.shape[0]
    if not n_merged:
        return found
    edge, edges = _merged_edges(vertex[found.edges])
    merged = merge(found.polygons, vertex)
    contracted = Note(Finding.CONTRACTED, f"contracted: {n_merged} vertices coincided with others")
    return replace(
        found,
        vertices=found.vertices[kept],
        zero_ids=found.zero_ids[kept],
        words=found.words[kept],
        edges=edges,
        edge_zero_ids=found.edge_zero_ids[edge],
        polygons=merged.polygons,
        polygon_words=found.polygon_words[merged.polygon],
        polylines=merge(found.polylines, vertex, least=1).polygons,
        provenance=found.provenance.noting(contracted),
    )


def _true_signs(found: PolyhedralComplex | LevelSet, problem: SubdivisionProblem, exact: ExactRows) -> Signs:
    walls = problem.domain.halfspaces(problem.program.dtype, problem.program.device)
    codes = CellCodes(found.words, found.zero_ids)
    in_doubt = may_vanish(codes, found.vertices, problem.program, walls, exact.layout)
    return true_signs(codes, found.vertices, in_doubt, exact)


def _refuse(found: PolyhedralComplex | LevelSet, n_zeros: Tensor) -> None:
    """Refuse vertices on which more than D of the rows (V,) vanish."""
    n_degenerate = int((n_zeros > found.dim).sum())
    if n_degenerate:
        worst = int(n_zeros.argmax())
        raise DegenerateError(
            f"degenerate: at {n_degenerate} vertices more than {found.dim} rows vanish; at "
            f"{found.vertices[worst].tolist()} {int(n_zeros[worst])} do, among them "
            f"{found.zero_ids[worst].tolist()}: ask for degeneracy='perturb' or 'contract'"
        )


def _places(found: LevelSet, problem: SubdivisionProblem, exact: ExactRows) -> Tensor:
    """Number (V,) of each vertex's point: points are known by true signs; every ray is its own."""
    signs = torch.cat(_true_signs(found, problem, exact), dim=1)
    every = torch.arange(signs.shape[0], device=signs.device)
    names = torch.cat([signs, torch.where(found.is_ray(), every, -1)[:, None]], dim=1)
    return torch.unique(names, dim=0, return_inverse=True)[1]


def _merged_edges(edges: Tensor) -> tuple[Tensor, Tensor]:
    """Edges (E, 2) with two different ends, each once, and their ends."""
    low, high = edges.amin(1), edges.amax(1)
    names = low * (int(high.max()) + 1 if high.numel() else 1) + high
    once, number = torch.unique(names, return_inverse=True)
    every = torch.arange(edges.shape[0], device=edges.device)
    first = torch.full_like(once, edges.shape[0]).scatter_reduce(0, number, every, "amin")
    first = first[low[first] != high[first]]
    return first, edges[first]


class Merged(NamedTuple):
    """Polygons on fewer vertices."""

    polygons: Polygons
    polygon: Tensor  # (F',) int64: which polygon each was


def merge(polygons: Polygons, vertex: Tensor, least: int = 3) -> Merged:
    """Map the vertices (V,) of polygons to others, each once in a row; drop polygons of fewer corners."""
    corners = vertex[polygons.indices]
    remains = corners != corners[polygons.following()]
    sizes = polygons.sums(remains.long())
    is_face = sizes >= least
    remains &= is_face[polygons.owners()]
    faces = Polygons.of_sizes(sizes[is_face], corners[remains])
    return Merged(faces, is_face.nonzero()[:, 0])
