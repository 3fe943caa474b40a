"""Equality is decided exactly: rewritten networks are equal, the least change is found."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from creased import Affine, Block, Box, Program
from creased.tropical import TropicalRational, equal
from tests.oracles import program_of
from tests.strategies import random_program
from tests.tropical.nets import named

NAMES = ["E2321", "rnd[2,4,3,1]s3", "rnd[3,3,2,1]s5"]


def rewritten(program: Program) -> Program:
    """The same function: each layer's neurons in reverse, and scaled by powers of two."""
    affines = [*(block.affine for block in program.blocks), program.head]
    for i in range(len(affines) - 1):
        n = affines[i].bias.shape[0]
        order, scale = torch.arange(n).flip(0), 2.0 ** torch.arange(n)
        affines[i] = Affine(
            affines[i].weight[order] * scale[:, None].double(), affines[i].bias[order] * scale.double()
        )
        affines[i + 1] = Affine(affines[i + 1].weight[:, order] / scale.double(), affines[i + 1].bias)
    return Program(tuple(map(Block, affines[:-1])), affines[-1])


def nudged(program: Program, layer: int, *, bias: bool) -> Program:
    """2^-40 more on one weight, or bias, of a layer."""
    affine = program.blocks[layer].affine
    weight, constant = affine.weight.clone(), affine.bias.clone()
    (constant if bias else weight[0])[0] += 2.0**-40
    blocks = list(program.blocks)
    blocks[layer] = replace(blocks[layer], affine=Affine(weight, constant))
    return Program(tuple(blocks), program.head)


def maps(*programs: Program) -> list[TropicalRational]:
    return [TropicalRational.from_program(program) for program in programs]


@pytest.mark.parametrize("name", NAMES)
def test_permuted_and_rescaled_networks_are_equal(name: str) -> None:
    program = named(name)
    assert equal(program, rewritten(program)) == (True, None)
    assert equal(program, rewritten(program), Box.cube(program.in_dim, 3)).is_equal
    assert equal(*maps(program, rewritten(program))) == (True, None)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bias", [True, False])
def test_the_least_change_is_found_with_a_witness(name: str, bias: bool) -> None:
    program = named(name)
    other = nudged(program, 0, bias=bias)
    first, second = maps(program, other)
    for found in (equal(program, other), equal(first, second)):
        assert not found.is_equal
        assert found.witness is not None
        assert first.value_at(found.witness) != second.value_at(found.witness)


def test_two_ways_to_write_an_absolute_value() -> None:
    sums = program_of(
        [{"weight": [["1"], ["-1"]], "bias": ["0", "0"]}, {"weight": [["1", "1"]], "bias": ["0"]}]
    )
    skip = program_of([{"weight": [["1"]], "bias": ["0"]}, {"weight": [["2"]], "bias": ["0"]}])
    block = replace(skip.blocks[0], mix=torch.tensor([[2.0]]).double(), skip=torch.tensor([[-1.0]]).double())
    passthrough = Program((block,), Affine(torch.ones(1, 1).double(), torch.zeros(1).double()))
    assert equal(sums, passthrough).is_equal
    assert equal(*maps(sums, passthrough)).is_equal
    found = equal(sums, skip)
    assert found.witness is not None
    assert found.witness[0] != 0  # both vanish at zero


def test_functions_that_differ_far_away_only() -> None:
    f = program_of([{"weight": [["1"]], "bias": ["-100"]}, {"weight": [["1"]], "bias": ["0"]}])
    zero = program_of([{"weight": [["0"]], "bias": ["0"]}])
    assert equal(f, zero, Box([-50], [100])).is_equal
    assert equal(*maps(f, zero), Box([-50], [100])).is_equal
    for found in (equal(f, zero), equal(*maps(f, zero))):
        assert found.witness is not None
        assert found.witness[0] > 100


def test_witness_lies_in_the_domain() -> None:
    f, g = random_program(2, (3, 3), seed=1), random_program(2, (4,), seed=2)
    found = equal(f, g, Box([0.25, 0.25], [0.5, 0.5]))
    assert found.witness is not None
    assert all(Fraction(1, 4) <= x <= Fraction(1, 2) for x in found.witness)


def test_leaky_networks_are_compared_too() -> None:
    f = random_program(2, (3, 2), seed=3, slope=0.25)
    assert equal(f, f).is_equal
    assert not equal(f, nudged(f, 1, bias=True)).is_equal


def test_what_cannot_be_compared_is_refused() -> None:
    program = named("E231")
    (f,) = maps(program)
    with pytest.raises(TypeError, match="two programs or two tropical rational maps"):
        equal(program, f)
    with pytest.raises(ValueError, match="same inputs and outputs"):
        equal(program, named("rnd[3,4,1]s4"))
    with pytest.raises(ValueError, match="needs an exact map"):
        equal(f, TropicalRational.from_program(program, Box.cube(2, 1), exact=False), Box.cube(2, 1))
    with pytest.raises(ValueError, match="is known on"):
        equal(f, TropicalRational.from_program(program, Box.cube(2, 1)))
