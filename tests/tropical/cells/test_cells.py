"""Exact cells: against theorems on arrangements, copied counts, sampled points, and the engine."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given

from creased import Box, CellLimitError, Program, extract_complex
from creased.core.exact.elimination import dot
from creased.tropical import cells, f_vector, generic_f_vector
from creased.tropical.cells.cells import over_box
from tests.oracles import named_cells, program_of
from tests.strategies import Case, degenerate_cases, generic_cases, random_program
from tests.tropical.nets import arrangement, differences, named

AXES = [[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0]]
SUMS = [[1.0, 1, 0, 0], [1, -1, 0, 0], [1, 0, 1, 0], [1, 0, -1, 0], [0, 1, 1, 0], [0, 1, -1, 0]]
ARRANGEMENTS = {
    "three concurrent lines": ([[1.0, 0, 0], [0, 1, 0], [1, 1, 0]], (1, 6, 6)),
    "grid": ([[1.0, 0, 0], [1, 0, -1], [0, 1, 0], [0, 1, -1], [0, 1, -2]], (6, 17, 12)),
    "duplicates": ([[1.0, 0, 0], [2, 0, 0], [0, 1, 0], [0, -1, 0]], (1, 4, 4)),
    "braid A3": (differences(4, [0]), (1, 14, 36, 24)),
    "B3": (AXES + SUMS, (1, 26, 72, 48)),
    "D3": (SUMS, (1, 14, 36, 24)),
    "Shi 3": (differences(3, [0, 1]), (6, 21, 16)),
    "Shi 4": (differences(4, [0, 1]), (24, 144, 244, 125)),
    "Catalan 3": (differences(3, [-1, 0, 1]), (13, 42, 30)),
    "Linial 3": (differences(3, [1]), (3, 9, 7)),
}


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_arrangement_has_the_faces_of_its_theorem(name: str) -> None:
    rows, expected = ARRANGEMENTS[name]
    assert f_vector(arrangement(rows)) == expected


def test_linial_arrangement_has_as_many_regions_as_alternating_trees() -> None:
    assert f_vector(arrangement(differences(4, [1])))[-1] == 36


@pytest.mark.parametrize("name", sorted(named_cells()))
def test_box_has_the_copied_number_of_cells_of_every_dimension(name: str) -> None:
    net = named_cells()[name]
    box = Box(*([bound] * net["dim"] for bound in net["box"]))
    assert list(f_vector(program_of(net["layers"]), box, with_outputs=True)) == net["cells"]


@pytest.mark.parametrize(
    ("name", "n_vertices", "n_edges"),
    [
        ("L1", 5, 8 + 4),
        ("OCT", 7, 18 + 6),
        ("CUBE", 27, 82 + 26),
        ("TORUS", 41, 112 + 26),
        ("rnd[2,4,4,1]s1", 29, 50 + 16),
        ("rnd[3,3,3,1]s0", 16, 31 + 34),
    ],
)
def test_all_of_space_has_the_copied_number_of_vertices_and_edges(
    name: str, n_vertices: int, n_edges: int
) -> None:
    counts = f_vector(named(name), with_outputs=True)
    assert counts[:2] == (n_vertices, n_edges)
    dim = len(counts) - 1
    assert sum((-1) ** k * n for k, n in enumerate(counts)) == (-1) ** dim  # open cells of all of space


@pytest.mark.parametrize(("n", "dim"), [(5, 2), (5, 3), (6, 3), (4, 1), (1, 2)])
def test_random_layer_has_the_generic_f_vector(n: int, dim: int) -> None:
    assert f_vector(random_program(dim, (n,), seed=n)) == generic_f_vector(n, dim)


@given(generic_cases(dims=(1, 2, 3)))
def test_generic_box_has_the_cells_of_the_engine(case: Case) -> None:
    expected = extract_complex(case.program, case.box, level=None).f_vector()
    assert sum(1 for _ in cells(case.program, case.box)) == expected[-1]


@given(degenerate_cases(dims=(1, 2, 3)))
def test_cells_have_the_signs_and_outputs_of_their_points(case: Case) -> None:
    program = case.program
    for cell in cells(program, case.box):
        point = torch.tensor([[float(x) for x in cell.cone.point()]], dtype=torch.float64)
        rows = program.preactivations(point)[0]
        for sign, value in zip(cell.signs, rows.tolist(), strict=False):
            assert value * sign > -1e-9
            assert sign or abs(value) < 1e-9
        expected = [float(sum(a * b for a, b in zip(m, (*cell.cone.point(), 1), strict=True)))
                    for m in cell.outputs.fractions()]  # fmt: skip
        torch.testing.assert_close(rows[program.n_neurons :].tolist(), expected)


@given(degenerate_cases(dims=(2,)))
def test_areas_of_the_cells_add_up_to_that_of_the_box(case: Case) -> None:
    total = Fraction(0)
    for cell in cells(case.program, case.box):
        centre = cell.cone.point()
        corners = [tuple(Fraction(x, ray[-1]) for x in ray[:-1]) for ray in cell.cone.rays]
        total += _area(corners, centre)
    side = [Fraction(b) - Fraction(a) for a, b in zip(case.box.lower, case.box.upper, strict=True)]
    assert total == side[0] * side[1]


def _area(corners: list[tuple[Fraction, ...]], centre: tuple[Fraction, ...]) -> Fraction:
    """Exact area of a convex polygon: its corners in order around an inner point."""

    def half(v: tuple[Fraction, Fraction]) -> int:
        return 0 if (v[1] > 0 or (v[1] == 0 and v[0] > 0)) else 1

    arms = [(x - centre[0], y - centre[1]) for x, y in corners]
    ordered = sorted(arms, key=lambda v: (half(v), -v[0] / v[1] if v[1] else Fraction(-(10**30))))
    pairs = zip(ordered, ordered[1:] + ordered[:1], strict=True)
    return sum((abs(a[0] * b[1] - a[1] * b[0]) for a, b in pairs), Fraction(0)) / 2


def test_rays_are_tight_where_the_cone_says() -> None:
    for cell in cells(named("E2321"), Box.cube(2, 3)):
        walls = [(1, 0, 3), (-1, 0, 3), (0, 1, 3), (0, -1, 3)]
        for ray, tight in zip(cell.cone.rays, cell.cone.tight, strict=True):
            assert [dot(wall, ray) == 0 for wall in walls] == [bool(tight >> i & 1) for i in range(1, 5)]


def test_output_map_of_a_direction_is_a_slope() -> None:
    pairs = [(cell.outputs, ray) for cell in cells(named("L1")) for ray in cell.cone.rays if not ray[-1]]
    assert {Fraction(dot(outputs.rows[0], ray), outputs.scale) for outputs, ray in pairs} == {1}


def test_flat_neuron_has_sign_zero_on_open_cells() -> None:
    signs = [cell.signs[-1] for cell in cells(named("FLAT"))]
    assert signs.count(1) == 8  # outside of the octahedron
    assert signs.count(-1) == 8
    program = program_of(
        [
            {"weight": [["1"]], "bias": ["0"]},
            {"weight": [["1"]], "bias": ["0"]},
            {"weight": [["1"]], "bias": ["0"]},
        ]
    )
    assert {cell.signs for cell in cells(program)} == {(1, 1), (-1, 0)}


def test_rank_deficient_layer_leaves_lines() -> None:
    found = list(cells(arrangement([[1.0, 1, 0], [1, 1, -1]])))
    assert len(found) == 3
    assert all(len(cell.cone.lines) == 1 for cell in found)
    assert f_vector(arrangement([[1.0, 1, 0], [1, 1, -1]])) == (0, 2, 3)


def test_too_many_cells_are_refused_with_the_number() -> None:
    with pytest.raises(CellLimitError, match="more than 5 cells"):
        list(cells(random_program(2, (6,)), Box.cube(2, 4), most=5))


def test_another_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="takes 2 inputs, but the domain has 3"):
        next(cells(random_program(2, (3,)), Box.cube(3, 1)))


def test_weights_that_are_not_finite_are_refused() -> None:
    program = random_program(2, (3,))
    program.head.bias[0] = float("nan")
    with pytest.raises(ValueError, match="NaN or infinity"):
        next(cells(program))


def test_cone_over_a_box_has_its_corners() -> None:
    cone = over_box(Box([-0.5, 1], [0.25, 3]))
    corners = {tuple(Fraction(x, ray[-1]) for x in ray[:-1]) for ray in cone.rays}
    expected = {(a, b) for a in (Fraction(-1, 2), Fraction(1, 4)) for b in (Fraction(1), Fraction(3))}
    assert corners == expected


def test_program_without_neurons_is_one_cell(dtype: torch.dtype) -> None:
    program: Program = random_program(2, (), dtype=dtype)
    assert [cell.signs for cell in cells(program)] == [()]
