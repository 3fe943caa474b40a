"""The canonical form: evaluation, fixed activation patterns, gradients, moving."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from creased import Affine, Block, Program
from tests.strategies import random_program


def mixed_program(dtype: torch.dtype, device: torch.device) -> Program:
    """|x| by a mix, a leaky layer, a residual layer, a plain layer; two outputs."""
    g = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=g, dtype=torch.float64).to(device, dtype)

    absolute = Block(Affine(draw(4, 3), draw(4)), mix=draw(5, 4), skip=draw(5, 3), shift=draw(5))
    residual = Block(Affine(draw(2, 5), draw(2)), mix=draw(5, 2), skip=torch.eye(5).to(device, dtype))
    plain = Block(Affine(draw(6, 5), draw(6)))
    return Program((absolute, residual, plain), Affine(draw(2, 6), draw(2)))


def points_of(program: Program, n: int = 20) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    points = torch.randn((n, program.in_dim), generator=generator, dtype=torch.float64)
    return points.to(program.device, program.dtype)


def masks_of(program: Program, points: Tensor) -> Tensor:
    return (program.preactivations(points)[:, : program.n_neurons] > 0).to(program.dtype)


def test_sizes_are_those_of_the_blocks(dtype: torch.dtype, device: torch.device) -> None:
    program = mixed_program(dtype, device)
    assert (program.in_dim, program.out_dim, program.widths, program.n_neurons) == (3, 2, (4, 2, 6), 12)
    assert (program.dtype, program.device.type) == (dtype, device.type)
    assert len(list(program.tensors())) == 2 + 3 + 2 + 2 + 2 + 2


def test_evaluation_follows_the_formula(dtype: torch.dtype, device: torch.device) -> None:
    program = mixed_program(dtype, device)
    state = x = points_of(program)
    for block in program.blocks:
        z = state @ block.affine.weight.T + block.affine.bias
        mix = torch.eye(z.shape[1]).to(z) if block.mix is None else block.mix
        new = z.relu() @ mix.T
        new = new if block.skip is None else new + state @ block.skip.T
        state = new if block.shift is None else new + block.shift
    torch.testing.assert_close(program(x), state @ program.head.weight.T + program.head.bias)


def test_last_preactivations_are_the_outputs(dtype: torch.dtype, device: torch.device) -> None:
    program = mixed_program(dtype, device)
    x = points_of(program)
    assert program.preactivations(x).shape == (20, 14)
    torch.testing.assert_close(program.preactivations(x)[:, 12:], program(x))


def test_given_patterns_reproduce_the_points_own(dtype: torch.dtype, device: torch.device) -> None:
    program = mixed_program(dtype, device)
    x = points_of(program)
    torch.testing.assert_close(program.preactivations_on(x, masks_of(program, x)), program.preactivations(x))


def test_given_patterns_are_affine_in_the_point(dtype: torch.dtype, device: torch.device) -> None:
    program = mixed_program(dtype, device)
    x, y = points_of(program)[:10], points_of(program)[10:]
    masks = masks_of(program, x)
    middle = program.preactivations_on((x + y) / 2, masks)
    mean = (program.preactivations_on(x, masks) + program.preactivations_on(y, masks)) / 2
    torch.testing.assert_close(middle, mean)


@pytest.mark.parametrize("output", [0, 1])
def test_gradients_are_those_of_autograd(output: int, dtype: torch.dtype, device: torch.device) -> None:
    program = mixed_program(dtype, device)
    x = points_of(program).requires_grad_()
    (expected,) = torch.autograd.grad(program(x)[:, output].sum(), x)
    torch.testing.assert_close(program.gradients_on(masks_of(program, x), output), expected)


def test_affine_program_has_no_patterns(dtype: torch.dtype, device: torch.device) -> None:
    program = random_program(3, (), dtype=dtype, device=device)
    x = points_of(program)
    none = x.new_zeros(20, 0)
    torch.testing.assert_close(program.preactivations_on(x, none), program(x))
    torch.testing.assert_close(program.gradients_on(none), program.head.weight.expand(20, 3))


def test_moving_keeps_values_and_graph() -> None:
    program = random_program(2, (3,))
    weight = program.blocks[0].affine.weight.requires_grad_()
    moved = program.to(dtype=torch.float32)
    assert moved.dtype == torch.float32
    moved(torch.ones(1, 2)).sum().backward()
    assert weight.grad is not None
    assert all(not tensor.requires_grad for tensor in program.detach().tensors())
    torch.testing.assert_close(program.detach().blocks[0].affine.weight, weight.detach())


@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_maps_on_a_pattern_are_its_preactivations(slope: float) -> None:
    program = random_program(3, (5, 4), slope=slope, out_dim=2)
    points = torch.rand((20, 3), dtype=torch.float64)
    masks = (torch.rand((20, 9)) > 0.5).double()
    maps = program.maps_on(masks)
    found = (torch.nn.functional.pad(points, (0, 1), value=1)[:, None] @ maps)[:, 0]
    torch.testing.assert_close(found, program.preactivations_on(points, masks))


@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_maps_in_frames_are_the_maps_along_their_axes(slope: float) -> None:
    program = random_program(3, (5, 4), slope=slope, out_dim=2)
    masks = (torch.rand((20, 9)) > 0.5).double()
    frames = torch.rand((20, 3, 3), dtype=torch.float64)
    maps = program.maps_on(masks)
    along = frames @ maps[:, :-1]
    along[:, -1] += maps[:, -1]
    larger = torch.full((20, 3, 14), torch.nan, dtype=torch.float64)
    program.maps_on(masks, frames, out=larger[..., 2:13])
    torch.testing.assert_close(larger[..., 2:13], along)
    assert bool(larger[..., :2].isnan().all())
    assert bool(larger[..., 13:].isnan().all())


def test_a_program_takes_a_floating_type_first_and_points_of_coarser_ones() -> None:
    program = random_program(3, (4,)).to(torch.float32)
    assert program.dtype == torch.float32
    points = torch.rand(5, 3)
    torch.testing.assert_close(program.to(torch.float64)(points), program.to(torch.float64)(points.double()))
