"""What is bounded and what is not: cells of all of space, the sphere at infinity, the bounded subcomplex."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given

from creased import Affine, Block, Program
from creased.core.exact.elimination import rank
from creased.tropical import Cell, bounded_regions, cells, f_vector, regions_at_infinity
from creased.tropical.polyhedra.faces import closed_sets
from tests.strategies import Case, degenerate_cases, generic_cases, random_program
from tests.tropical.nets import arrangement, named

NAMED = ["L1", "OCT", "CUBE", "TORUS", "rnd[2,4,4,1]s1", "rnd[3,3,3,1]s0"]


def without_biases(program: Program) -> Program:
    def linear(affine: Affine) -> Affine:
        return Affine(affine.weight, torch.zeros_like(affine.bias))

    return Program(tuple(Block(linear(block.affine)) for block in program.blocks), linear(program.head))


def cut_by_output(program: Program) -> Program:
    """The same creases, and those of the output as if it were a neuron."""
    ones = program.head.weight.new_ones((1, program.out_dim))
    return Program((*program.blocks, Block(program.head)), Affine(ones, ones.new_zeros(1)))


def is_bounded(cell: Cell) -> bool:
    return not cell.cone.lines and all(ray[-1] for ray in cell.cone.rays)


def has_open_recession_cone(cell: Cell) -> bool:
    """Whether the directions in which a cell is unbounded have an interior."""
    directions = [ray for ray in cell.cone.rays if not ray[-1]]
    return rank([*directions, *cell.cone.lines]) == cell.cone.dim - 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("L1", (4, 4)),
        ("OCT", (6, 12, 8)),
        ("CUBE", (26, 56, 32)),
        ("TORUS", (10, 24, 16)),
        ("rnd[2,4,4,1]s1", (13, 13)),
        ("rnd[3,3,3,1]s0", (16, 36, 22)),
    ],
)
def test_sphere_at_infinity_has_the_directions_of_the_table(name: str, expected: tuple[int, ...]) -> None:
    apex, *on_sphere = f_vector(without_biases(named(name)), with_outputs=True)  # cones over its cells
    assert (apex, tuple(on_sphere)) == (1, expected)
    euler = sum((-1) ** k * n for k, n in enumerate(expected))
    assert euler == 1 + (-1) ** (len(expected) - 1)  # of a circle 0, of a sphere 2


@pytest.mark.parametrize("name", NAMED)
def test_named_cells_that_widen_are_those_without_biases(name: str) -> None:
    program = cut_by_output(named(name))
    wide = sum(map(has_open_recession_cone, cells(program)))
    assert wide == sum(1 for _ in cells(without_biases(program)))


@given(degenerate_cases(dims=(1, 2, 3)))
def test_cells_that_widen_are_those_without_biases(case: Case) -> None:
    wide = [cell.signs for cell in cells(case.program) if has_open_recession_cone(cell)]
    linear = [cell.signs for cell in cells(without_biases(case.program))]
    assert len(wide) == len(set(wide)) == len(linear)
    left = set(wide)
    for signs in linear:  # a neuron that vanishes there without biases has any sign with them
        (same,) = (w for w in left if all(a == b or b == 0 for a, b in zip(w, signs, strict=True)))
        left.remove(same)


@pytest.mark.parametrize(("n", "dim"), [(3, 1), (3, 2), (5, 2), (6, 2), (5, 3), (6, 3), (3, 3)])
def test_simple_arrangement_has_the_bounded_and_unbounded_cells_of_its_formula(n: int, dim: int) -> None:
    found = [is_bounded(cell) for cell in cells(random_program(dim, (n,), seed=10 * n + dim))]
    assert sum(found) == bounded_regions(n, dim)
    assert len(found) - sum(found) == regions_at_infinity(n, dim)


def euler_of_bounded_faces(program: Program) -> int:
    """The alternating sum of the bounded faces of all cells, each counted once."""
    seen: dict[frozenset[tuple[int, ...]], int] = {}
    for cell in cells(program):
        cone = cell.cone
        assert not cone.lines  # pointed
        for mask in closed_sets(cone):
            face = frozenset(ray for i, ray in enumerate(cone.rays) if mask >> i & 1)
            if face and all(ray[-1] for ray in face):
                seen[face] = rank([*face]) - 1
    return sum((-1) ** dim for dim in seen.values())


@pytest.mark.parametrize("name", [*NAMED, "E231", "E2321", "rnd[2,3,3,1]s2", "rnd[3,3,2,1]s5"])
def test_bounded_subcomplex_of_named_nets_has_euler_number_one(name: str) -> None:
    assert euler_of_bounded_faces(cut_by_output(named(name))) == 1


@given(generic_cases(dims=(1, 2), max_depth=2))
def test_bounded_subcomplex_has_euler_number_one_where_it_is_pointed(case: Case) -> None:
    first = case.program.blocks[0].affine.weight
    if torch.linalg.matrix_rank(first) == case.program.in_dim:
        assert euler_of_bounded_faces(case.program) == 1


def test_bounded_cells_may_be_none() -> None:
    lines = arrangement([[1, 0, 0], [0, 1, 0], [1, 1, 0]])
    assert not any(map(is_bounded, cells(lines)))
    assert euler_of_bounded_faces(lines) == 1
