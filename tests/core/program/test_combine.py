"""Programs made of programs: values at random points, and level sets in closed form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from creased import Affine, Block, Box, LevelSet, Program, combine, extract_level_set
from tests.strategies import random_program

POINTS = torch.rand(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 4 - 2


def _linear(*rows: tuple[float, ...]) -> Program:
    """Affine functions, each given by its slopes and its constant."""
    table = torch.tensor(rows, dtype=torch.float64)
    return Program((), Affine(table[:, :-1], table[:, -1]))


def ball(*centre: float, radius: float = 1.0) -> Program:
    """|x - centre|_1 - radius."""
    unit, at = torch.eye(len(centre), dtype=torch.float64), torch.tensor(centre, dtype=torch.float64)
    affine = Affine(torch.cat([unit, -unit]), torch.cat([-at, at]))
    head = Affine(torch.ones(1, 2 * len(centre), dtype=torch.float64), affine.bias.new_full((1,), -radius))
    return Program((Block(affine),), head)


def _area(surface: LevelSet) -> float:
    """Enclosed by closed polylines, with the inside on their left."""
    a, b = surface.vertices[surface.edges].unbind(1)
    return float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / 2)


def _volume(surface: LevelSet) -> float:
    """Enclosed by a closed surface."""
    a, b, c = surface.vertices[surface.triangles()].unbind(1)
    return float((a * torch.linalg.cross(b, c)).sum() / 6)


@given(
    n=st.integers(1, 5),
    out_dim=st.integers(1, 3),
    depths=st.lists(st.integers(0, 3), min_size=5, max_size=5),
    slope=st.sampled_from([0.0, 0.2]),
    seed=st.integers(0, 2**32),
)
def test_extremes_of_programs_have_the_extreme_values(
    n: int, out_dim: int, depths: list[int], slope: float, seed: int
) -> None:
    programs = [
        random_program(2, [4] * depths[i], seed=seed + i, out_dim=out_dim, slope=slope * (i % 2))
        for i in range(n)
    ]
    values = torch.stack([program(POINTS) for program in programs])
    torch.testing.assert_close(combine.maximum(*programs)(POINTS), values.amax(0))
    torch.testing.assert_close(combine.minimum(*programs)(POINTS), values.amin(0))
    together = combine.side_by_side(*programs)
    torch.testing.assert_close(together(POINTS), values.permute(1, 0, 2).flatten(1))
    assert together.n_neurons == sum(program.n_neurons for program in programs)
    assert len(together.blocks) == max(depths[:n])


@given(n=st.integers(1, 7), depth=st.integers(0, 2), seed=st.integers(0, 2**32))
def test_functions_of_outputs_have_their_values(n: int, depth: int, seed: int) -> None:
    program = random_program(2, [4] * depth, seed=seed, out_dim=n)
    values = program(POINTS)
    torch.testing.assert_close(combine.largest(program)(POINTS), values.amax(1, keepdim=True))
    torch.testing.assert_close(combine.smallest(program)(POINTS), values.amin(1, keepdim=True))
    torch.testing.assert_close(combine.negative(program)(POINTS), -values)
    assert combine.largest(program).n_neurons == program.n_neurons + n - 1
    order = [n - 1, 0]
    torch.testing.assert_close(combine.select(program, order)(POINTS), values[:, order])
    torch.testing.assert_close(
        combine.difference(program, n - 1, 0)(POINTS), values[:, n - 1 :] - values[:, :1]
    )
    for i in range(n) if n > 1 else ():
        others = torch.cat([values[:, :i], values[:, i + 1 :]], dim=1)
        expected = values[:, i : i + 1] - others.amax(1, keepdim=True)
        torch.testing.assert_close(combine.margin(program, i)(POINTS), expected)


def test_plain_programs_of_one_depth_stay_plain_side_by_side() -> None:
    together = combine.side_by_side(*(random_program(3, (5, 4), seed=seed) for seed in range(3)))
    assert all(block.mix is None and block.skip is None for block in together.blocks)
    assert together.widths == (15, 12)


@pytest.mark.parametrize(
    ("combined", "area"),
    [
        (
            lambda a, b: combine.minimum(a, b),
            2 + 2 - 0.5,
        ),  # two squares of area 2, of which a quarter is shared
        (lambda a, b: combine.maximum(a, b), 0.5),
        (lambda a, b: combine.maximum(a, combine.negative(b)), 1.5),
        (lambda a, b: combine.minimum(a, b, a), 3.5),
    ],
)
@pytest.mark.parametrize("method", ["subdivide", "march"])
def test_unions_intersections_and_differences_of_diamonds(
    combined: Callable[[Program, Program], Program], area: float, method: str
) -> None:
    shape = combined(ball(0.01, 0.02), ball(1.01, 0.02))
    surface = extract_level_set(shape, Box.cube(2, 3), method=method)
    assert bool((surface.edges[:, 0].sort().values == surface.edges[:, 1].sort().values).all())  # closed
    torch.testing.assert_close(_area(surface), area, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", ["subdivide", "march"])
@pytest.mark.parametrize(
    ("combined", "volume"), [(combine.minimum, 4 / 3 * 2 - 1 / 6), (combine.maximum, 1 / 6)]
)
def test_octahedra_are_joined_and_intersected(
    combined: Callable[..., Program], volume: float, method: str
) -> None:
    surface = extract_level_set(
        combined(ball(0.01, 0.02, 0.03), ball(1.01, 0.02, 0.03)), Box.cube(3, 2.5), method=method
    )
    assert surface.audit().is_closed
    torch.testing.assert_close(_volume(surface), volume, rtol=1e-12, atol=1e-12)


def test_the_largest_of_six_slopes_is_a_cube() -> None:
    rows = [(*(s * float(i == axis) for i in range(3)), -0.5) for axis in range(3) for s in (1, -1)]
    cube = combine.largest(_linear(*rows))
    assert cube.widths == (3, 1, 1)
    surface = extract_level_set(cube, Box.cube(3, 1))
    assert surface.audit().is_closed
    torch.testing.assert_close(_volume(surface), 1.0, rtol=1e-12, atol=1e-12)


def test_classes_are_even_on_bisectors_and_regions_are_voronoi_cells() -> None:
    sites = torch.tensor([[0.0, 0.0], [1.0, 0.1], [-0.2, 1.1], [-1.0, -0.3], [0.2, -0.9]]).double()
    program = _linear(*((*(2 * p).tolist(), -float(p @ p)) for p in sites))  # |x|^2 - |x - p|^2
    even = extract_level_set(combine.difference(program, 0, 1), Box.cube(2, 3))
    to_first, to_second = ((even.vertices - sites[i]).norm(dim=1) for i in (0, 1))
    torch.testing.assert_close(to_first, to_second)

    boundary = extract_level_set(combine.negative(combine.margin(program, 0)), Box.cube(2, 3))
    distances = torch.cdist(boundary.vertices, sites)
    torch.testing.assert_close(distances[:, 0], distances[:, 1:].amin(1))
    n_corners = int(((distances[:, 1:] - distances[:, :1]).abs() < 1e-9).sum(1).ge(2).sum())
    assert n_corners == 4  # a cell between four neighbours
    samples = torch.rand(200_000, 2, generator=torch.Generator().manual_seed(0)).double() * 6 - 3
    share = (torch.cdist(samples, sites).argmin(1) == 0).double().mean()
    torch.testing.assert_close(_area(boundary) / 36, float(share), rtol=0.02, atol=0)


def test_gradients_reach_the_weights_of_all_programs() -> None:
    programs = [random_program(2, (4,), seed=seed) for seed in range(2)]
    weights = [tensor.requires_grad_() for program in programs for tensor in program.tensors()]
    expected = torch.autograd.grad(torch.maximum(*(p(POINTS) for p in programs)).sum(), weights)
    found = torch.autograd.grad(combine.maximum(*programs)(POINTS).sum(), weights)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def _narrow() -> Program:
    return ball(0.0, 0.0).to(dtype=torch.float32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: combine.select(ball(0.0), 1), r"select: outputs must be among 0..0, got 1"),
        (lambda: combine.select(ball(0.0), [0, -1]), r"got \[0, -1\]"),
        (lambda: combine.select(ball(0.0), []), r"got \[\]"),
        (lambda: combine.margin(ball(0.0), 0), "margin: needs two outputs or more, got 1"),
        (lambda: combine.maximum(), "maximum: needs a program or more, got none"),
        (lambda: combine.minimum(ball(0.0), ball(0.0, 0.0)), "one in_dim, got 1, 2"),
        (
            lambda: combine.maximum(_linear((1.0, 0.0)), _linear((1.0, 0.0), (1.0, 0.0))),
            "one out_dim, got 1, 2",
        ),
        (lambda: combine.minimum(ball(0.0, 0.0), _narrow()), "one dtype, got torch.float32, torch.float64"),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
