"""Betti numbers: closed forms, degenerate networks, and a nerve of exactly enumerated cells."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from creased import (
    MLP,
    Affine,
    Block,
    Box,
    CellLimitError,
    Domain,
    GridMLP,
    Program,
    betti_numbers,
    combine,
    extract_complex,
    extract_level_set,
    lower,
    persistence,
)
from creased.tropical import bounded_regions, zaslavsky
from tests.slow import slow
from tests.topology.nerves import betti_numbers_of, filtered_nerve
from tests.tropical.nets import differences, integer_program, named

Betti = tuple[int, ...]

KNOWN: list[tuple[str, float, Betti, Betti, Betti]] = [  # below, on, above
    ("L1", 2, (1, 0, 0), (1, 1, 0), (1, 1, 0)),
    ("OCT", 2, (1, 0, 0, 0), (1, 0, 1, 0), (1, 0, 1, 0)),
    ("CUBE", 2, (1, 0, 0, 0), (1, 0, 1, 0), (1, 0, 1, 0)),
    ("TORUS", 4, (1, 1, 0, 0), (1, 2, 1, 0), (1, 1, 1, 0)),
    ("SHELL", 8, (1, 0, 1, 0), (2, 0, 2, 0), (2, 0, 1, 0)),
    ("TWO_OCT", 8, (2, 0, 0, 0), (2, 0, 2, 0), (1, 0, 2, 0)),
    ("CONE", 2, (2, 0, 0, 0), (1, 0, 0, 0), (1, 1, 0, 0)),  # {f = 0} is a double cone, no manifold
    ("FLAT", 2, (0, 0, 0, 0), (1, 0, 0, 0), (1, 0, 1, 0)),  # {f = 0} is an octahedron, with its inside
]


@pytest.mark.parametrize(("name", "half_width", "below", "on", "above"), KNOWN, ids=[k[0] for k in KNOWN])
@pytest.mark.parametrize("is_bounded", [True, False])
def test_named_solids(
    name: str, half_width: float, below: Betti, on: Betti, above: Betti, is_bounded: bool
) -> None:
    program = named(name)
    domain = Box.cube(program.in_dim, half_width) if is_bounded else None
    found = [betti_numbers(program, domain, 0.0, side) for side in ("below", "on", "above")]
    assert found == [below, on, above]


class LinkedTori(nn.Module):
    """The smaller of two square tori of radius 2, one through the hole of the other."""

    def forward(self, points: Tensor) -> Tensor:
        x, y, z = points.split(1, dim=1)
        return torch.minimum(self._torus(x - 1, y, z), self._torus(x + 1, z, y)) - 0.5

    def _torus(self, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        return torch.maximum((torch.maximum(a.abs(), b.abs()) - 2).abs(), c.abs())


def test_linked_tori() -> None:
    network, box = LinkedTori(), Box.cube(3, 4)
    assert betti_numbers(network, box) == (2, 2, 0, 0)
    assert betti_numbers(network, box, side="on") == (2, 4, 2, 0)
    assert betti_numbers(network, box, side="above") == (1, 2, 2, 0)


def least_distance(rows: list[list[float]]) -> Program:
    """The least absolute value of affine functions (*normal, offset): zero on an arrangement."""
    head = Affine(torch.ones((1, 2), dtype=torch.float64), torch.zeros(1, dtype=torch.float64))
    table = torch.tensor(rows, dtype=torch.float64)
    both = (torch.stack([row, -row]) for row in table)
    return combine.minimum(*(Program((Block(Affine(r[:, :-1], r[:, -1])),), head) for r in both))


@pytest.mark.parametrize("n", [3, slow(4)])
def test_braid_arrangement_has_a_chamber_for_each_permutation(n: int) -> None:
    program = least_distance(differences(n, [0]))
    nothing = (0,) * (n - 1)
    assert betti_numbers(program, side="above") == (math.factorial(n), *nothing)
    assert betti_numbers(program, side="on") == (1, *nothing)  # through one point: contractible
    assert betti_numbers(program, side="below") == (0, *nothing)


@pytest.mark.parametrize(("dim", "n"), [(2, 5), (3, 4)])
def test_generic_arrangements_are_wedges_of_spheres(dim: int, n: int) -> None:
    program = least_distance(torch.randn(n, dim + 1).tolist())
    on = betti_numbers(program, side="on")
    assert on == (1, *[0] * (dim - 2), bounded_regions(n, dim), 0)
    assert betti_numbers(program, side="above") == (zaslavsky(dim, n), *[0] * dim)


def sphere(dim: int) -> Program:
    """|x|_1 - 1 in so many dimensions."""
    eye = torch.eye(dim, dtype=torch.float64)
    hidden = Affine(torch.cat([eye, -eye]), torch.zeros(2 * dim, dtype=torch.float64))
    return Program((Block(hidden),), Affine(hidden.weight.new_ones((1, 2 * dim)), -hidden.bias[:1] - 1))


@pytest.mark.parametrize("dim", [1, 2, 3, 4])
def test_sphere_of_any_dimension(dim: int) -> None:
    program, box = sphere(dim), Box.cube(dim, 2)
    shell = [0] * (dim + 1)
    shell[0] += 1
    shell[dim - 1] += 1
    for domain in (box, None):
        assert betti_numbers(program, domain) == (1, *[0] * dim)
        assert betti_numbers(program, domain, side="on") == tuple(shell)
        assert betti_numbers(program, domain, side="above") == tuple(shell)
        assert betti_numbers(program, domain, level=-1.0) == (0,) * (dim + 1)
        assert betti_numbers(program, domain, level=-1.0, side="on") == (1, *[0] * dim)  # a point
        assert betti_numbers(program, domain, level=-2.0, side="on") == (0,) * (dim + 1)


def test_directions_that_are_left_out_change_nothing() -> None:
    program = sphere(2)
    hidden = program.blocks[0].affine
    wider = Affine(torch.nn.functional.pad(hidden.weight, (1, 1)), hidden.bias)
    cylinder = Program((Block(wider),), program.head)
    assert betti_numbers(cylinder, side="on") == (1, 1, 0, 0, 0)


def assert_like_the_nerve(program: Program, domain: Domain) -> None:
    nerve = filtered_nerve(program, domain)
    for level in sorted({*nerve.values(), 0})[:: max(1, len(nerve) // 4)]:
        if float(level) != level:
            continue
        below = {simplex for simplex, value in nerve.items() if value < level}
        assert betti_numbers(program, domain, float(level)) == betti_numbers_of(below, program.in_dim)
        at_most = {simplex for simplex, value in nerve.items() if value <= level}
        reduced = betti_numbers_of(at_most, program.in_dim)
        upside_down = filtered_nerve(combine.negative(program), domain)
        at_least = {simplex for simplex, value in upside_down.items() if value <= -level}
        others = betti_numbers_of(at_least, program.in_dim)
        on = [a + b - (k == 0) for k, (a, b) in enumerate(zip(reduced, others, strict=True))]
        expected = tuple(on) if at_most and at_least else (0,) * (program.in_dim + 1)
        assert betti_numbers(program, domain, float(level), "on") == expected


@pytest.mark.parametrize("seed", range(8))
def test_degenerate_networks_agree_with_a_nerve_of_exact_cells(seed: int) -> None:
    assert_like_the_nerve(integer_program([2, 4, 3, 1], 1, seed=seed), Box.cube(2, 1))


@pytest.mark.parametrize("seed", range(2))
def test_networks_in_space_agree_with_a_nerve_of_exact_cells(seed: int) -> None:
    assert_like_the_nerve(integer_program([3, 3, 2, 1], 2, seed=seed), Box.cube(3, 1))


@pytest.mark.parametrize("level", [0.0, 0.1, -0.05])
def test_on_a_grid_they_are_those_of_the_surface(level: float) -> None:
    grid = GridMLP(in_dim=3, levels=(3, 6), features=2, width=8, depth=1).double()
    audit = extract_level_set(grid, None, level=level).audit()
    on = betti_numbers(grid, None, level, "on")
    assert (on[0], on[0] - on[1] + on[2]) == (audit.n_components, audit.euler_characteristic)
    inside, outside = (betti_numbers(grid, None, level, side) for side in ("below", "above"))
    assert on == tuple(a + b - (k == 0) for k, (a, b) in enumerate(zip(inside, outside, strict=True)))


def test_euler_characteristics_and_components_of_a_level_set() -> None:
    program, box = lower(MLP(in_dim=3, width=12, depth=2).double()), Box.cube(3, 0.5)
    for level in (-0.1, 0.0, 0.05):
        audit = extract_level_set(program, box, level=level).audit()
        on = betti_numbers(program, box, level, "on")
        assert on[0] == audit.n_components
        assert on[0] - on[1] + on[2] == audit.euler_characteristic


def test_levels_are_those_of_a_module_with_a_last_activation() -> None:
    network = nn.Sequential(MLP(in_dim=2, width=8, depth=1), nn.Sigmoid()).double()
    box = Box.cube(2, 1)
    assert betti_numbers(network, box, level=0.5) == betti_numbers(network[0], box, level=0.0)


def test_what_is_refused_says_the_numbers() -> None:
    program, box = named("OCT"), Box.cube(3, 2)
    with pytest.raises(CellLimitError, match="max_cells=10"):
        betti_numbers(program, box, max_cells=10)
    with pytest.raises(CellLimitError, match="1,664 cells"):
        persistence(GridMLP(in_dim=3, levels=(4,), features=2, width=4), None, max_cells=100)
    with pytest.raises(ValueError, match="'beside'"):
        betti_numbers(program, box, side="beside")
    with pytest.raises(ValueError, match="got 4"):
        betti_numbers(program, box, modulo=4)


def test_the_number_of_cells_is_said_before_the_work_on_them() -> None:
    said: list[str] = []
    betti_numbers(sphere(2), Box.cube(2, 2), progress=said.append)
    counts = extract_complex(sphere(2), Box.cube(2, 2), level=None).f_vector()
    assert said == [f"{sum(counts)} cells, of dimension 0 to 2: {', '.join(map(str, counts))}"]
