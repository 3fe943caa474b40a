"""Networks for tests: seeded ones, and hypothesis strategies for generic and degenerate ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from creased import Affine, Block, Box, Program, lower
from creased.core.numerics.tensors import map_tensors

WIDEST = {1: 20, 2: 20, 3: 20, 4: 12, 5: 10}  # neurons of a hidden layer, by input dimension


class Case(NamedTuple):
    """A network and where to look at it."""

    program: Program
    box: Box


def random_program(
    dim: int,
    widths: Sequence[int],
    *,
    seed: int = 0,
    out_dim: int = 1,
    slope: float = 0.0,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> Program:
    """Normal weights, uniform biases; generic with probability one. A slope makes it leaky.

    The last biases are such that zero is in the middle of each output's range near the origin.
    """
    generator = torch.Generator().manual_seed(seed)
    sizes = [dim, *widths, out_dim]
    affines = []
    for n_in, n_out in pairwise(sizes):
        weight = torch.randn((n_out, n_in), generator=generator, dtype=torch.float64) * (2 / n_in) ** 0.5
        bias = torch.rand(n_out, generator=generator, dtype=torch.float64) - 0.5
        affines.append(Affine(weight, bias))
    points = torch.rand((256, dim), generator=generator, dtype=torch.float64) * 2 - 1
    lowest, highest = assemble(affines, slope)(points).aminmax(dim=0)
    middle = torch.where(lowest < highest, (lowest + highest) / 2, 0)
    head = Affine(affines[-1].weight, affines[-1].bias - middle)
    return assemble([*affines[:-1], head], slope).to(device, dtype)


def assemble(affines: Sequence[Affine], slope: float = 0.0) -> Program:
    """A program of ReLU layers, or of leaky ones."""
    layers: list[nn.Module] = []
    for affine in affines:
        linear = nn.Linear(affine.weight.shape[1], affine.weight.shape[0]).to(affine.weight)
        linear.weight.data, linear.bias.data = affine.weight.detach(), affine.bias.detach()
        layers += [linear, nn.LeakyReLU(slope) if slope else nn.ReLU()]
    return lower(nn.Sequential(*layers[:-1]), check=False).detach()


def ball_program(
    dim: int,
    width: int = 12,
    *,
    seed: int = 0,
    depth: int = 1,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> Program:
    """A function whose zero set in the box of half width 1 is closed: a sum of ReLUs that grows outward."""
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn((width, dim), generator=generator, dtype=torch.float64)
    directions[: 2 * dim] = 0.3 * directions[: 2 * dim] + 2 * torch.cat([torch.eye(dim), -torch.eye(dim)])
    biases = 0.1 * torch.rand(width, generator=generator, dtype=torch.float64)
    affines = [Affine(directions, biases)]
    for _ in range(depth - 1):
        mixing = torch.eye(width, dtype=torch.float64) + 0.2 * torch.rand(
            (width, width), generator=generator, dtype=torch.float64
        )
        affines.append(Affine(mixing / 2, -0.2 * torch.rand(width, generator=generator, dtype=torch.float64)))
    head = Affine(
        torch.ones((1, width), dtype=torch.float64) / 2, torch.full((1,), -0.6, dtype=torch.float64)
    )
    return assemble([*affines, head]).to(device, dtype)


@st.composite
def generic_cases(
    draw: st.DrawFn, dims: Sequence[int] = (1, 2, 3, 4, 5), max_depth: int = 5, most: int = 1000
) -> Case:
    """Random normal networks, at any scale, leaky or not, on boxes on and off the origin.

    An arrangement of as many hyperplanes as there are neurons has at most so many vertices.
    """
    dim = draw(st.sampled_from(dims))
    n_layers = draw(st.integers(1, max_depth))
    widths = draw(st.lists(st.integers(1, WIDEST[dim]), min_size=n_layers, max_size=n_layers))
    while math.comb(sum(widths) + dim, dim) > most:
        widths[widths.index(max(widths))] -= 1
    slope = draw(st.sampled_from([0.0, 0.0, 0.01, 0.3, -0.5]))
    program = random_program(dim, widths, seed=draw(st.integers(0, 2**32)), slope=slope)
    centre = draw(st.sampled_from([0.0, 0.0, 0.25]))
    scale = draw(st.sampled_from([1.0, 1.0, 1e-4, 1e4]))
    return Case(_stretch(program, scale), Box([scale * (centre - 1)] * dim, [scale * (centre + 1.5)] * dim))


def _stretch(program: Program, scale: float) -> Program:
    """The function at x / scale."""

    def shrink(block: Block) -> Block:
        skip = None if block.skip is None else block.skip / scale
        return Block(Affine(block.affine.weight / scale, block.affine.bias), block.mix, skip, block.shift)

    return Program((shrink(program.blocks[0]), *program.blocks[1:]), program.head)


@st.composite
def degenerate_cases(draw: st.DrawFn, dims: Sequence[int] = (1, 2, 3, 4), max_depth: int = 3) -> Case:
    """Quantised weights, duplicated, opposite and dead neurons, zero biases, creases through corners."""
    dim = draw(st.sampled_from(dims))
    n_layers = draw(st.integers(1, max_depth))
    widths = draw(st.lists(st.integers(1, min(WIDEST[dim], 5)), min_size=n_layers, max_size=n_layers))
    levels = draw(st.sampled_from([1, 2, 16]))
    has_bias = draw(st.booleans())
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    sizes = [dim, *widths, 1]
    affines = []
    for n_in, n_out in pairwise(sizes):
        weight, bias = (_quantised(shape, levels, generator) for shape in ((n_out, n_in), (n_out,)))
        affines.append(_spoil(draw, Affine(weight, bias * has_bias)))
    return Case(assemble(affines), Box.cube(dim, draw(st.sampled_from([0.5, 1.0, 4.0]))))


@st.composite
def near_degenerate_cases(draw: st.DrawFn, dims: Sequence[int] = (1, 2, 3, 4)) -> Case:
    """Degenerate networks with every weight moved by very little, but more than rounding."""
    case = draw(degenerate_cases(dims))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    size = draw(st.sampled_from([1e-6, 1e-8]))

    def move(tensor: Tensor) -> Tensor:
        return tensor + size * torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)

    return Case(map_tensors(case.program, move), case.box)


def _quantised(shape: tuple[int, ...], levels: int, generator: torch.Generator) -> Tensor:
    return torch.randint(-levels, levels + 1, shape, generator=generator).double() / levels


def _spoil(draw: st.DrawFn, affine: Affine) -> Affine:
    """Copy, oppose or kill one neuron of a layer."""
    weight, bias = affine.weight.clone(), affine.bias.clone()
    last = bias.shape[0] - 1
    if last > 0:
        factor = draw(st.sampled_from([None, 1.0, -1.0, 2.0, 0.0]))
        if factor is not None:
            weight[last], bias[last] = factor * weight[0], factor * bias[0]
    return Affine(weight, bias)
