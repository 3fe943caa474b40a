"""Cells and counts of networks on a grid, in integers and by the engine."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import product

import pytest
import torch
from torch import nn

import creased
from creased import CellLimitError, tropical
from creased.tropical.cells.fingerprints import number_maps
from creased.tropical.cells.report import count_table
from tests.composed import composed
from tests.core.grids.test_grid_complex import ORACLES, network_of, random_on_grid
from tests.slow import slow


@pytest.mark.skipif(not ORACLES.exists(), reason="counts that are not part of the project")
def test_cells_of_integer_networks_are_those_of_an_independent_enumeration() -> None:
    for name, case in json.loads(ORACLES.read_text()).items():
        program = creased.lower(network_of(case)).detach()
        assert list(tropical.f_vector(program, with_outputs=True)) == case["cells"], name


@pytest.mark.parametrize(("dim", "levels"), [(2, (1, 2, 4)), (2, (3,)), (3, (1, 2))])
def test_cells_are_those_of_plain_networks_on_single_simplices(dim: int, levels: tuple[int, ...]) -> None:
    program = random_on_grid(dim, levels, seed=5)
    alone = [tropical.count(plain, simplex, method="engine") for plain, simplex in composed(program)]
    for method in ("exact", "engine"):
        found = tropical.count(program, method=method)
        assert found.activation_cells == sum(counts.activation_cells for counts in alone)
        assert found.affine_pieces <= found.linear_regions <= sum(counts.linear_regions for counts in alone)


def _with_flat_parts(dim: int) -> creased.Program:
    """A network of integers; many of its cells are not seen from the output."""
    torch.manual_seed(3)
    network = creased.GridMLP(dim, (1, 3), features=1, width=(3, 2)).double()
    for parameter in network.parameters():
        parameter.data = torch.randint(-2, 3, parameter.shape).double()
    return creased.lower(network).detach()


@pytest.mark.parametrize("dim", [2, slow(3)])
def test_both_methods_count_the_same(dim: int) -> None:
    program = _with_flat_parts(dim)
    exact, engine = (tropical.count(program, method=method) for method in ("exact", "engine"))
    assert exact[:3] == engine[:3]
    assert exact.affine_pieces < exact.activation_cells
    half = creased.Box((-0.5,) * dim, (0.5, *(0.1,) * (dim - 1)))
    assert (
        tropical.count(program, half, method="exact")[:3]
        == tropical.count(program, half, method="engine")[:3]
    )


def test_linear_regions_in_the_plane_are_those_that_sampled_points_see() -> None:
    program = _with_flat_parts(2)
    n = 301  # no point lies on a plane of the grid
    axis = (torch.arange(n).double() + 0.5) / n - 0.5
    points = torch.cartesian_prod(axis, axis).requires_grad_()
    values = program(points)[:, 0]
    (slopes,) = torch.autograd.grad(values.sum(), points)
    constants = values - (slopes * points).sum(1)
    maps = torch.cat([slopes, constants[:, None]], dim=1).detach().mul(1e6).round()
    names = torch.unique(maps, dim=0, return_inverse=True)[1].reshape(n, n)
    found = tropical.count(program, method="exact")
    large = [name for name in range(int(names.max()) + 1) if int((names == name).sum()) > 3]
    assert len(large) == found.affine_pieces
    assert sum(_components(names == name) for name in large) == found.linear_regions


def _components(mask: torch.Tensor) -> int:
    """Count the parts of more than three pixels of a mask (n, n), connected through sides."""
    left, sizes = {tuple(place) for place in mask.nonzero().tolist()}, []
    while left:
        stack, size = [left.pop()], 1
        while stack:
            i, j = stack.pop()
            for place in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
                if place in left:
                    left.remove(place)
                    stack.append(place)
                    size += 1
        sizes.append(size)
    return sum(size > 3 for size in sizes)


def test_a_network_that_ignores_its_grid_has_the_regions_of_the_plain_one() -> None:
    network = creased.GridMLP(2, (1, 2), features=1, width=5).double()
    for table in network.grid.tables:
        nn.init.zeros_(table)
    program = creased.lower(network).detach()
    first = program.blocks[0].affine
    plain = creased.Program((creased.Block(creased.Affine(first.weight[:, :2], first.bias)),), program.head)
    box = creased.Box.cube(2, 0.5)
    for method in ("exact", "engine"):
        found, expected = tropical.count(program, method=method), tropical.count(plain, box, method=method)
        assert (found.linear_regions, found.affine_pieces) == (
            expected.linear_regions,
            expected.affine_pieces,
        )
        assert found.activation_cells > expected.activation_cells


def test_numbers_of_maps_tell_apart_what_differs() -> None:
    program = random_on_grid(2, (1, 3), seed=6)
    cells = list(tropical.cells(program))
    regions = creased.find_regions(creased.extract_complex(program, level=None))
    numbers = number_maps(program, regions.layout.masks(regions.words, torch.float64), regions.words[:, -1])
    assert int(numbers.max()) + 1 == len({cell.outputs for cell in cells})


def test_exact_distances_and_equality() -> None:
    program = random_on_grid(2, (1, 2), seed=7)
    point = (Fraction(1, 8), Fraction(-1, 4))
    points = torch.cartesian_prod(*[torch.linspace(-0.5, 0.5, 401).double()] * 2)
    values = program(points)[:, 0].detach()
    level = float(values.mean())
    heights = values - level
    found = tropical.exact_distance(program, None, point, 2, level=Fraction(level))
    assert found.witness is not None
    witness = torch.tensor([[float(x) for x in found.witness]]).double()
    assert float((program(witness) - level).abs()) < 1e-9
    side = float(program(torch.tensor([[0.125, -0.25]]).double())) > level
    distances = (points - torch.tensor([0.125, -0.25]).double()).norm(dim=1)
    nearest = float(distances[(heights > 0) != side].min())
    assert nearest - 0.004 < float(found.value) ** 0.5 <= nearest
    assert tropical.equal(program, program).is_equal
    other = tropical.equal(program, random_on_grid(2, (1, 2), seed=8))
    assert other.witness is not None


def test_cells_of_a_box_fill_it() -> None:
    program = random_on_grid(3, (2, 4), seed=9)
    box = creased.Box((-0.1, -0.3, 0.05), (0.15, 0.01, 0.3))
    n_cells = 0
    for cell in tropical.cells(program, box):
        place = [float(x) for x in cell.cone.point()]
        assert all(low <= x <= high for low, x, high in zip(box.lower, place, box.upper, strict=True))
        value = program(torch.tensor([place]).double())[0, 0]
        (row,) = cell.outputs.fractions()
        assert float(value) == pytest.approx(sum(float(a) * x for a, x in zip(row, (*place, 1), strict=True)))
        n_cells += 1
    assert n_cells == creased.count_cells(program, box, level=None)[-1]
    with pytest.raises(ValueError, match="smaller one"):
        tropical.count(program, creased.Box.cube(3, 0.6))


def test_every_corner_of_the_grid_is_a_vertex() -> None:
    program = random_on_grid(2, (2,), seed=1)
    vertices = {
        tuple(Fraction(x, ray[-1]) for x in ray[:-1])
        for cell in tropical.cells(program)
        for ray in cell.cone.rays
    }
    corners = (Fraction(-1, 2), Fraction(0), Fraction(1, 2))
    assert set(product(corners, corners)) <= vertices


def test_the_table_of_counts_says_what_the_grid_is() -> None:
    program = random_on_grid(2, (1, 3), seed=6)
    box, found = creased.Box.cube(2, 0.5), tropical.count(program)
    for method in ("auto", "engine", "stream"):
        table = count_table(program, box, method=method)
        assert "3 cubes an axis, cut into 18 simplices" in table
        assert f"{found.activation_cells:,}" in table
        assert "Zaslavsky" not in table  # bounds hold without a grid


def test_counts_that_do_not_fit_are_not_made() -> None:
    with pytest.raises(CellLimitError, match="more than the"):
        tropical.count(random_on_grid(3, (1, 2), seed=1), method="engine", memory=1000)


@pytest.mark.parametrize(
    ("origin", "basis"),
    [
        ([0.0, 0.0, 1 / 6], [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]),  # a plane of the grid, but for rounding
        ([0.0, 0.0, -0.5], [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]),  # a side of the cube
        ([0.0, 0.0, 0.0], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),  # a plane of the grid through its middle
        ([0.0, 0.0, 0.0], [[1.0], [1.0], [1.0]]),  # edges of the grid
        ([0.25, 0.0, 0.0], [[0.0], [0.0], [1.0]]),
        ([0.1666666716337204, 0.0, -0.25], [[0.0], [2.0], [0.5]]),  # points near to planes of the grid
    ],
)
def test_slices_along_a_grid_have_the_cells_of_their_points(
    origin: list[float], basis: list[list[float]]
) -> None:
    cut = creased.slice_program(_with_flat_parts(3), origin, basis).program
    exact, engine = (tropical.count(cut, method=method) for method in ("exact", "engine"))
    assert exact[:3] == engine[:3]
    perturbed = creased.extract_complex(cut)
    assert perturbed.euler_characteristic() == 1
    assert creased.count_cells(cut) == perturbed.f_vector()
    contracted = creased.extract_complex(cut, degeneracy="contract")
    assert contracted.f_vector() == tropical.f_vector(cut, with_outputs=True)
