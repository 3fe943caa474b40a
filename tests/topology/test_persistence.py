"""Homology of small complexes over several fields, and the matching that it is computed by."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from torch import Tensor

from creased.core.arrangement.facets import Facets
from creased.topology.cell_complexes import CellComplex
from creased.topology.critical_cells import CriticalCellsBySlab
from creased.topology.discrete_morse import match_lower_stars
from creased.topology.persistence import Classes, classes_of
from creased.topology.sublevel_filtration import FilteredComplex
from creased.topology.vertex_values import VertexValues

PROJECTIVE_PLANE = "012 023 034 045 051 124 235 341 452 513"  # six vertices


def simplicial(triangles: list[tuple[int, ...]]) -> CellComplex:
    """The complex of triangles and their faces."""
    faces = [sorted({f for t in triangles for f in combinations(sorted(t), k)}) for k in (1, 2, 3)]
    first = [0, len(faces[0]), len(faces[0]) + len(faces[1])]
    number = {face: first[len(face) - 1] + i for part in faces for i, face in enumerate(part)}
    rows = [
        (number[face], number[face[:i] + face[i + 1 :]], (-1) ** i)
        for part in faces[1:]
        for face in part
        for i in range(len(face))
    ]
    return CellComplex(tuple(map(len, faces)), Facets(*torch.tensor(rows).T), is_oriented=True)


def classes(complex_: CellComplex, values: Tensor, modulo: int) -> Classes:
    finder, dim = CriticalCellsBySlab(1, modulo), len(complex_.counts) - 1
    finder.add(FilteredComplex(complex_, VertexValues(values, values.sign().to(torch.int8)), values[:, None]))
    return classes_of(finder.found(), dim, modulo)


def homology(complex_: CellComplex, modulo: int, seed: int = 0) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    found = classes(complex_, torch.randperm(complex_.counts[0], generator=generator).double(), modulo)
    return torch.bincount(found.dims[found.deaths.values.isinf()], minlength=3).tolist()


def surface(identified: str) -> list[tuple[int, ...]]:
    """Triangles of a 4 x 4 square with opposite sides identified, for a Klein bottle two with a twist."""
    n = 4

    def vertex(i: int, j: int) -> int:
        if i >= n:
            i, j = i - n, (n - j) % n if identified == "klein" else j
        return i * n + j % n

    found = []
    for i in range(n):
        for j in range(n):
            a, b, c, d = vertex(i, j), vertex(i + 1, j), vertex(i, j + 1), vertex(i + 1, j + 1)
            found += [(a, b, d), (a, c, d)]
    return found


@pytest.mark.parametrize("seed", range(5))
def test_torsion_shows_in_one_field_alone(seed: int) -> None:
    plane = simplicial([tuple(map(int, word)) for word in PROJECTIVE_PLANE.split()])
    assert [homology(plane, modulo, seed) for modulo in (2, 0, 3)] == [[1, 1, 1], [1, 0, 0], [1, 0, 0]]
    klein = simplicial(surface("klein"))
    assert [homology(klein, modulo, seed) for modulo in (2, 0, 5)] == [[1, 2, 1], [1, 1, 0], [1, 1, 0]]
    torus = simplicial(surface("torus"))
    assert [homology(torus, modulo, seed) for modulo in (2, 0, 7)] == [[1, 2, 1]] * 3


def test_matching_pairs_cells_with_facets_of_their_star_without_cycles() -> None:
    torus = simplicial(surface("torus"))
    star = torus.highest(torch.randperm(16))
    matching = match_lower_stars(torus, star)
    lower = (matching.upper >= 0).nonzero()[:, 0]
    upper = matching.upper[lower]
    assert torch.equal(matching.lower[upper], lower)
    assert torch.equal(star[upper], star[lower])
    assert len(lower) + len(upper) + len(matching.critical()) == torus.n
    steps = {int(a): int(b) for a, b in zip(lower, upper, strict=True)}
    faces: dict[int, list[int]] = {}
    for cell, facet in zip(torus.facets.cell.tolist(), torus.facets.facet.tolist(), strict=True):
        faces.setdefault(cell, []).append(facet)
    done: set[int] = set()

    def follow(at: int, path: tuple[int, ...]) -> None:
        assert at not in path
        if at in steps and at not in done:
            for facet in faces[steps[at]]:
                if facet != at:
                    follow(facet, (*path, at))
            done.add(at)

    for start in steps:
        follow(start, ())


def test_pairs_are_those_of_a_path_up_and_down() -> None:
    path = CellComplex(
        (4, 3),
        Facets(*torch.tensor([[4, 0, -1], [4, 1, 1], [5, 1, -1], [5, 2, 1], [6, 2, -1], [6, 3, 1]]).T),
        True,
    )
    found = classes(path, torch.tensor([0.0, 3.0, 1.0, 2.0]), 0)  # two valleys, and a rise between
    assert found.dims.tolist() == [0, 0]
    assert found.births.values.tolist() == [1, 0]
    assert found.deaths.values.tolist() == [3, torch.inf]
    assert found.betti_numbers() == (0, 0)
    assert found.betti_numbers(is_closed=True) == (1, 0)


def test_a_subcomplex_is_paired_by_itself() -> None:
    torus = simplicial(surface("torus"))
    star, is_free = torus.highest(torch.randperm(16)), torch.ones(torus.n, dtype=torch.bool)
    is_free[torus.highest((torch.arange(16) >= 8).long()) == 0] = False
    matching = match_lower_stars(torus, star, is_free)
    paired = ((matching.upper >= 0) | (matching.lower >= 0)).nonzero()[:, 0]
    assert len(paired)
    assert is_free[paired].all()
    assert not is_free.all()
