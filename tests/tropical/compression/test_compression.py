"""Compression: the same function, as certified, in exact arithmetic, and as small as specified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache

import pytest
import torch
from hypothesis import given, settings

from creased import Affine, Block, Box, Program, extract_level_set
from creased.core.exact.elimination import dot
from creased.tropical import cells, compress, compress_stable, equal, f_vector, stable_units
from creased.tropical.compression.rational_matrices import independent_rows
from tests.oracles import program_of
from tests.slow import slow
from tests.strategies import Case, assemble, degenerate_cases, generic_cases, random_program
from tests.tropical.nets import integer_program


def largest_difference(first: Program, second: Program, box: Box) -> Fraction:
    """The exact maximum of |f - g|: at the vertices of the common cells."""
    largest = Fraction(0)
    for outer in cells(first, box):
        for inner in cells(second, outer.cone):
            for ray in inner.cone.rays:
                maps = (outer.outputs, inner.outputs)
                f, g = (Fraction(dot(rows[0], ray), scale * ray[-1]) for rows, scale in maps)
                largest = max(largest, abs(f - g))
    return largest


@settings(max_examples=10)
@given(generic_cases(dims=(1, 2), max_depth=2))
def test_difference_is_within_the_bound(case: Case) -> None:
    smaller, certificate = compress(case.program, case.box, method="exact")
    assert largest_difference(case.program, smaller, case.box) <= Fraction(certificate.error_bound)
    assert smaller.n_neurons == case.program.n_neurons - certificate.n_inactive - certificate.n_folded
    assert certificate.widths_after == smaller.widths


@given(degenerate_cases(dims=(1, 2)))
def test_degenerate_networks_too(case: Case) -> None:
    smaller, certificate = compress(case.program, case.box, method="exact")
    assert largest_difference(case.program, smaller, case.box) <= Fraction(certificate.error_bound)
    if certificate.is_identical:
        assert equal(case.program, smaller, case.box).is_equal


@given(degenerate_cases(dims=(1, 2, 3)))
def test_deleting_only_is_identical(case: Case) -> None:
    smaller, certificate = compress(case.program, case.box, method="exact", fold=False)
    assert certificate.is_identical
    assert certificate.n_folded == 0
    assert smaller.n_neurons == case.program.n_neurons - certificate.n_inactive
    assert equal(case.program, smaller, case.box).is_equal


@pytest.mark.parametrize("method", ["interval", "linear", "engine"])
@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_bound_holds_by_every_method(method: str, slope: float) -> None:
    program, box = random_program(2, (8, 6, 4), seed=7, slope=slope), Box.cube(2, 0.2)
    smaller, certificate = compress(program, box, method=method)
    assert certificate.n_inactive + certificate.n_active > 0
    assert (
        largest_difference(program, smaller, box) <= Fraction(certificate.error_bound) < Fraction(1, 10**12)
    )


@pytest.mark.parametrize(
    ("name", "widths"), [("bunny_2d_2x50", (24, 17)), ("bunny_2d_4x32", (25, 21, 16, 10))]
)
def test_bunny_gets_as_small_as_the_specification_says(
    name: str, widths: tuple[int, ...], shared_program: Callable[[str], Program]
) -> None:
    program, box = shared_program(name), Box.cube(2, 0.5)
    smaller, certificate = compress(program, box)
    assert smaller.widths == widths
    assert 0 < certificate.error_bound < 3.6e-14
    before, after = (extract_level_set(p, box) for p in (program, smaller))
    assert before.vertices.shape == after.vertices.shape
    assert before.edges.shape == after.edges.shape


@cache
def _cells_of_network(seed: int, with_outputs: bool) -> tuple[int, ...]:
    program = integer_program((2, 6, 6, 6, 1), 9, seed=seed)
    return f_vector(program, Box.cube(2, 0.5), with_outputs=with_outputs)


@pytest.mark.parametrize("fold", [True, slow(False)])
def test_forty_networks_keep_the_cells_of_all_dimensions(fold: bool) -> None:
    box, before, after = Box.cube(2, 0.5), 0, 0
    for seed in range(40):  # weights in -9 ... 9, so that what is folded has room to be rounded
        program = integer_program((2, 6, 6, 6, 1), 9, seed=seed)
        smaller, certificate = compress(program, box, method="exact", fold=fold)
        for with_outputs in (False, True):  # the difference are the zero set's own cells
            expected = _cells_of_network(seed, with_outputs)
            assert f_vector(smaller, box, with_outputs=with_outputs) == expected
        if fold and not certificate.is_identical:
            gap = largest_difference(program, smaller, box)
            assert gap <= Fraction(certificate.error_bound) < Fraction(1, 10**11)
        before, after = before + program.n_neurons, after + smaller.n_neurons
    assert before == 720
    assert after == (500 if fold else 526)


def test_deleting_keeps_the_cells_of_degenerate_networks_too() -> None:
    for seed in range(40):  # three of these change if a folded weight is rounded: creases no longer coincide
        program, box = integer_program((2, 6, 6, 6, 1), 3, seed=seed), Box.cube(2, 0.5)
        smaller, certificate = compress(program, box, method="exact", fold=False)
        assert certificate.is_identical
        assert f_vector(smaller, box, with_outputs=True) == f_vector(program, box, with_outputs=True)


def test_active_units_beyond_the_rank_are_folded() -> None:
    program = random_program(2, (8, 1), seed=0)
    affine = program.blocks[0].affine
    raised = Block(Affine(affine.weight, affine.bias + 10))
    program = Program((raised, Block(program.blocks[1].affine)), program.head)
    affine = program.blocks[1].affine
    crossing = -(affine(torch.relu(raised.affine(torch.zeros(1, 2).double()))))[0]
    program = replace(program, blocks=(raised, Block(Affine(affine.weight, affine.bias + crossing))))
    one_unstable = torch.cat([raised.affine.weight, torch.tensor([[1.0, 0.0]]).double()])
    bias = torch.cat([raised.affine.bias, torch.zeros(1).double()])
    last = Affine(torch.cat([affine.weight, torch.ones(1, 1).double()], dim=1), affine.bias + crossing)
    wide = Program((Block(Affine(one_unstable, bias)), Block(last)), program.head)
    smaller, certificate = compress(wide, Box.cube(2, 1))
    assert smaller.widths == (3, 1)  # two of rank 2, and the unstable one
    assert certificate.n_folded == 6
    merged, certificate = compress(program, Box.cube(2, 1))
    assert merged.widths == (1,)  # a layer of active units only
    assert (certificate.n_folded, certificate.n_merged) == (8, 1)


def test_network_that_is_affine_on_the_box_becomes_its_head() -> None:
    program = random_program(3, (6, 5), seed=1)
    smaller, certificate = compress(program, Box([40, 40, 40], [41, 41, 41]))
    assert smaller.blocks == ()
    assert certificate.widths_after == ()
    assert "hidden widths 6, 5 -> none" in str(certificate)
    assert "with rounded weights it differs by" in str(certificate)
    assert "at most, on [40, 41]^3\n" in str(certificate)


def test_stable_leaky_units_become_passthrough() -> None:
    program = random_program(2, (5, 4), seed=2, slope=0.25)
    smaller, certificate = compress(program, Box.cube(2, 0.1))
    assert certificate.n_inactive + certificate.n_active == 9 - smaller.n_neurons > 0
    far = Box([50, 50], [51, 51])
    assert compress(program, far)[0].blocks == ()
    assert largest_difference(program, compress(program, far)[0], far) < Fraction(1, 10**12)


def test_float32_networks_stay_so_with_a_wider_bound() -> None:
    program = random_program(2, (8, 6), seed=7, dtype=torch.float32)
    box = Box.cube(2, 0.2)
    smaller, certificate = compress(program, box)
    assert smaller.dtype == torch.float32
    assert 1e-9 < certificate.error_bound < 1e-5
    assert largest_difference(program, smaller, box) <= Fraction(certificate.error_bound)


def test_everywhere_rounding_has_no_bound_but_deleting_needs_none() -> None:
    dead = {"weight": [["1", "0"], ["0", "0"]], "bias": ["0", "-1"]}
    program = program_of([dead, {"weight": [["1", "7"]], "bias": ["0"]}])
    smaller, certificate = compress(program, None)
    assert (smaller.widths, certificate.error_bound) == ((1,), 0.0)
    assert equal(program, smaller).is_equal
    assert "everywhere" in str(certificate)
    ones = torch.ones(1, 1).double()
    constants = Affine(torch.zeros(1, 1).double(), ones[0])  # always active
    third = Affine(torch.tensor([[1 / 3]]).double(), ones[0] * 0.1)
    skip = Block(constants, ones / 3, ones / 7, None)
    merged, certificate = compress(Program((skip,), third), None)
    assert merged.blocks == ()
    assert certificate.error_bound == float("inf")


@given(degenerate_cases(dims=(3,), max_depth=1))
def test_rows_are_the_combinations_of_a_basis(case: Case) -> None:
    rows = [[Fraction(x) for x in row] for row in case.program.blocks[0].affine.weight.tolist()]
    basis, combinations = independent_rows(rows)
    assert sorted([*basis, *combinations]) == list(range(len(rows)))
    assert len(basis) == torch.linalg.matrix_rank(case.program.blocks[0].affine.weight)
    for index, combination in combinations.items():
        assert set(combination) <= set(basis)
        made = [sum(c * rows[k][i] for k, c in combination.items()) for i in range(3)]
        assert made == rows[index]


def test_signs_of_another_network_are_refused() -> None:
    stable = stable_units(random_program(2, (5, 4)), Box.cube(2, 1))
    with pytest.raises(ValueError, match=r"a sign for each neuron, \(5, 3\) by layer, got \(5, 4\)"):
        compress_stable(random_program(2, (5, 3)), Box.cube(2, 1), stable)


def test_several_outputs_are_kept() -> None:
    affines = [block.affine for block in random_program(2, (6,), seed=3).blocks]
    program = assemble([*affines, random_program(6, (), out_dim=3, seed=4).head])
    smaller, _ = compress(program, Box.cube(2, 0.3))
    points = torch.rand(20, 2).double() * 0.6 - 0.3
    torch.testing.assert_close(smaller(points), program(points))
