"""Invariants of complexes and level sets; cells by their codes, which do not depend on order."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor

from creased import LevelSet, PolyhedralComplex, Program
from creased.core.numerics.tolerance import get_epsilon

Signs = tuple[int, ...]
Codes = list[tuple[int, ...]]
Found = PolyhedralComplex | LevelSet


def _rows(*columns: Tensor) -> Codes:
    return [tuple(row) for row in torch.cat([column.long() for column in columns], dim=1).tolist()]


def vertex_codes(found: Found) -> Codes:
    """Signs and zero ids of each vertex."""
    return _rows(found.words, found.zero_ids)


def edge_codes(found: Found) -> Codes:
    """Signs and zero ids of each edge."""
    first, second = found.edges.long().unbind(1)
    return _rows(found.words[first] | found.words[second], found.edge_zero_ids)


def cell_codes(found: Found) -> tuple[Codes, Codes, Codes]:
    """Codes of vertices, edges and polygons, each in order."""
    polygons = _rows(found.polygon_words) if isinstance(found, LevelSet) else []
    return sorted(vertex_codes(found)), sorted(edge_codes(found)), sorted(polygons)


def vertices_by_code(found: Found) -> Tensor:
    """Positions in order of the vertices' codes: their own order is not promised."""
    codes = vertex_codes(found)
    return found.vertices[sorted(range(len(codes)), key=codes.__getitem__)]


def check_same(found: Found, expected: Found, tolerance: float = 1e-7) -> None:
    """Two extractions have the same cells in the same places."""
    assert found.n_inconsistent == expected.n_inconsistent == 0
    assert cell_codes(found) == cell_codes(expected)
    if isinstance(found, LevelSet) and isinstance(expected, LevelSet):
        assert found.polylines.n == expected.polylines.n
    places = (vertices_by_code(surface) for surface in (found, expected))
    torch.testing.assert_close(*places, rtol=10 * tolerance, atol=0.1 * tolerance)


def check_closed(surface: LevelSet, euler: int | None = None, n_components: int | None = None) -> None:
    """A surface or an outline is closed, oriented and manifold, and has the topology expected of it."""
    audit = surface.audit()
    assert (audit.is_closed, audit.is_oriented, audit.is_manifold) == (True, True, True), str(audit)
    assert (audit.n_inconsistent, audit.n_wall_vertices) == (0, 0)
    assert euler in (None, audit.euler_characteristic)
    assert n_components in (None, audit.n_components)


def check_contractible(complex_: PolyhedralComplex) -> None:
    """Every face is consistent, and the Euler characteristic is that of a convex domain."""
    assert complex_.n_inconsistent == 0
    assert complex_.euler_characteristic() == 1


def inner_points(surface: LevelSet) -> Tensor:
    """A point inside of every edge: seeds on all components."""
    return surface.vertices[surface.edges].mean(1)


def edge_signs(complex_: PolyhedralComplex) -> list[Signs]:
    """Sign vectors of the edges: the OR of the bits of their ends, zero at their zero ids."""
    ends = complex_.edges.long()
    signs = complex_.sign_vectors()
    merged = torch.maximum(signs[ends[:, 0]], signs[ends[:, 1]])
    merged = torch.where((signs[ends] == 0).all(1), merged, torch.where(merged == 0, -1, merged))
    return [tuple(row) for row in merged.tolist()]


def check_edges(complex_: PolyhedralComplex) -> None:
    """Each edge's ends share its zero ids, agree on all other rows, and no two edges have one code."""
    signs, ends = complex_.sign_vectors(), complex_.edges.long()
    first, second = signs[ends[:, 0]], signs[ends[:, 1]]
    assert bool((first * second >= 0).all()), "the ends of an edge lie on two sides of a row"
    is_common = torch.zeros_like(first, dtype=torch.bool)
    is_common.scatter_(1, complex_.edge_zero_ids.long(), torch.ones_like(is_common))
    torch.testing.assert_close((first == 0) & (second == 0), is_common)
    torch.testing.assert_close(
        is_common.sum(1), torch.full_like(is_common[:, 0], complex_.dim - 1, dtype=torch.int64)
    )
    assert len(set(edge_signs(complex_))) == complex_.edges.shape[0]


def check_stubs(complex_: PolyhedralComplex) -> None:
    """Every vertex has an edge for each of its zeros moved to + or -, and every edge has two ends."""
    n_walls = complex_.layout.n_walls
    ends_of: dict[Signs, int] = defaultdict(int)
    for signs in complex_.sign_vectors().tolist():
        for row in (i for i, sign in enumerate(signs) if sign == 0):
            for side in (1,) if row < n_walls else (1, -1):
                ends_of[(*signs[:row], side, *signs[row + 1 :])] += 1
    assert set(ends_of.values()) <= {2}
    assert set(ends_of) == set(edge_signs(complex_))


def check_faces(complex_: PolyhedralComplex) -> None:
    """The edges of every 2-face form one cycle."""
    n_walls = complex_.layout.n_walls
    faces: dict[Signs, list[tuple[int, int]]] = defaultdict(list)
    for signs, (a, b) in zip(edge_signs(complex_), complex_.edges.tolist(), strict=True):
        for row in (i for i, sign in enumerate(signs) if sign == 0):
            for side in (1,) if row < n_walls else (1, -1):
                faces[(*signs[:row], side, *signs[row + 1 :])].append((a, b))
    for edges in faces.values():
        neighbours: dict[int, list[int]] = defaultdict(list)
        for a, b in edges:
            neighbours[a].append(b)
            neighbours[b].append(a)
        assert all(len(pair) == 2 for pair in neighbours.values())
        before, at = edges[0]
        length = 1
        while at != edges[0][0]:
            before, at = at, next(v for v in (*neighbours[at], before) if v != before)
            length += 1
        assert length == len(edges)


def check_vertices(complex_: PolyhedralComplex, program: Program) -> None:
    """Signs are the network's own wherever it can tell, and the zero rows vanish."""
    n_walls, n_rows = complex_.layout.n_walls, complex_.layout.n_rows
    values = program.preactivations(complex_.vertices)[:, : n_rows - n_walls]
    doubt = get_epsilon(values.dtype) * (1 + values.abs().max())
    signs = complex_.sign_vectors()[:, n_walls:]
    found = torch.where(values.abs() > doubt, values.sign(), 0).to(signs.dtype)
    assert bool(((found == signs) | (found == 0)).all()), "a sign differs from the network's"
    assert bool((values[signs == 0].abs() <= doubt).all()), "a zero row does not vanish"
