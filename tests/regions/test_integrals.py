"""Volumes and integrals: closed forms, exact rationals, samples, and the divergence theorem."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
import torch
from torch import nn

from creased import (
    MLP,
    Affine,
    Block,
    Box,
    GridMLP,
    Program,
    Simplex,
    WholeSpace,
    extract_level_set,
    integrate,
    lower,
)
from creased.geometry import sublevel_volume
from tests.slow import slow
from tests.tropical.nets import integer_program, named


@pytest.mark.parametrize(
    ("name", "half_width", "volume"),
    [
        ("OCT", 2, Fraction(4, 3)),
        ("CUBE", 2, Fraction(8)),
        ("TORUS", 4, Fraction(8)),
        ("SHELL", 8, Fraction(104, 3)),
    ],
)
def test_solids_have_their_volumes(name: str, half_width: int, volume: Fraction) -> None:
    box = Box.cube(3, half_width)
    found = integrate(named(name), box)
    assert found.volume_below == pytest.approx(float(volume), rel=1e-14)
    assert found.volume == pytest.approx((2 * half_width) ** 3, rel=1e-14)
    assert found.volume_above == pytest.approx(float(found.volume) - float(volume), rel=1e-14)


@pytest.mark.parametrize("dim", [1, 2, 3, slow(4)])
def test_the_norm_ball_in_rationals(dim: int) -> None:
    """|x|_1 - 1 on [-2, 2]^D: volume 2^D / D!, mean D - 1, gradient sqrt D everywhere."""
    eye = torch.eye(dim, dtype=torch.float64)
    hidden = Affine(torch.cat([eye, -eye]), torch.zeros(2 * dim, dtype=torch.float64))
    head = Affine(eye.new_ones((1, 2 * dim)), -eye.new_ones(1))
    found = integrate(Program((Block(hidden),), head), Box.cube(dim, 2), exact=True)
    assert found.volume == 4**dim
    assert found.volume_below == Fraction(2**dim, math.factorial(dim))
    assert found.mean == dim - 1
    assert found.integral_below == -Fraction(2**dim, math.factorial(dim + 1))  # a cone of height 1
    assert found.total_variation == pytest.approx(math.sqrt(dim) * 4**dim, rel=1e-14)
    assert f"mean of f              {dim - 1}" in str(found)


def test_flat_parts_are_neither_below_nor_above() -> None:
    for exact in (False, True):
        found = integrate(named("FLAT"), Box.cube(3, 2), exact=exact)
        assert found.volume_below == 0
        assert float(found.volume - found.volume_above) == pytest.approx(4 / 3, rel=1e-14)
        assert float(found.volume_on) == pytest.approx(4 / 3, rel=1e-14)
        assert "volume of f = 0        1.33333333333" in str(found)


@pytest.mark.parametrize("tiny", [1e-9, 1e-100])
@pytest.mark.parametrize("sign", [-1, 1])
def test_values_far_smaller_than_others_have_their_side(tiny: float, sign: int) -> None:
    """10^6 relu(x - 1/2) + c on [-1, 1] is c up to 1/2."""
    one = torch.ones((1, 1), dtype=torch.float64)
    bias = one.new_tensor([-0.5])
    program = Program((Block(Affine(one, bias)),), Affine(1e6 * one, one.new_tensor([sign * tiny])))
    for level, side in ((0.0, sign), (sign * tiny, 0)):
        found = integrate(program, Box.cube(1, 1), level)
        parts = (found.volume_below, found.volume_on, found.volume_above)
        expected = [0.0, 0.0, 0.0]
        expected[side + 1] += 1.5
        expected[2] += 0.5
        assert parts == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("seed", range(8))
def test_sides_are_exact_however_weights_are_scaled(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    sizes = (2, 4, 3, 1)
    layers = [
        Affine(*(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((m, n), (m,))))
        for n, m in itertools.pairwise(sizes)
    ]
    head = Affine(1e8 * layers[-1].weight, torch.tensor([(-1) ** seed * 1e-9], dtype=torch.float64))
    program = Program(tuple(Block(layer) for layer in layers[:-1]), head)
    box = Box([-1.0, -0.5], [0.75, 1.0])
    rounded, exact = integrate(program, box), integrate(program, box, exact=True)
    for name in ("volume_below", "volume_on", "volume_above"):
        assert getattr(rounded, name) == pytest.approx(float(getattr(exact, name)), abs=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_floats_are_the_rationals_rounded(seed: int) -> None:
    program, box = integer_program([2, 4, 3, 1], 2, seed=seed), Box([-1.0, -0.5], [0.75, 1.0])
    exact, rounded = integrate(program, box, 0.5, exact=True), integrate(program, box, 0.5)
    assert exact.volume == Fraction(21, 8)
    for name in ("volume_below", "volume_above", "integral", "integral_below", "mean"):
        assert float(getattr(exact, name)) == pytest.approx(
            float(getattr(rounded, name)), rel=1e-12, abs=1e-12
        )


@pytest.mark.parametrize("dim", [2, 3, 4])
def test_samples_agree(dim: int) -> None:
    program, n = lower(MLP(in_dim=dim, width=8, depth=2).double()), 200_000
    box = Box.cube(dim, 1)
    points = 2 * torch.rand(n, dim, dtype=torch.float64) - 1
    values = program(points)[:, 0].detach()
    level = float(values.median())
    found = integrate(program, box, level)
    scale = 2.0**dim
    assert float(found.mean) == pytest.approx(float(values.mean()), abs=5 * float(values.std()) / n**0.5)
    assert float(found.volume_below) / scale == pytest.approx(0.5, abs=5 * 0.5 / n**0.5)
    points.requires_grad_()
    (slopes,) = torch.autograd.grad(program(points).sum(), points)
    norms = slopes.norm(dim=1)
    deviation = 5 * float(norms.std()) / n**0.5
    assert found.total_variation / scale == pytest.approx(float(norms.mean()), abs=deviation)


def test_the_volume_is_that_of_the_divergence_theorem() -> None:
    program = lower(MLP(in_dim=3, width=12, depth=2).double()).detach()
    box = Box([-1.0, -0.5, -0.7], [0.6, 0.5, 1.0])
    level = float(program(torch.zeros(1, 3, dtype=torch.float64)))
    surface = extract_level_set(program, box, level=level)
    expected = sublevel_volume(surface.vertices, surface, program)
    assert float(integrate(program, box, level).volume_below) == pytest.approx(float(expected), rel=1e-10)


def test_on_a_grid_and_on_a_simplex() -> None:
    grid = GridMLP(in_dim=2, levels=(3, 6), features=2, width=8, depth=1).double()
    ticks = (torch.arange(1200, dtype=torch.float64) + 0.5) / 1200 - 0.5
    with torch.no_grad():
        values = grid(torch.cartesian_prod(ticks, ticks))
    found = integrate(grid)
    assert float(found.mean) == pytest.approx(float(values.mean()), abs=1e-5)
    assert float(found.volume_below) == pytest.approx(float((values < 0).double().mean()), abs=2e-3)
    with torch.no_grad():
        for weights in grid.parameters():
            weights.zero_()
    flat = integrate(grid)
    assert (flat.volume_below, flat.volume_on, flat.volume_above) == pytest.approx((0, 1, 0))
    triangle = Simplex([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert integrate(named("L1"), triangle, exact=True).integral == Fraction(-1, 6)


def test_what_has_no_volume_or_is_not_piecewise_affine_is_refused() -> None:
    with pytest.raises(ValueError, match="give a domain"):
        integrate(named("L1"))
    with pytest.raises(ValueError, match="bounded"):
        integrate(named("L1"), WholeSpace(2))
    with pytest.raises(ValueError, match="sigmoid"):
        integrate(nn.Sequential(MLP(in_dim=2, width=4), nn.Sigmoid()), Box.cube(2, 1))
    with pytest.raises(ValueError, match="grid"):
        integrate(GridMLP(in_dim=2, levels=(2,), features=2, width=4), exact=True)
