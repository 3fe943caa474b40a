"""Cell counts and cells against exact rational enumeration: copied counts, and brute force in fractions."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from creased import Box, extract_complex, extract_level_set
from creased.core.provenance import Finding
from tests.invariants import check_contractible
from tests.oracles import (
    ExactComplex,
    NotGenericError,
    cells_of,
    contracted_counts,
    exact_complex,
    named_case,
    named_cells,
    named_surface,
)
from tests.strategies import random_program

NAMED = named_cells()
GENERIC = ["random_2_6_6_1"]  # the others have a vertex on more rows than dimensions
# Vertices of these are not floating-point numbers, and rounding decides signs that are zero in truth, unless
# they are decided exactly.
IN_DOUBT = ["zero_bias_2_4_4_1", "ternary_2_4_3_1_seed8", "ternary_2_4_3_1_seed9", "ternary_3_4_3_1_seed4"]
MEETS_OUTPUT_ONLY_BY_CROSSING = [  # nets of which {f = 0} is the boundary of {f < 0}, and has no interior
    *["l1_ball_2d", "octahedron", "cube", "torus", "shell", "two_octahedra", "box_1x2x3", "cone", "diagonal"],
    *["three_concurrent_lines", "duplicate_neuron", "tent_3_minus_third", "random_2_6_6_1", "random_3_5_4_1"],
    *["ternary_2_4_3_1_seed1", "ternary_2_4_3_1_seed11", "ternary_3_4_3_1_seed2", "ternary_3_4_3_1_seed3"],
    *["ternary_3_4_3_1_seed4", "ternary_3_4_3_1_seed5"],
]


@pytest.mark.parametrize("name", sorted(set(NAMED) - set(GENERIC)))
def test_named_net_is_degenerate(name: str) -> None:
    program, box = named_case(name)
    with pytest.raises(NotGenericError):
        exact_complex(program, box.lower, box.upper)


@pytest.mark.parametrize("name", GENERIC)
def test_generic_net_has_the_exact_cells(name: str, device: torch.device, dtype: torch.dtype) -> None:
    net, (program, box) = NAMED[name], named_case(name)
    assert list(exact_complex(program, box.lower, box.upper).f_vector) == net["cells"]
    complex_ = extract_complex(program.to(device, dtype), box)
    assert list(complex_.f_vector()) == net["cells"]
    surface = extract_level_set(program.to(device, dtype), box)
    assert [surface.vertices.shape[0], surface.edges.shape[0]] == net["zero_cells"][:2]


@cache
def _perturbed(name: str) -> ExactComplex:
    program, box = named_case(name)
    return exact_complex(program, box.lower, box.upper, perturb=True)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", sorted(NAMED))
def test_named_net_has_the_vertices_of_the_perturbed_net(name: str, exact: bool) -> None:
    if name in IN_DOUBT and not exact:
        pytest.skip("rounding decides signs that are zero")
    program, box = named_case(name)
    expected = _perturbed(name)
    complex_ = extract_complex(program, box, exact=exact)
    assert cells_of(complex_) == expected.cells[0]
    assert complex_.f_vector() == expected.f_vector
    assert complex_.n_inconsistent == 0
    surface = extract_level_set(program, box, exact=exact)
    counts = (surface.vertices.shape[0], surface.edges.shape[0], surface.polygons.n)
    on_level = expected.on_row(complex_.layout.first_output)
    assert counts == (*on_level, 0, 0)[:3] if box.dim == 3 else counts[:2] == (*on_level, 0)[:2]


@pytest.mark.parametrize("name", sorted(NAMED))
def test_contracted_net_has_the_true_vertices_and_edges(name: str) -> None:
    complex_ = extract_complex(*named_case(name))
    check_contractible(complex_)
    assert list(contracted_counts(complex_.vertices, complex_.edges, 1e-9)) == NAMED[name]["cells"][:2]


@pytest.mark.parametrize("name", MEETS_OUTPUT_ONLY_BY_CROSSING)
def test_contracted_level_set_has_the_true_vertices_and_edges(name: str) -> None:
    surface = named_surface(name)
    assert list(contracted_counts(surface.vertices, surface.edges, 1e-9)) == NAMED[name]["zero_cells"][:2]


def test_flat_zero_set_is_empty_and_says_so() -> None:
    surface = named_surface("flat")
    assert surface.is_empty
    assert surface.provenance.has(Finding.EMPTY)


@pytest.mark.parametrize("slope", [0.0, 0.25])
@pytest.mark.parametrize(
    ("dim", "widths"), [(1, (6, 4)), (2, (5, 4)), (2, (3, 3, 3)), (3, (4, 3)), (4, (4,))]
)
@pytest.mark.parametrize("seed", range(3))
def test_random_net_has_the_vertices_of_brute_force(
    dim: int, widths: tuple[int, ...], slope: float, seed: int, device: torch.device, dtype: torch.dtype
) -> None:
    program = random_program(dim, widths, seed=seed, slope=slope, dtype=dtype, device=device)
    exact = exact_complex(program, [-1] * dim, [1.5] * dim, slope=slope)
    complex_ = extract_complex(program, Box([-1] * dim, [1.5] * dim))
    assert cells_of(complex_) == exact.cells[0]
    assert complex_.f_vector() == exact.f_vector
    surface = extract_level_set(program, Box([-1] * dim, [1.5] * dim))
    assert surface.vertices.shape[0] == exact.on_row(complex_.layout.first_output)[0]
    expected = [
        [float(x) for x in exact.positions[tuple(signs)]] for signs in complex_.sign_vectors().tolist()
    ]
    tolerance = 1e-9 if dtype == torch.float64 else 1e-3
    wanted = torch.tensor(expected, dtype=dtype, device=device)
    torch.testing.assert_close(complex_.vertices, wanted, rtol=tolerance, atol=tolerance)
