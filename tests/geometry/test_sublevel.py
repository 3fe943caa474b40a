"""Volumes closed along the walls of the domain, against closed forms and counted points."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from creased import Affine, Block, Box, Program, extract_level_set
from creased.core.program.combine import negative
from creased.geometry import enclosed_volume, implicit_vertices, sublevel_volume
from tests.strategies import ball_program, random_program

BOX = Box([-0.5, -0.4, -1.0], [1.0, 0.6, 0.7])


def _plane(normal: list[float], offset: float) -> Program:
    """The function n . x - offset, by two neurons that are never both off."""
    weight = torch.tensor([normal, [-n for n in normal]], dtype=torch.float64)
    bias = torch.tensor([-offset, offset], dtype=torch.float64)
    head = Affine(torch.tensor([[1.0, -1.0]], dtype=torch.float64), torch.zeros(1, dtype=torch.float64))
    return Program((Block(Affine(weight, bias)),), head)


def _volume(program: Program, box: Box, level: float = 0.0) -> Tensor:
    surface = extract_level_set(program, box, level)
    return sublevel_volume(surface.vertices, surface)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("sign", [1, -1])
def test_a_plane_cuts_off_a_slab(axis: int, sign: int) -> None:
    normal = [0.0] * 3
    normal[axis] = float(sign)
    size = [high - low for low, high in zip(BOX.lower, BOX.upper, strict=True)]
    expected = 0.3 * size[0] * size[1] * size[2]
    start = BOX.lower[axis] if sign > 0 else -BOX.upper[axis]
    volume = _volume(_plane(normal, start + 0.3 * size[axis]), BOX)
    torch.testing.assert_close(float(volume), expected)


@pytest.mark.parametrize("corner", range(8))
@pytest.mark.parametrize("is_inside", [True, False])
def test_a_plane_cuts_off_a_corner(corner: int, is_inside: bool) -> None:
    signs = [1.0 if corner >> axis & 1 else -1.0 for axis in range(3)]  # towards the corner
    at = [BOX.upper[i] if signs[i] > 0 else BOX.lower[i] for i in range(3)]
    reach = sum(s * x for s, x in zip(signs, at, strict=True)) - 0.2
    turned = 1.0 if not is_inside else -1.0
    volume = _volume(_plane([turned * s for s in signs], turned * reach), BOX)
    cut = 0.2**3 / 6
    whole = 1.5 * 1.0 * 1.7
    torch.testing.assert_close(float(volume), cut if is_inside else whole - cut)


@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_share_of_points_inside(seed: int) -> None:
    program = random_program(3, (9, 9), seed=seed)
    points = torch.rand(200_000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    low, high = torch.tensor(BOX.lower).double(), torch.tensor(BOX.upper).double()
    values = program(low + points * (high - low))[:, 0]
    for share in (0.1, 0.5, 0.9):
        level = float(values.quantile(share))
        volume = float(_volume(program, BOX, level)) / float((high - low).prod())
        assert volume == pytest.approx(float((values <= level).double().mean()), abs=0.005)


def test_a_closed_surface_needs_no_walls() -> None:
    program, box = ball_program(3, 14), Box.cube(3, 1)
    surface = extract_level_set(program, box)
    whole = enclosed_volume(surface.vertices, surface.polygons)
    torch.testing.assert_close(sublevel_volume(surface.vertices, surface), whole)


def test_a_cavity_is_taken_from_the_box() -> None:
    ball, box = ball_program(3, 14), Box.cube(3, 1)
    inverted = Program(ball.blocks, Affine(-ball.head.weight, -ball.head.bias))
    cavity = _volume(inverted, box)
    torch.testing.assert_close(cavity + _volume(ball, box), torch.tensor(8.0, dtype=torch.float64))


def test_its_derivative_in_the_level_is_right() -> None:
    program, step = random_program(3, (9, 9), seed=4), 1e-5
    bias = program.head.bias.requires_grad_()
    surface = extract_level_set(program, BOX)
    assert not surface.audit().is_closed
    volume = sublevel_volume(implicit_vertices(surface, program), surface)
    (slope,) = torch.autograd.grad(volume, bias)
    ends = [_volume(program, BOX, sign * step) for sign in (1, -1)]
    torch.testing.assert_close(slope[0], -(ends[0] - ends[1]).detach() / (2 * step), rtol=1e-5, atol=1e-8)


def test_other_dimensions_are_refused() -> None:
    program, box = ball_program(2, 9), Box.cube(2, 1)
    surface = extract_level_set(program, box)
    with pytest.raises(ValueError, match="3 dimensions"):
        sublevel_volume(surface.vertices, surface)


def test_the_volume_of_a_box_of_odd_sides_is_not_rounded_to_single_precision() -> None:
    box = Box([-1.0, -0.8, -1.0], [1.0, 1.2, 0.7])
    surface = extract_level_set(ball_program(3), box, level=-0.1)
    turned = extract_level_set(negative(ball_program(3)), box, level=0.1)
    inner, outer = (float(sublevel_volume(s.vertices, s)) for s in (surface, turned))
    assert inner + outer == pytest.approx(6.8, rel=1e-12)
