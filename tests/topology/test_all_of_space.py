"""In all of space every network has Betti numbers: those of a box that holds all its vertices."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from creased import Affine, Block, Box, Program, WholeSpace, betti_numbers, extract_complex, persistence
from creased.core.domains.coordinate_start import with_start
from creased.topology.betti import SIDES
from tests.slow import but_few
from tests.tropical.nets import integer_program

FAR = 2.0**70  # beyond all vertices, those of rows that are almost parallel too
LEVELS = (-1.0, 0.0, 0.5, 2.0)


def layer(weight: list[list[float]], bias: list[float]) -> Affine:
    return Affine(torch.tensor(weight, dtype=torch.float64), torch.tensor(bias, dtype=torch.float64))


def passed_by(affine: Affine, seed: int) -> Program:
    """A layer, what passes it by, and an integer network of both."""
    n, dim = affine.weight.shape
    both = torch.eye(n + dim, dtype=torch.float64)
    tail = integer_program([n + dim, 3, 1], 2, seed=seed)
    return Program((Block(affine, mix=both[:, :n], skip=both[:, n:]), *tail.blocks), tail.head)


PROGRAMS = {
    "affine, of a line": Program((), layer([[2]], [1])),
    "affine, of space": Program((), layer([[1, 2, 0]], [-1])),
    "constant": Program((), layer([[0, 0]], [0.5])),
    "constant, with neurons": Program((Block(layer([[0, 0], [0, 0]], [1, -1])),), layer([[2, 1]], [0])),
    "constant, by its head": Program((Block(layer([[1, 0], [0, 1]], [1, -1])),), layer([[0, 0]], [-1])),
    "leaves out a direction": Program((Block(layer([[1, 2], [-1, -2]], [-1, -1])),), layer([[1, 1]], [-1])),
    "alike up to rounding": Program(
        (Block(layer([[0.1, 0.3], [0.3, 0.9]], [-1, 1])),), layer([[1, -1]], [0])
    ),
    "passed by": passed_by(layer([[1, 0], [-1, 0]], [-1, -1]), 0),
    "passed by, in space": passed_by(layer([[1, 1, 0], [-1, 2, 0]], [0, 1]), 1),
}


def finite_intervals(program: Program, domain: Box | None) -> list[tuple[float, ...]]:
    return sorted(tuple(row) for row in persistence(program, domain) if abs(row.birth) < FAR / 8)


@pytest.mark.parametrize("name", PROGRAMS)
def test_numbers_are_those_of_a_large_box(name: str) -> None:
    program = PROGRAMS[name]
    box = Box.cube(program.in_dim, FAR)
    diagram = persistence(program)
    for level in LEVELS:
        found = {side: betti_numbers(program, None, level, side) for side in SIDES}
        assert found == {side: betti_numbers(program, box, level, side) for side in SIDES}
        assert diagram.betti_numbers(level) == found["below"]
    assert finite_intervals(program, None) == finite_intervals(program, box)


@pytest.mark.parametrize("seed", but_few(range(6), 2))
def test_numbers_of_networks_whose_first_layer_is_passed_by(seed: int) -> None:
    first = integer_program([2, 3], 2, seed=seed).head
    first.weight[:, 1] = 0
    program = passed_by(first, seed)
    box = Box.cube(2, FAR)
    for level in LEVELS:
        for side in SIDES:
            assert betti_numbers(program, None, level, side) == betti_numbers(program, box, level, side)


def slopes(program: Program, directions: Tensor) -> Tensor:
    return program(FAR * directions) - program(0 * directions)


def test_what_falls_without_bound_is_born_in_a_direction_of_the_input() -> None:
    for name in ("affine, of a line", "affine, of space", "passed by"):
        program = PROGRAMS[name]
        diagram = persistence(program)
        falls = diagram.births == -torch.inf
        assert falls.any()
        assert diagram.at_birth.shape == (len(diagram), program.in_dim)
        assert (slopes(program, diagram.at_birth[falls]) < 0).all()


def test_a_constant_is_all_or_nothing() -> None:
    for program in (program for name, program in PROGRAMS.items() if name.startswith("constant")):
        value, dim = float(program(torch.zeros(2, dtype=torch.float64))), program.in_dim
        everything, nothing = (1, *[0] * dim), (0,) * (dim + 1)
        for level in (value - 1, value, value + 1):
            found = [betti_numbers(program, None, level, side) for side in SIDES]
            assert found == [
                everything if there else nothing for there in (value < level, value == level, value > level)
            ]
        (interval,) = persistence(program)
        assert interval == (0, value, torch.inf)


def test_a_constant_of_many_inputs_is_on_a_line() -> None:
    constant = Program((), layer([[0] * 50], [1]))
    program, part = with_start(constant)
    assert program.in_dim == 1
    assert part is not None
    assert part.basis.shape == (50, 1)
    assert betti_numbers(constant, side="above") == (1, *[0] * 50)


def test_a_network_with_a_start_is_as_it_was() -> None:
    program = integer_program([2, 4, 1], 3, seed=0)
    assert with_start(program) == (program, None)


def test_coordinate_hyperplanes_change_no_value() -> None:
    for program in PROGRAMS.values():
        started, part = with_start(program)
        points = torch.randn((20, started.in_dim), dtype=torch.float64)
        torch.testing.assert_close(started(points), program(points if part is None else part.lift(points)))
        assert extract_complex(started, WholeSpace(started.in_dim)).part is None


@pytest.mark.parametrize("max_cells", [0, -1])
def test_a_number_of_cells_is_positive(max_cells: int) -> None:
    program = integer_program([2, 4, 1], 3, seed=0)
    for call in (betti_numbers, persistence):
        with pytest.raises(ValueError, match=rf"max_cells must be positive, got {max_cells}$"):
            call(program, Box.cube(2, 1), max_cells=max_cells)
