"""Networks that are not generic: their true cells, against copied counts, theorems and enumeration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings

from creased import (
    Affine,
    Block,
    Box,
    DegenerateError,
    LevelSet,
    Program,
    WholeSpace,
    extract_complex,
    extract_level_set,
)
from creased.core.provenance import Finding, Method
from creased.geometry import enclosed_volume
from tests.core.test_exact_cells import MEETS_OUTPUT_ONLY_BY_CROSSING
from tests.oracles import named_case, named_cells, program_of, true_cells_of
from tests.strategies import Case, ball_program, degenerate_cases, random_program

NAMED = named_cells()


def arrangement(rows: Sequence[Sequence[float]]) -> Program:
    """Hyperplanes normal . x + constant = 0, each given as (*normal, constant)."""
    table = torch.tensor(rows, dtype=torch.float64)
    head = Affine(torch.ones((1, len(rows)), dtype=torch.float64), torch.zeros(1, dtype=torch.float64))
    return Program((Block(Affine(table[:, :-1], table[:, -1])),), head)


def differences(n: int, constants: Sequence[float]) -> Program:
    """The hyperplanes x_i - x_j + c = 0, i < j, of n coordinates; none looks along (1, ..., 1)."""
    rows = []
    for i, j in combinations(range(n), 2):
        normal = [0.0] * n
        normal[i], normal[j] = 1.0, -1.0
        rows += [[*normal, c] for c in constants]
    return arrangement(rows)


@pytest.mark.parametrize("name", sorted(NAMED))
def test_contracted_net_has_the_exact_cells_of_all_dimensions(name: str) -> None:
    program, box = named_case(name)
    complex_ = extract_complex(program, box, degeneracy="contract")
    assert list(complex_.f_vector()) == NAMED[name]["cells"]
    assert complex_.euler_characteristic() == 1
    assert complex_.true is not None
    on_level = complex_.true.on_row(complex_.layout.first_output)
    expected = (*NAMED[name]["zero_cells"], 0)
    assert on_level == expected[: len(on_level)]
    assert complex_.true.n_flat == on_level[-1]
    assert complex_.provenance.has(Finding.FLAT) == (on_level[-1] > 0)
    assert complex_.true.edges.shape[0] == complex_.f_vector()[1]


@pytest.mark.parametrize("name", MEETS_OUTPUT_ONLY_BY_CROSSING)
def test_contracted_level_set_has_the_exact_cells(name: str) -> None:
    program, box = named_case(name)
    surface = extract_level_set(program, box, degeneracy="contract")
    counts = (surface.vertices.shape[0], surface.edges.shape[0], surface.polygons.n)
    n_dims = 3 if box.dim == 3 else 2
    assert list(counts[:n_dims]) == [*NAMED[name]["zero_cells"], 0][:n_dims]
    assert torch.unique(surface.vertices.round(decimals=9), dim=0).shape[0] == counts[0]


B3 = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
D3 = [[1, 1, 0, 0], [1, -1, 0, 0], [1, 0, 1, 0], [1, 0, -1, 0], [0, 1, 1, 0], [0, 1, -1, 0]]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (arrangement([[1, 0, 0], [0, 1, 0], [1, 1, 0]]), (1, 6, 6)),
        (arrangement([[1, 0, 0], [1, 0, -1], [0, 1, 0], [0, 1, -1], [0, 1, -2]]), (6, 17, 12)),
        (arrangement([[1, 0, 0], [1, 0, 0], [0, 1, 0]]), (1, 4, 4)),
        (differences(3, [0]), (1, 6, 6)),
        (differences(4, [0]), (1, 14, 36, 24)),  # braid: n!
        (arrangement(B3 + D3), (1, 26, 72, 48)),  # 2^n n!
        (arrangement(D3), (1, 14, 36, 24)),
        (differences(3, [0, -1]), (6, 21, 16)),  # Shi: (n + 1)^(n - 1)
        (differences(4, [0, -1]), (24, 144, 244, 125)),
        (differences(3, [-1, 0, 1]), (13, 42, 30)),  # Catalan: n! times the Catalan number
        (differences(4, [-1, 0, 1]), (75, 424, 684, 336)),
        (differences(3, [-1]), (3, 9, 7)),
        (differences(4, [-1]), (10, 51, 76, 36)),  # Linial
    ],
)
def test_arrangement_has_the_cells_of_its_theorem(program: Program, expected: tuple[int, ...]) -> None:
    domain = WholeSpace(program.in_dim)
    complex_ = extract_complex(program, domain, level=None, degeneracy="contract")
    assert complex_.f_vector() == expected
    assert complex_.euler_characteristic() == (-1) ** complex_.dim


DEEP_2D = [
    {"weight": [["-12", "16"], ["-16", "-4"], ["-13", "11"], ["8", "10"]], "bias": ["4", "-7", "-14", "11"]},
    {
        "weight": [[-19, 4, 7, 18], [-20, 8, -3, -6], [17, -14, 0, -19], [-19, -19, 14, -20]],
        "bias": [4, -7, 7, -19],
    },
    {"weight": [[13, -6, 8, 11]], "bias": [15]},
]
DEEP_3D = [
    {"weight": [[4, 6, -18], [-4, 12, 11], [5, -1, 10]], "bias": [2, 17, -7]},
    {"weight": [[12, -12, -2], [-12, -14, 19], [-4, 14, 18]], "bias": [-11, -1, -14]},
    {"weight": [[-16, 1, 10]], "bias": [15]},
]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (NAMED["l1_ball_2d"]["layers"], (5, 8, 4, 4)),
        (NAMED["octahedron"]["layers"], (7, 18, 6, 6)),
        (NAMED["cube"]["layers"], (27, 82, 26, 26)),
        (NAMED["torus"]["layers"], (41, 112, 26, 10)),
        (DEEP_2D, (29, 50, 16, 13)),
        (DEEP_3D, (16, 31, 34, 16)),
    ],
)
def test_whole_space_has_the_exact_vertices_edges_rays_and_directions(
    layers: list, expected: tuple[int, ...]
) -> None:
    program = program_of(layers)
    complex_ = extract_complex(program, WholeSpace(program.in_dim), degeneracy="contract")
    true = complex_.true
    assert true is not None
    is_bounded = (true.edges >= 0).all(1)
    directions = complex_.vertices[complex_.is_ray()].round(decimals=9) + 0.0
    n_directions = torch.unique(directions, dim=0).shape[0]
    counts = (true.f_vector()[0], int(is_bounded.sum()), int((~is_bounded).sum()), n_directions)
    assert counts == expected
    assert complex_.euler_characteristic() == (-1) ** program.in_dim


def check_against_enumeration(case: Case) -> None:
    cells = true_cells_of(case.program, case.box.lower, case.box.upper)
    complex_ = extract_complex(case.program, case.box, degeneracy="contract")
    assert complex_.true is not None
    by_dim = [{cell.signs for cell in cells if cell.dim == k} for k in range(complex_.dim + 1)]
    for dim, expected in enumerate(by_dim):
        found = [tuple(signs) for signs in complex_.true.sign_vectors(dim).tolist()]
        assert len(found) == len(set(found))
        assert set(found) == expected
    ends = [complex_.true.vertices[end] for end in complex_.true.edges.unbind(1)]
    assert bool(((ends[0] - ends[1]).abs().amax(1) > 0).all())


@given(degenerate_cases(dims=(1, 2), max_depth=3))
@settings(max_examples=2 * settings.default.max_examples)
def test_degenerate_net_has_the_cells_of_the_enumerator(case: Case) -> None:
    check_against_enumeration(case)


@given(degenerate_cases(dims=(3,), max_depth=2))
@settings(max_examples=8)
def test_degenerate_net_in_space_has_the_cells_of_the_enumerator(case: Case) -> None:
    check_against_enumeration(case)


@pytest.mark.parametrize("seed", range(3))
def test_generic_net_is_its_own_contraction(seed: int) -> None:
    program, box = random_program(2, (6, 5), seed=seed), Box.cube(2, 1)
    expected = extract_complex(program, box, degeneracy="error").f_vector()
    found = extract_complex(program, box, degeneracy="contract")
    assert found.f_vector() == expected == extract_complex(program, box).f_vector()
    cells = Counter(cell.dim for cell in true_cells_of(program, box.lower, box.upper))
    assert expected == tuple(cells[k] for k in range(3))


@pytest.mark.parametrize("name", ["octahedron", "duplicate_neuron", "ternary_2_4_3_1_seed1"])
def test_degeneracy_is_an_error_on_request(name: str) -> None:
    for extract in (extract_complex, extract_level_set):
        with pytest.raises(DegenerateError, match=r"more than [23] rows.*\["):
            extract(*named_case(name), degeneracy="error")


def test_level_set_apart_from_what_is_degenerate_is_no_error() -> None:
    program = ball_program(3)
    assert extract_level_set(program, Box.cube(3, 1), degeneracy="error").audit().is_closed


def volume_of(surface: LevelSet) -> float:
    return float(enclosed_volume(surface.vertices, surface.polygons))


def test_zero_sign_decides_whether_a_flat_region_is_inside() -> None:
    program, box = named_case("flat")  # relu(|x| + |y| + |z| - 1)
    assert extract_level_set(program, box, zero_sign=1, degeneracy="contract").is_empty
    inside = extract_level_set(program, box, zero_sign=-1, degeneracy="contract")
    assert (inside.vertices.shape[0], inside.edges.shape[0], inside.polygons.n) == (6, 12, 8)
    assert inside.audit().is_closed
    assert volume_of(inside) == pytest.approx(4 / 3)


@pytest.mark.parametrize("domain", [Box.cube(2, 1), WholeSpace(2)])
def test_zero_sign_changes_nothing_where_no_output_vanishes_on_a_cell(domain: Box | WholeSpace) -> None:
    program = random_program(2, (6, 5), seed=2, out_dim=2)
    plus, minus = (extract_complex(program, domain, zero_sign=sign) for sign in (1, -1))
    assert {tuple(s) for s in plus.sign_vectors().tolist()} == {
        tuple(s) for s in minus.sign_vectors().tolist()
    }


def test_zero_sign_keeps_the_orientation() -> None:
    surfaces = [extract_level_set(ball_program(3), Box.cube(3, 1), zero_sign=sign) for sign in (1, -1)]
    assert volume_of(surfaces[0]) == pytest.approx(volume_of(surfaces[1]))
    assert volume_of(surfaces[0]) > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"degeneracy": "ignore"}, "perturb, contract, error.*ignore"),
        ({"zero_sign": 0}, "zero_sign.*got 0"),
    ],
)
def test_other_options_are_refused(options: dict, message: str) -> None:
    for extract in (extract_complex, extract_level_set):
        with pytest.raises(ValueError, match=message):
            extract(random_program(2, (3,)), Box.cube(2, 1), **options)


@pytest.mark.parametrize("options", [{"degeneracy": "contract"}, {"exact": True}, {"zero_sign": -1}])
def test_exactness_is_left_to_subdivision_where_the_method_is_open(options: dict) -> None:
    found = extract_level_set(random_program(3, (200,)), Box.cube(3, 0.1), method="auto", **options)
    assert found.provenance.method is Method.SUBDIVIDE
    assert found.provenance.has(Finding.CHOSEN)


def test_single_precision_is_left_for_double() -> None:
    program = named_case("octahedron")[0].to(dtype=torch.float32)
    complex_ = extract_complex(program, Box.cube(3, 2), degeneracy="contract")
    assert complex_.vertices.dtype == torch.float64
    assert complex_.f_vector() == (33, 72, 56, 16)


@pytest.mark.parametrize("seed", range(3))
def test_contracted_polygons_keep_the_volume(seed: int) -> None:
    program = ball_program(3, 8, seed=seed)
    box = Box.cube(3, 1)
    perturbed, contracted = (extract_level_set(program, box, degeneracy=d) for d in ("perturb", "contract"))
    assert volume_of(perturbed) == pytest.approx(volume_of(contracted))
