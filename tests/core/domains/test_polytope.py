"""Polytopes and simplices as domains: their vertices, what is refused, and networks cut on them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from creased import Box, Polytope, Simplex, count_cells, extract_complex, extract_level_set, find_regions
from tests.invariants import check_contractible, check_edges, check_faces, check_stubs
from tests.strategies import ball_program, random_program


def box_as_polytope(box: Box) -> Polytope:
    eye = torch.eye(box.dim, dtype=torch.float64)
    return Polytope(torch.cat([-eye, eye]), [*(-x for x in box.lower), *box.upper])


@pytest.mark.parametrize("dim", [1, 2, 3, 4])
def test_box_by_inequalities_gives_the_cells_of_the_box(dim: int, device: torch.device) -> None:
    box = Box([-1.0] * dim, [0.75] * dim)
    polytope = box_as_polytope(box)
    assert (polytope.lower, polytope.upper) == (box.lower, box.upper)
    program = random_program(dim, (5, 4), seed=dim, device=device)
    found = extract_complex(program, polytope)
    expected = extract_complex(program, box)
    assert found.f_vector() == expected.f_vector()
    assert count_cells(program, polytope, at_once=10) == expected.f_vector()
    assert find_regions(found).n == expected.f_vector()[-1]
    by_place = [sorted(map(tuple, c.vertices.cpu().round(decimals=9).tolist())) for c in (found, expected)]
    assert by_place[0] == by_place[1]


@pytest.mark.parametrize("dim", [1, 2, 3, 4])
def test_simplex_is_a_polytope(dim: int) -> None:
    generator = torch.Generator().manual_seed(dim)
    points = torch.randn((dim + 1, dim), generator=generator, dtype=torch.float64)
    simplex = Simplex(points)
    walls = simplex.halfspaces(torch.float64, torch.device("cpu"))
    values = torch.cat([points, torch.ones_like(points[:, :1])], dim=1) @ walls
    torch.testing.assert_close(values, torch.eye(dim + 1, dtype=torch.float64))
    polytope = Polytope(-walls[:-1].T, walls[-1])
    program = random_program(dim, (5, 4), seed=dim)
    found = extract_complex(program, simplex)
    assert found.f_vector() == extract_complex(program, polytope).f_vector()
    check_contractible(found)
    check_edges(found)
    check_stubs(found)


def test_vertices_of_a_random_polytope_are_those_of_brute_force() -> None:
    generator = torch.Generator().manual_seed(0)
    normals = torch.randn((12, 3), generator=generator, dtype=torch.float64)
    offsets = torch.rand(12, generator=generator, dtype=torch.float64) + 0.5
    polytope = Polytope(normals, offsets)
    triples = torch.combinations(torch.arange(12), 3)
    points = torch.linalg.solve(normals[triples], offsets[triples])
    inside = (points @ normals.T <= offsets + 1e-9).all(1)
    assert sorted(map(tuple, polytope.vertices.round(decimals=9).tolist())) == sorted(
        map(tuple, points[inside].round(decimals=9).tolist())
    )
    used = {i for triple in triples[inside].tolist() for i in triple}
    assert polytope.redundant == tuple(i for i in range(12) if i not in used)


def test_vertex_on_many_walls_is_several_vertices_in_one_place() -> None:
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3)
    octahedron = Polytope(signs, torch.ones(8))
    places = torch.unique(octahedron.vertices.round(decimals=9), dim=0)
    assert places.shape[0] == 6
    program = random_program(3, (5,), seed=2)
    found = extract_complex(program, octahedron)
    check_contractible(found)
    check_faces(found)


def test_redundant_and_duplicate_inequalities_bound_nothing() -> None:
    square = [[1, 0], [0, 1], [-1, 0], [0, -1]]
    polytope = Polytope([*square, [1, 1], [1, 0], [0, 0]], [1, 1, 1, 1, 3, 1, 2])
    assert polytope.redundant == (4, 5, 6)
    assert extract_complex(random_program(2, (3,)), polytope).f_vector() == (
        extract_complex(random_program(2, (3,)), Box.cube(2, 1)).f_vector()
    )


@pytest.mark.parametrize("degeneracy", ["perturb", "contract"])
@settings(max_examples=8)
@given(st.integers(2, 3), st.integers(1, 4), st.integers(0, 2**32))
def test_inequalities_that_bound_nothing_leave_no_cells(degeneracy: str, dim: int, n: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    box = Box.cube(dim, 1)
    plain = box_as_polytope(box)
    normals = torch.randint(-2, 3, (n, dim), generator=generator).double()
    slack = torch.randint(0 if degeneracy == "contract" else 1, 3, (n,), generator=generator)
    extra = normals.abs().sum(1) + slack  # with no slack, tangent or a duplicate
    more = Polytope(
        torch.cat([torch.tensor(plain.normals, dtype=torch.float64), normals]),
        [*plain.offsets, *extra.tolist()],
    )
    program = random_program(dim, (4, 3), seed=seed % 1000)
    found, expected = (extract_complex(program, domain, degeneracy=degeneracy) for domain in (more, plain))
    assert found.f_vector() == expected.f_vector()


@pytest.mark.parametrize(
    ("normals", "offsets", "message"),
    [
        ([[1, 0], [-1, 0], [0, 1], [0, -1]], [0, -1, 1, 1], "empty"),
        ([[1, 0], [0, 1], [0, 0], [-1, -1]], [1, 1, -1, 1], "empty"),
        ([[1, 0], [0, 1]], [1, 1], "unbounded"),
        ([[1, 0], [0, 1], [-1, 0]], [1, 1, 1], "unbounded"),
        ([[1, 0], [-1, 0]], [1, 1], "span 1 of 2 dimensions"),
        ([[1, 0], [-1, 0], [0, 1], [0, -1]], [0, 0, 1, 1], "without volume"),
        ([[1, 1], [-1, -1], [1, 0], [-1, 0]], [1, -1, 1, 0], "without volume"),
        ([[1, 0]], [1, 1], "normals"),
        ([[1, 0], [1]], [1, 1], "normals"),
        ([], [], "normals"),
        ([[float("nan"), 0], [0, 1]], [1, 1], "finite"),
    ],
)
def test_what_is_no_bounded_set_with_volume_is_refused(normals: list, offsets: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Polytope(normals, offsets)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([[0, 0], [1, 1], [2, 2]], "span 1 dimensions of 2"),
        ([[0, 0], [1, 1]], r"D \+ 1 points"),
        ([[0.0, float("inf")], [1, 1], [1, 0]], "finite"),
    ],
)
def test_simplex_without_volume_is_refused(points: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Simplex(points)


@pytest.mark.parametrize("method", ["subdivide", "march"])
@pytest.mark.parametrize("dim", [2, 3])
def test_closed_level_set_in_a_simplex_is_that_of_a_box(dim: int, method: str) -> None:
    eye = 4 * torch.eye(dim, dtype=torch.float64)
    simplex = Simplex(torch.cat([eye - 1, torch.full((1, dim), -1.0, dtype=torch.float64)]) - 0.0)
    program = ball_program(dim)
    found = extract_level_set(program, simplex, method=method).audit()
    expected = extract_level_set(program, Box.cube(dim, 2)).audit()
    assert found.is_closed
    assert (found.n_vertices, found.n_edges) == (expected.n_vertices, expected.n_edges)


@pytest.mark.parametrize("prune", [False, True])
def test_open_level_set_in_a_polytope_is_the_same_marched(prune: bool) -> None:
    generator = torch.Generator().manual_seed(3)
    normals = torch.randn((14, 3), generator=generator, dtype=torch.float64)
    polytope = Polytope(normals, normals.norm(dim=1))
    program = random_program(3, (8, 6), seed=4)
    found = extract_level_set(program, polytope, prune=prune)
    marched = extract_level_set(program, polytope, method="march", complete=True)
    assert found.audit().n_wall_vertices > 0
    assert found.audit().is_oriented
    assert (marched.vertices.shape, marched.polygons.n) == (found.vertices.shape, found.polygons.n)


def test_domain_moves_with_its_complex() -> None:
    polytope = box_as_polytope(Box.cube(2, 1))
    complex_ = extract_complex(random_program(2, (3,)), polytope)
    assert complex_.to("cpu").domain == polytope
