"""Misuse raises, naming the constraint and the value; degeneracy does not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from creased import Affine, Block, Box, Program, extract_complex, extract_level_set
from creased.core.provenance import Finding
from tests.strategies import random_program


@pytest.mark.parametrize(
    ("lower", "upper", "message"),
    [
        ((0, 0), (1,), "one length"),
        ((), (), "one length"),
        ((0, 1), (1, 1), "axis 1.*1.0 and 1.0"),
        ((2, 0), (1, 1), "axis 0"),
        ((0, math.nan), (1, 1), "axis 1"),
        ((-math.inf,), (1,), "axis 0"),
        ((0,), (math.inf,), "got 0.0 and inf"),
    ],
)
def test_box_without_volume_is_refused(lower: tuple, upper: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Box(lower, upper)


def test_cube_is_a_box() -> None:
    assert Box.cube(3, 0.5) == Box([-0.5] * 3, torch.tensor([0.5] * 3))
    assert (Box.cube(3, 0.5).dim, Box.cube(3, 0.5).n_walls) == (3, 6)
    with pytest.raises(ValueError, match="axis 0"):
        Box.cube(2, -1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", range(6))
def test_weights_that_are_not_finite_are_refused(value: float, place: int) -> None:
    program = random_program(2, (3, 3))
    tensor = list(program.tensors())[place]
    tensor.view(-1)[0] = value
    for extract in (extract_complex, extract_level_set):
        with pytest.raises(ValueError, match="NaN or infinity"):
            extract(program, Box.cube(2, 1))


def test_passthrough_that_is_not_finite_is_refused() -> None:
    block = random_program(2, (3,), slope=0.1).blocks[0]
    program = Program((replace(block, shift=torch.full((3,), math.nan)),), random_program(3, ()).head)
    with pytest.raises(ValueError, match=r"shape \(3,\) holds NaN"):
        extract_complex(program, Box.cube(2, 1))


def test_domain_of_another_dimension_is_refused() -> None:
    for extract in (extract_complex, extract_level_set):
        with pytest.raises(ValueError, match=r"2 inputs.*3 dimensions"):
            extract(random_program(2, (3,)), Box.cube(3, 1))


def test_box_of_too_many_dimensions_is_refused() -> None:
    for extract in (extract_complex, extract_level_set):
        with pytest.raises(ValueError, match=r"2\^64 corners.*slice"):
            extract(random_program(64, (3,)), Box.cube(64, 1))


def test_what_stops_before_it_finds_anything_does_not_say_that_there_is_nothing() -> None:
    torch.manual_seed(0)
    program = random_program(3, (48,) * 6)
    found = extract_level_set(program, Box.cube(3, 1), 100.0, prune=False, memory=100_000)
    assert found.is_empty
    assert found.provenance.has(Finding.STOPPED)
    assert "before the stop" in found.status
    assert "no point was found" not in found.status


@pytest.mark.parametrize("output", [-1, 2, 7])
def test_output_out_of_range_is_refused(output: int) -> None:
    with pytest.raises(ValueError, match=rf"output.*0\.\.1.*{output}"):
        extract_level_set(random_program(2, (3,), out_dim=2), Box.cube(2, 1), output=output)


@pytest.mark.parametrize("dim", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("level", [1e3, -1e3])
def test_level_that_is_not_met_is_a_status(dim: int, level: float) -> None:
    surface = extract_level_set(random_program(dim, (4, 3)), Box.cube(dim, 1), level)
    assert surface.is_empty
    assert surface.provenance.has(Finding.EMPTY)
    assert surface.is_complete
    assert f"{level:g}" in surface.status
    found = surface.audit()
    assert (found.n_vertices, found.n_edges, found.n_polygons, found.n_components) == (0, 0, 0, 0)
    assert str(found) == "empty level set"
    assert not found.is_closed
    assert surface.triangles().shape == (0, 3)


@pytest.mark.parametrize("constant", [0.0, 1.0, -1.0])
def test_constant_function_has_no_level_set(constant: float) -> None:
    block = Block(Affine(torch.zeros(4, 3), torch.zeros(4)))
    program = Program((block,), Affine(torch.zeros(1, 4), torch.full((1,), constant)))
    assert extract_level_set(program, Box.cube(3, 1)).is_empty
    assert extract_complex(program, Box.cube(3, 1)).f_vector() == (8, 12, 6, 1)
