"""Counts of the published implementation, on networks that lie beside the checkout or are not tested."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from creased import Box, Program, extract_complex, extract_level_set
from tests.invariants import check_contractible

Load = Callable[[str], Program]


@pytest.mark.parametrize(
    ("name", "n_vertices", "n_edges", "n_on_level"),
    [
        ("bunny_2d_2x50", 289, 543, 10),
        ("bunny_2d_4x32", 1284, 2507, 41),
        ("bunny_2d_2x100", 3203, 6287, 117),
        ("bunny_3d_3x16", 27562, 80656, 2878),
    ],
)
def test_bunny_has_the_published_counts(
    name: str, n_vertices: int, n_edges: int, n_on_level: int, shared_program: Load
) -> None:
    program = shared_program(name)
    box = Box.cube(program.in_dim, 0.5)
    complex_ = extract_complex(program, box)
    assert (complex_.vertices.shape[0], complex_.edges.shape[0]) == (n_vertices, n_edges)
    check_contractible(complex_)
    assert complex_.f_vector()[1] == n_edges
    assert extract_level_set(program, box).vertices.shape[0] == n_on_level


def test_small_bunny_is_open_at_ten_vertices(shared_program: Load) -> None:
    surface = extract_level_set(shared_program("bunny_3d_3x16"), Box.cube(3, 0.5))
    found = surface.audit()
    assert (found.n_vertices, found.n_edges, found.n_polygons) == (2878, 5751, 2874)
    assert (found.euler_characteristic, found.n_wall_vertices) == (1, 10)
    assert (found.is_closed, found.is_oriented, found.is_manifold) == (False, True, True)


@pytest.mark.slow
def test_large_bunny_has_the_prototype_counts(shared_program: Load) -> None:
    surface = extract_level_set(shared_program("bunny_3d_8x32"), Box.cube(3, 0.5))
    found = surface.audit()
    assert (found.n_vertices, found.n_polygons) == (111_642, 111_636)
    assert (found.is_oriented, found.is_manifold, found.n_inconsistent) == (True, True, 0)
