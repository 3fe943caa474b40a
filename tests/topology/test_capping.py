"""Networks that close what is below a level along the walls of a box."""

from __future__ import annotations

import pytest
import torch

from creased import Box, Program, extract_level_set
from creased.topology.capping import capped, first_weight
from tests.strategies import random_program

PROGRAMS = {"plain": 0.0, "leaky": 0.1}  # slopes


def affine() -> Program:
    """A program without neurons."""
    found = random_program(2, (3,), seed=1)
    return Program(
        (), found.head.__class__(found.blocks[0].affine.weight[:1], found.blocks[0].affine.bias[:1])
    )


@pytest.mark.parametrize("slope", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("widths", [(6,), (6, 5), (6, 5, 4)])
def test_it_is_the_function_at_the_nearest_point_and_the_distance(
    widths: tuple[int, ...], slope: float
) -> None:
    program, box = random_program(2, widths, seed=3, slope=slope), Box((-0.5, -1), (1.0, 0.3))
    larger, around = capped(program, box, 8.0)
    points = torch.rand((200, 2), dtype=torch.float64)
    low, high = torch.tensor([around.lower, around.upper], dtype=torch.float64)
    points = low + points * (high - low)
    nearest = torch.stack([points[:, 0].clamp(-0.5, 1.0), points[:, 1].clamp(-1, 0.3)], dim=1)
    expected = program(nearest) + 8 * (points - nearest).abs().sum(1, keepdim=True)
    torch.testing.assert_close(larger(points), expected)
    assert (nearest != points).any()
    assert all(block.is_plain for block in larger.blocks) == (slope == 0)


def test_a_program_without_neurons_is_closed_too() -> None:
    larger, _ = capped(affine(), Box.cube(2, 1.0), 4.0)
    points = torch.tensor([[0.5, 0.5], [1.25, -1.5]], dtype=torch.float64)
    nearest, distance = points.clamp(-1, 1), torch.tensor([[0.0], [0.75]], dtype=torch.float64)
    torch.testing.assert_close(larger(points), affine()(nearest) + 4 * distance)


def test_weights_that_are_no_binary_fractions_are_not_rounded() -> None:
    program, box = random_program(2, (6, 5), seed=3), Box((-0.3, -0.7), (0.1, 0.9))
    larger, _ = capped(program, box, 8.0)
    low_and_high = [-0.3, -0.7, -0.1, -0.9]
    assert larger.exact.blocks[0].affine.bias.tolist()[2:] == low_and_high
    weights = {float(x) for tensor in program.tensors() for x in tensor.flatten()}
    left = {float(x) for tensor in larger.exact.tensors() for x in tensor.flatten()} - weights
    assert left <= {0.0, 1.0, -1.0, 4.0, -4.0, 8.0, -8.0, *low_and_high}


@pytest.mark.parametrize("dim", [2, 3])
def test_its_level_set_is_closed_in_the_larger_box(dim: int) -> None:
    program, box = random_program(dim, (10, 8), seed=4), Box.cube(dim, 1)
    assert extract_level_set(program, box).audit().n_wall_vertices
    larger, around = capped(program, box, first_weight(program, box, 0.0))
    audit = extract_level_set(larger, around).audit()
    assert audit.is_closed
    assert audit.n_wall_vertices == 0
