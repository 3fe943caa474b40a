"""Both sides of a level set from it alone: closed forms, and agreement with the complex of the whole box."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from creased import (
    MLP,
    Affine,
    Block,
    Box,
    Domain,
    GridMLP,
    Program,
    Simplex,
    betti_numbers,
    combine,
    extract_level_set,
    lower,
)
from creased.topology import level_set_sides
from creased.topology.betti import SIDES, betti_by_side
from creased.topology.level_set_sides import InDoubtError, Sides, do_level_sets_pay, sides_of_level
from creased.topology.persistence import Classes, Filtration
from creased.topology.problem import TopologyOptions, make_problem
from tests.slow import slow
from tests.strategies import random_program
from tests.topology.test_betti import KNOWN, Betti, LinkedTori
from tests.tropical.nets import integer_program, named


class ComplexError(Exception):
    """The complex was asked for."""


class NoComplex(Filtration):
    """Refuses to be looked at."""

    def classes(self, directions: Sequence[int], modulo: int) -> list[Classes]:
        raise ComplexError


def by_level_sets(program: Program, domain: Domain | None, level: float = 0.0) -> dict[str, Betti]:
    """What level sets tell of all sides."""
    problem = make_problem(program, domain, level, TopologyOptions())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("creased.topology.betti.do_level_sets_pay", lambda _: True)
        return betti_by_side(problem, SIDES, NoComplex(problem))


def by_complex(program: Program, domain: Domain | None, level: float = 0.0) -> dict[str, Betti]:
    """What the complex tells."""
    problem = make_problem(program, domain, level, TopologyOptions())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("creased.topology.betti.do_level_sets_pay", lambda _: False)
        return betti_by_side(problem, SIDES, Filtration(problem))


SMOOTH = [known for known in KNOWN if known[0] not in ("CONE", "FLAT")]


@pytest.mark.parametrize(("name", "half_width", "below", "on", "above"), SMOOTH, ids=[k[0] for k in SMOOTH])
def test_named_solids(name: str, half_width: float, below: Betti, on: Betti, above: Betti) -> None:
    program = named(name)
    found = by_level_sets(program, Box.cube(program.in_dim, half_width))
    assert found == {"below": below, "on": on, "above": above}


def test_linked_tori() -> None:
    found = by_level_sets(lower(LinkedTori()), Box.cube(3, 4))
    assert found == {"below": (2, 2, 0, 0), "on": (2, 4, 2, 0), "above": (1, 2, 2, 0)}


class Rings(nn.Module):
    """The distance of |x|_1 from the nearest odd number, less 1/2: shells around shells."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    def forward(self, points: Tensor) -> Tensor:
        size = points.abs().sum(1, keepdim=True)
        return functools.reduce(torch.minimum, [(size - 1 - 2 * i).abs() for i in range(self.n)]) - 0.5


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("dim", [2, 3])
def test_nested_shells_have_components_of_both_orientations(dim: int, n: int) -> None:
    found = by_level_sets(lower(Rings(n), input_shape=(dim,)), Box.cube(dim, 2 * n + 1))
    none = (0,) * (dim - 2)
    assert found == {
        "below": (n, *none, n, 0),
        "on": (2 * n, *none, 2 * n, 0),
        "above": (n + 1, *none, n, 0),
    }


def zigzag(dim: int, seed: int) -> Program:
    """A function that goes up and down over a random one, with many components, most of them closed."""
    generator = torch.Generator().manual_seed(seed)
    inner = random_program(dim, (12,), seed=seed)
    values = inner(torch.rand((500, dim), generator=generator, dtype=torch.float64) * 2 - 1)[:, 0]
    steps = torch.linspace(-2, 2, 6, dtype=torch.float64)
    layer = Affine(
        inner.head.weight.repeat(6, 1) / values.std(),
        (inner.head.bias - values.median()) / values.std() - steps,
    )
    slopes = torch.tensor([[1.0, -2.0, 2.0, -2.0, 2.0, -2.0]], dtype=torch.float64)
    return Program((*inner.blocks, Block(layer)), Affine(slopes, slopes.new_tensor([-0.2])))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dim", [2, 3])
def test_random_networks_agree_with_the_complex(dim: int, seed: int) -> None:
    box = Box.cube(dim, 1)
    for program in (zigzag(dim, seed), random_program(dim, (10, 8), seed=seed, slope=0.1)):
        level = float(program.outputs_at(torch.zeros((1, dim), dtype=torch.float64))) * 0.9
        assert by_level_sets(program, box, level) == by_complex(program, box, level)


@pytest.mark.parametrize("dim", [2, 3])
def test_degenerate_networks_agree_with_the_complex_or_are_in_doubt(dim: int) -> None:
    n_told = 0
    for seed in range(8):
        program, level = integer_program([dim, 3, 3, 1], 1, seed=seed), float(seed % 3 - 1)
        try:
            found = by_level_sets(program, Box.cube(dim, 1), level)
        except ComplexError:
            continue
        n_told += 1
        assert found == by_complex(program, Box.cube(dim, 1), level)
    assert n_told >= 6


def fitted(distance: functools.partial[Tensor] | nn.Module) -> GridMLP:
    """A network on a grid fitted to a function."""
    torch.manual_seed(0)
    network = GridMLP(in_dim=3, levels=(4, 12), features=2, width=8, depth=1)
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(150):
        points = torch.rand(4096, 3) - 0.5
        loss = (network(points) - distance(points)).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


def shell(points: Tensor) -> Tensor:
    return (points.norm(dim=1, keepdim=True) - 0.27).abs() - 0.08


def torus(points: Tensor) -> Tensor:
    rim = points[:, :2].norm(dim=1, keepdim=True) - 0.27
    return torch.cat([rim, points[:, 2:]], dim=1).norm(dim=1, keepdim=True) - 0.12


@pytest.mark.parametrize(
    ("distance", "below", "on", "above"),
    [
        (shell, (1, 0, 1, 0), (2, 0, 2, 0), (2, 0, 1, 0)),
        (torus, (1, 1, 0, 0), (1, 2, 1, 0), (1, 1, 1, 0)),
    ],
)
def test_networks_fitted_on_a_grid_need_no_complex(
    distance: functools.partial[Tensor], below: Betti, on: Betti, above: Betti
) -> None:
    network = fitted(distance)
    found = [betti_numbers(network, side=side, max_cells=1) for side in SIDES]
    assert found == [below, on, above]


@pytest.mark.parametrize("dim", [2, 3])
def test_random_networks_on_a_grid_agree_with_the_complex(dim: int) -> None:
    eye = torch.eye(dim, dtype=torch.float64)
    offsets = torch.linspace(-0.4, -0.46, 2 * dim, dtype=torch.float64)
    walls = Program((), Affine(torch.cat([eye, -eye]), offsets))
    for seed in range(4 - dim):
        torch.manual_seed(seed)
        network = GridMLP(in_dim=dim, levels=(2, 4), features=2, width=6, depth=1).double()
        with torch.no_grad():
            for table in network.grid.tables:
                table.normal_()
        points = torch.rand((500, dim), dtype=torch.float64) - 0.5
        level = float(network(points).detach().median())
        inside = combine.maximum(combine.minus_level(lower(network), level), combine.largest(walls))
        assert by_level_sets(inside, None) == by_complex(inside, None)


def test_a_large_network_needs_no_complex() -> None:
    program, box = random_program(3, (64, 64), seed=2), Box.cube(3, 0.5)
    assert do_level_sets_pay(make_problem(program, box, 0.0, TopologyOptions()))
    found = {side: betti_numbers(program, box, side=side, max_cells=1) for side in SIDES}
    audit = extract_level_set(program, box).audit()
    assert audit.n_wall_vertices
    on = found["on"]
    assert (on[0], on[0] - on[1] + on[2]) == (audit.n_components, audit.euler_characteristic)
    assert on == tuple(
        a + b - (k == 0) for k, (a, b) in enumerate(zip(found["below"], found["above"], strict=True))
    )


def test_a_level_set_that_is_known_is_not_extracted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    program, box = named("SHELL"), Box.cube(3, 8)
    problem, known = make_problem(program, box, 0.0, TopologyOptions()), extract_level_set(program, box)

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("extracted")

    monkeypatch.setattr(level_set_sides, "extract_level_set", refuse)
    assert sides_of_level(problem, known) == Sides(below=(1, 0, 1, 0), rest=(2, 0, 1, 0))
    with pytest.raises(AssertionError, match="extracted"):
        sides_of_level(problem._replace(level=0.25), known)
    with pytest.raises(AssertionError, match="extracted"):
        sides_of_level(problem._replace(domain=Box.cube(3, 9)), known)
    other = random_program(3, program.widths, seed=1)
    with pytest.raises(AssertionError, match="extracted"):
        sides_of_level(problem._replace(program=other), known)


@pytest.mark.parametrize("sign", [1, -1])
def test_without_a_level_set_one_side_is_the_whole_box(sign: int) -> None:
    program, box = named("OCT"), Box.cube(3, 2)
    problem = make_problem(program, box, 100.0 * sign, TopologyOptions())
    everything, nothing = (1, 0, 0, 0), (0, 0, 0, 0)
    expected = Sides(everything, nothing) if sign > 0 else Sides(nothing, everything)
    assert sides_of_level(problem) == expected


def test_what_has_no_volume_is_in_doubt() -> None:
    program, box = named("OCT"), Box.cube(3, 2)
    lowest = float(program.outputs_at(torch.zeros((1, 3), dtype=torch.float64)))
    problem = make_problem(program, box, lowest, TopologyOptions())
    with pytest.raises(InDoubtError, match="encloses"):
        sides_of_level(problem.upside_down())  # {f > lowest} is all but a point
    assert betti_numbers(program, box, lowest, "above") == (1, 0, 1, 0)


def rough(dim: int, levels: tuple[int, ...], seed: int = 1) -> Program:
    """A network on a grid with normal features."""
    torch.manual_seed(seed)
    network = GridMLP(in_dim=dim, levels=levels, features=2, width=4, depth=1).double()
    with torch.no_grad():
        for table in network.grid.tables:
            table.normal_()
    return lower(network)


@pytest.mark.parametrize(
    "box",
    [
        Box.cube(2, 0.5),
        Box((-0.3, -0.5), (0.41, 0.22)),
        Box.cube(3, 0.5),
        Box((-0.5, -0.3, -0.4), (0.2, 0.5, 0.1)),
    ],
)
@pytest.mark.parametrize("seed", [slow(0), 1, 2])
def test_on_a_grid_a_level_set_that_meets_walls_is_closed_in_a_smaller_box(box: Box, seed: int) -> None:
    program = rough(box.dim, (2, 4) if box.dim == 2 else (3,), seed)
    on_wall = torch.tensor(
        [[box.upper[0], *(0.7 * a + 0.3 * b for a, b in zip(box.lower[1:], box.upper[1:], strict=True))]]
    )
    level = float(program.outputs_at(on_wall.double()))
    assert extract_level_set(program, box, level=level).audit().n_wall_vertices
    assert by_level_sets(program, box, level) == by_complex(program, box, level)


def test_without_room_between_walls_and_vertices_the_complex_is_taken() -> None:
    program, box = rough(3, (3,)), Box.cube(3, 0.3)  # diagonal planes of the grid run through its edges
    level = float(program.outputs_at(torch.full((1, 3), 0.29, dtype=torch.float64)))
    with pytest.raises(ComplexError):
        by_level_sets(program, box, level)
    assert betti_numbers(program, box, level) == by_complex(program, box, level)["below"]


def test_mlp_in_a_polytope_is_left_to_the_complex() -> None:
    program = lower(MLP(in_dim=2, width=16, depth=2).double())
    domain = Simplex(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64))
    value = float(program.outputs_at(torch.tensor([[0.5, 0.1]], dtype=torch.float64)))
    assert betti_numbers(program, domain, value) == by_complex(program, domain, value)["below"]
