"""The three counts: the table of the specification, both methods against each other, and bounds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module

import pytest
import torch
from hypothesis import given

from creased import Box, CellLimitError, Program
from creased.tropical import activation_cells, affine_pieces, cells, count, f_vector, linear_regions
from creased.tropical.cells.engine_cells import engine_cells
from creased.tropical.cells.fingerprints import number_maps
from creased.tropical.cells.report import count_table
from tests.strategies import Case, degenerate_cases, generic_cases, random_program
from tests.tropical.nets import named

TABLE = {
    "relu(x)-relu(-x)": (2, 1, 1),
    "tent^2": (6, 6, 5),
    "tent^3": (10, 10, 9),
    "L1": (4, 4, 4),
    "max(x,y)=x+r(y-x)": (4, 2, 2),
    "E231": (7, 7, 7),
    "E2321": (14, 13, 13),
    "rnd[2,4,3,1]s3": (22, 14, 14),
}


@pytest.mark.parametrize("name", TABLE)
def test_named_net_has_the_counts_of_the_table(name: str) -> None:
    assert count(named(name))[:3] == TABLE[name]


def test_single_numbers_are_those_of_the_count() -> None:
    program = named("rnd[2,4,3,1]s3")
    assert (activation_cells(program), linear_regions(program), affine_pieces(program)) == (22, 14, 14)


@given(degenerate_cases(dims=(1, 2, 3)))
def test_engine_counts_as_integers_do_on_degenerate_networks(case: Case) -> None:
    exact = count(case.program, case.box, method="exact")
    assert count(case.program, case.box, method="engine")[:3] == exact[:3]


@given(generic_cases(dims=(1, 2, 3), max_depth=3))
def test_engine_counts_as_integers_do_on_generic_networks(case: Case) -> None:
    exact = count(case.program, case.box, method="exact")
    assert count(case.program, case.box, method="engine")[:3] == exact[:3]
    assert exact.affine_pieces <= exact.linear_regions <= exact.activation_cells


@given(degenerate_cases(dims=(1, 2)))
def test_numbers_of_maps_are_equal_where_the_maps_are(case: Case) -> None:
    found = list(cells(case.program, case.box))
    masks = torch.tensor([[float(s > 0) for s in cell.signs] for cell in found])
    numbers = number_maps(case.program, masks.reshape(len(found), -1)).tolist()
    pairs = set(zip(numbers, (cell.outputs for cell in found), strict=True))
    assert len(pairs) == len(set(numbers)) == len({cell.outputs for cell in found})


def test_regions_that_touch_in_a_point_are_not_connected() -> None:
    program = named("CUBE")  # max(|x|, |y|, |z|) - 1: six pyramids, each of several cells
    assert count(program)[:3] == (32, 6, 6)
    assert count(program, Box.cube(3, 2), method="engine")[:3] == (32, 6, 6)


@pytest.mark.parametrize(
    ("name", "expected"), [("bunny_2d_2x50", 246), ("bunny_2d_4x32", 1186), ("bunny_3d_3x16", 22713)]
)
def test_bunny_has_as_many_cells_by_both_methods(
    name: str, expected: int, shared_program: Callable[[str], Program]
) -> None:
    program = shared_program(name)
    box = Box.cube(program.in_dim, 0.5)
    assert count(program, box, method="engine")[:3] == (expected,) * 3
    if program.in_dim == 2:
        assert count(program, box, method="exact")[:3] == (expected,) * 3


def test_all_of_space_is_refused_by_the_engine() -> None:
    with pytest.raises(ValueError, match="needs a bounded domain, got None"):
        count(named("L1"), method="engine")


def test_another_method_is_refused() -> None:
    with pytest.raises(ValueError, match="method must be one of"):
        count(named("L1"), method="guess")


def test_too_large_a_complex_is_refused_with_numbers() -> None:
    with pytest.raises(CellLimitError, match="stopped after"):
        engine_cells(random_program(3, (12, 12), seed=1), Box.cube(3, 1), memory=50_000, at_once=300)


def rows_of(table: str) -> dict[str, list[str]]:
    """What stands behind each name of a table, in words."""
    return {line[:22].strip(): line[22:].replace(",", "").split() for line in table.splitlines()}


def test_table_has_the_three_counts_and_all_bounds_by_their_names() -> None:
    rows = rows_of(count_table(named("E2321"), Box.cube(2, 4)))
    names = [
        "activation cells",
        "linear regions",
        "affine pieces",
        "Serra 2018",
        "Montufar 2017",
        "Raghu 2017",
    ]
    names += ["Montufar 2014", "Zaslavsky 1975", "Hanin-Rolnick 2019"]
    first = [int(rows[name][0]) for name in names]
    assert first == [14, 13, 13, 25, 28, 28, 4, 16, 12]  # N^D / D! = 12.5
    assert rows["f-vector"][:3] == ["21", "34", "14"]


def test_table_counts_cells_in_pieces_as_if_perturbed() -> None:
    rows = rows_of(count_table(named("E2321"), Box.cube(2, 4), method="stream"))
    assert rows["activation cells"] == ["15"]
    assert int(rows["f-vector"][2]) == 15
    assert "linear regions" not in rows


@pytest.mark.parametrize("name", ["L1", "FLAT", "E2321"])
def test_f_vector_of_the_table_is_that_of_the_true_complex(name: str) -> None:
    program = named(name)
    box = Box.cube(program.in_dim, 2)
    rows = rows_of(count_table(program, box))
    assert tuple(map(int, rows["f-vector"][: program.in_dim + 1])) == f_vector(program, box)


def test_table_names_bounds_that_do_not_hold() -> None:
    narrow = rows_of(count_table(random_program(3, (2, 4)), Box.cube(3, 1)))
    assert "narrower than the input" in " ".join(narrow["Montufar 2014"])
    passthrough = rows_of(count_table(random_program(3, (2, 4), slope=0.1), Box.cube(3, 1)))
    assert "Serra 2018" not in passthrough
    assert passthrough["Raghu 2017"][0] == "60"
    assert "without a passthrough only" in " ".join(passthrough["Montufar 2014"])


@pytest.mark.parametrize("method", ["auto", "exact", "engine", "stream"])
def test_table_of_many_inputs_has_bounds_and_says_why_there_are_no_counts(method: str) -> None:
    table = count_table(random_program(64, (8, 8), out_dim=10), Box.cube(64, 1), method=method)
    rows = rows_of(table)
    assert "a box of 64 dimensions has 2^64 corners" in table
    assert " ".join(rows["domain"]) == "[-1 1]^64"
    assert (rows["Serra 2018"], rows["Raghu 2017"][0]) == (["39203"], "65536")
    assert "says nothing" in " ".join(rows["Hanin-Rolnick 2019"])


def test_table_of_too_large_a_complex_still_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = import_module("creased.tropical.cells.counts")  # the door has a function of that name
    monkeypatch.setattr(counts, "engine_cells", partial(engine_cells, at_once=300))
    program = random_program(3, (12, 12), seed=1)
    table = count_table(program, Box.cube(3, 1), method="engine", memory=50_000)
    assert "not counted" in table
    assert "Montufar 2017" in table
