"""Invariants of complexes and level sets of drawn networks, generic and degenerate."""

from __future__ import annotations

import torch
from hypothesis import given, settings

from creased import extract_complex, extract_level_set
from tests.invariants import check_contractible, check_edges, check_faces, check_stubs, check_vertices
from tests.strategies import Case, degenerate_cases, generic_cases, near_degenerate_cases


@given(generic_cases())
def test_closed_box_has_euler_characteristic_one(case: Case) -> None:
    complex_ = extract_complex(case.program, case.box)
    check_contractible(complex_)
    assert complex_.f_vector()[1] == complex_.edges.shape[0]


@given(generic_cases())
def test_ends_of_every_edge_agree_with_its_code(case: Case) -> None:
    check_edges(extract_complex(case.program, case.box))


@given(generic_cases())
def test_every_stub_is_an_edge_with_two_ends(case: Case) -> None:
    check_stubs(extract_complex(case.program, case.box))


@given(generic_cases(dims=(2, 3, 4)))
def test_edges_of_every_face_form_one_cycle(case: Case) -> None:
    check_faces(extract_complex(case.program, case.box))


@given(generic_cases())
def test_signs_are_those_of_the_network(case: Case) -> None:
    check_vertices(extract_complex(case.program, case.box), case.program)


@given(generic_cases())
def test_vertices_lie_in_the_box_and_on_their_walls(case: Case) -> None:
    complex_ = extract_complex(case.program, case.box)
    lower, upper = (torch.tensor(side, dtype=torch.float64) for side in (case.box.lower, case.box.upper))
    assert bool(((complex_.vertices >= lower) & (complex_.vertices <= upper)).all())
    signs = complex_.sign_vectors()[:, : complex_.layout.n_walls]
    torch.testing.assert_close(signs[:, 0::2] == 0, complex_.vertices == lower)
    torch.testing.assert_close(signs[:, 1::2] == 0, complex_.vertices == upper)


@given(generic_cases())
def test_zero_ids_ascend(case: Case) -> None:
    complex_ = extract_complex(case.program, case.box)
    assert bool((complex_.zero_ids.diff(dim=1) > 0).all())
    assert bool((complex_.edge_zero_ids.diff(dim=1) > 0).all())


@settings(max_examples=2 * settings.default.max_examples)
@given(degenerate_cases())
def test_degenerate_networks_give_simple_closed_complexes(case: Case) -> None:
    complex_ = extract_complex(case.program, case.box)
    check_vertices(complex_, case.program)
    if complex_.n_inconsistent == 0:  # not promised where a sign is in doubt by rounding; see subdivide.py
        assert complex_.euler_characteristic() == 1
        check_edges(complex_)
        check_stubs(complex_)


@settings(max_examples=2 * settings.default.max_examples)
@given(near_degenerate_cases())
def test_nearly_degenerate_networks_give_simple_closed_complexes(case: Case) -> None:
    complex_ = extract_complex(case.program, case.box)
    check_contractible(complex_)
    check_edges(complex_)
    check_stubs(complex_)


@settings(max_examples=2 * settings.default.max_examples)
@given(degenerate_cases(dims=(3,)))
def test_degenerate_surfaces_end_at_walls_only_and_are_oriented(case: Case) -> None:
    found = extract_level_set(case.program, case.box).audit()
    if found.n_inconsistent == 0:
        assert found.is_oriented
        assert found.is_manifold
        assert found.n_boundary_edges <= found.n_wall_vertices


@given(generic_cases(dims=(2, 3)))
def test_level_sets_end_at_walls_only(case: Case) -> None:
    surface = extract_level_set(case.program, case.box)
    found = surface.audit()
    assert found.n_inconsistent == 0
    assert found.is_oriented
    assert found.is_manifold
    n_ends = found.n_wall_vertices  # D = 2: an end is a vertex; D = 3: boundary edges form cycles of as many
    assert found.n_boundary_edges == n_ends
