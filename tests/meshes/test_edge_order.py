"""Caps of degenerate networks: where vertices coincide on an edge of the domain, signs tell which is first.

By positions alone eleven of the surfaces in `TIED` are refused, two come out inside out.
"""

from dataclasses import replace
from itertools import combinations

import pytest
import torch

import creased
from creased.core.native.available import SWITCH
from creased.geometry.sublevel import sublevel_volume
from creased.meshes.caps import CapError, cap
from creased.meshes.edge_order import order_along
from tests.strategies import random_program

BOX = creased.Box.cube(3, 1.0)
TIED = (12, 58, 59, 89, 90, 106, 154, 156, 172, 175, 176, 192, 219)


def ternary_networks(n: int) -> list[torch.nn.Sequential]:
    """3-6-6-1 with weights in {-1, 0, 1} and biases in {-1/2, 0, 1/2}."""
    generator = torch.Generator().manual_seed(0)
    return [_ternary_network(generator) for _ in range(n)]


def _ternary_network(generator: torch.Generator) -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    for fan_in, fan_out in ((3, 6), (6, 6), (6, 1)):
        layer = torch.nn.Linear(fan_in, fan_out, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.randint(-1, 2, (fan_out, fan_in), generator=generator))
            layer.bias.copy_(torch.randint(-1, 2, (fan_out,), generator=generator) / 2)
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


NETWORKS = ternary_networks(220)
COLLAPSED = (139, 58, 219)  # without area: a component in a corner of the box, surfaces on its walls
POINTS = 2 * torch.rand((40_000, 3), generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 1


@pytest.mark.parametrize("draw", [*sorted({*TIED, *COLLAPSED}), 20, 21, 23, 25, 27, 30, 31, 32])
def test_caps_of_ternary_networks_enclose_where_the_function_is_negative(draw: int) -> None:
    program = creased.lower(NETWORKS[draw]).detach()
    level_set = creased.extract_level_set(program, BOX)
    assert level_set.audit().n_boundary_edges
    mesh = cap(level_set, program)
    found = mesh.to_trimesh()
    assert found.is_watertight
    assert found.is_winding_consistent
    share = float((program.outputs_at(POINTS) < 0).double().mean())
    assert mesh.volume() == pytest.approx(8 * share, abs=8 * 5 * 0.5 / len(POINTS) ** 0.5)
    volume = float(sublevel_volume(level_set.vertices, level_set, program))
    assert mesh.volume() == pytest.approx(volume, abs=1e-12)


def test_without_the_program_ties_are_refused_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "0")  # in another order of the vertices a network may be right as it is
    for draw in (12, 175):
        with pytest.raises(CapError):
            cap(creased.extract_level_set(NETWORKS[draw], BOX))


def test_signs_give_the_order_that_positions_give() -> None:
    n_checked = 0
    for seed in range(4):
        program = random_program(3, (24, 24), seed=seed)
        level_set = creased.extract_level_set(program, BOX, float(program.outputs_at(POINTS).median()))
        nowhere = replace(level_set, vertices=torch.zeros_like(level_set.vertices))
        for first, second in combinations(range(6), 2):
            found = ((level_set.zero_ids == first) | (level_set.zero_ids == second)).sum(1).eq(2).nonzero()
            if found.shape[0] < 2:
                continue
            (axis,) = {0, 1, 2} - {first // 2, second // 2}
            along = torch.eye(3, dtype=torch.float64)[axis]
            by_place = order_along(level_set, None, found[:, 0], along)
            assert order_along(nowhere, program, found[:, 0].flip(0), along) == by_place
            assert order_along(nowhere, program, found[:, 0].flip(0), -along) == by_place[::-1]
            n_checked += 1
    assert n_checked >= 3
