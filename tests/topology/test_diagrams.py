"""Persistence diagrams: closed forms, agreement with Betti numbers at every level, and with gudhi."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from creased import MLP, Box, GridMLP, PersistenceDiagram, Program, betti_numbers, lower, persistence
from tests.topology.nerves import filtered_nerve
from tests.tropical.nets import integer_program, named


def rows(diagram: PersistenceDiagram) -> list[tuple[int, float, float]]:
    return [tuple(interval) for interval in diagram]


@pytest.mark.parametrize("domain", [Box.cube(3, 8), None])
def test_closed_forms(domain: Box | None) -> None:
    shell = rows(persistence(named("SHELL"), domain))
    assert shell == [(0, -1.0, math.inf), (2, -1.0, 1.0)]
    torus = rows(persistence(named("TORUS"), domain))
    assert torus == [(0, -0.5, math.inf), (1, -0.5, 1.5)]


def test_what_falls_without_bound_is_born_at_the_beginning() -> None:
    cone = persistence(named("CONE"))
    assert rows(cone) == [(0, -math.inf, math.inf), (0, -math.inf, 0.0)]
    assert cone.at_death[1].tolist() == [0, 0, 0]
    assert bool(cone.at_death[0].isnan().all())
    assert cone.betti_numbers(0.0) == (2, 0, 0, 0)
    assert "H0: 2: [-inf, inf), [-inf, 0)" in str(cone)


@pytest.mark.parametrize("seed", range(3))
def test_betti_numbers_at_any_level_are_read_off(seed: int) -> None:
    torch.manual_seed(seed)
    for network, domain in (
        (MLP(in_dim=2, width=12, depth=2), Box.cube(2, 1)),
        (MLP(in_dim=3, width=6, depth=2), None),
        (GridMLP(in_dim=2, levels=(4, 8), features=2, width=6, depth=1), None),
    ):
        diagram = persistence(network.double(), domain)
        for level in (-0.2, -0.03, 0.0, 0.05, 0.3):
            assert diagram.betti_numbers(level) == betti_numbers(network.double(), domain, level)


def test_values_are_those_at_the_vertices_of_birth_and_death() -> None:
    program = lower(MLP(in_dim=3, width=10, depth=2).double())
    diagram = persistence(program, Box.cube(3, 1))
    dies = ~diagram.is_essential
    torch.testing.assert_close(program(diagram.at_birth)[:, 0], diagram.births)
    torch.testing.assert_close(program(diagram.at_death[dies])[:, 0], diagram.deaths[dies])
    longest = diagram.lasting(float((diagram.deaths - diagram.births)[dies].max()))
    assert len(longest) == 2  # with the essential class


def intervals_by_gudhi(gudhi: Any, program: Program, box: Box) -> list[tuple[int, float, float]]:
    tree = gudhi.SimplexTree()
    for simplex, value in filtered_nerve(program, box).items():
        tree.insert(simplex, float(value))
    found = tree.persistence(homology_coeff_field=2, persistence_dim_max=False)
    return sorted((dim, *pair) for dim, pair in found if dim < program.in_dim and pair[1] > pair[0])


@pytest.mark.parametrize("seed", range(6))
def test_like_gudhi_on_a_nerve(seed: int) -> None:
    gudhi = pytest.importorskip("gudhi")
    for program in (integer_program([2, 5, 4, 1], 2, seed=seed), integer_program([3, 4, 2, 1], 1, seed=seed)):
        box = Box.cube(program.in_dim, 1)
        mine, theirs = sorted(rows(persistence(program, box))), intervals_by_gudhi(gudhi, program, box)
        torch.testing.assert_close(torch.tensor(mine), torch.tensor(theirs))
