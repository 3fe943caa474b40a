"""The level set that is followed in a training loop: when it is extracted, its terms, their stability."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from creased import MLP, Box, LevelSet, Program, TrackedLevelSet, UnsupportedModuleError
from creased.geometry import EdgeLength, edge_lengths, implicit_vertices, solve_vertices, surface_area

CUBE = Box.cube(3, 0.5)


def through_the_origin(width: int = 12, depth: int = 2) -> MLP:
    torch.manual_seed(0)
    network = MLP(in_dim=3, width=width, depth=depth).double()
    with torch.no_grad():
        network[-1].bias -= network(torch.zeros((1, 3), dtype=torch.float64))[0]
    return network


def sum_of_edges(level_set: LevelSet, program: Program) -> Tensor:
    return edge_lengths(implicit_vertices(level_set, program), level_set.edges).sum()


def test_it_extracts_every_so_many_steps() -> None:
    surface = TrackedLevelSet(through_the_origin(), CUBE, every_n_steps=3)
    assert surface.level_set is None
    surface.term(sum_of_edges)
    first = surface.level_set
    for _ in range(2):
        surface.step()
        assert surface.level_set is first is not None
    surface.step()
    assert surface.level_set is not first
    assert surface.extracted_at == surface.n_steps == 3


def test_it_extracts_once_too_many_vertices_left_their_cells() -> None:
    network = through_the_origin()
    surface = TrackedLevelSet(network, CUBE, every_n_steps=None, stale_above=0.2)
    first = surface.extract()
    surface.step()
    assert surface.level_set is first
    with torch.no_grad():
        network[0].bias += 0.5
    assert surface.stale_share() > 0.2
    surface.step()
    assert surface.level_set is not first
    assert surface.stale_share() == 0


def test_a_term_is_the_measure_and_has_its_gradient() -> None:
    network = through_the_origin()
    term = TrackedLevelSet(network, CUBE).term(lambda s, p: surface_area(implicit_vertices(s, p), s.polygons))
    found = TrackedLevelSet(network, CUBE).extract()
    torch.testing.assert_close(term, surface_area(found.vertices, found.polygons))
    term.backward()
    assert any(bool(p.grad.any()) for p in network.parameters() if p.grad is not None)


def test_of_an_empty_level_set_a_term_is_zero_and_trainable() -> None:
    network = through_the_origin()
    with torch.no_grad():
        network[-1].bias += 100
    term = TrackedLevelSet(network, CUBE).term(sum_of_edges)
    term.backward()
    assert float(term.detach()) == 0


def test_levels_are_those_of_the_network() -> None:
    network = through_the_origin()
    inside = TrackedLevelSet(torch.nn.Sequential(network, torch.nn.Sigmoid()), CUBE, level=0.5).extract()
    torch.testing.assert_close(inside.vertices, TrackedLevelSet(network, CUBE).extract().vertices)


def test_what_cannot_be_followed_is_refused_at_once() -> None:
    with pytest.raises(UnsupportedModuleError, match="GELU"):
        TrackedLevelSet(
            torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.GELU(), torch.nn.Linear(4, 1)), CUBE
        )
    for options in ({"every_n_steps": 0}, {"stale_above": 1.5}):
        wrong: Any = options
        with pytest.raises(ValueError, match=next(iter(options))):
            TrackedLevelSet(through_the_origin(), CUBE, **wrong)


def test_vertices_that_left_their_cells_stay_and_have_no_gradient() -> None:
    surface = TrackedLevelSet(through_the_origin(), CUBE)
    found = surface.extract()
    network: Any = surface.network
    with torch.no_grad():
        network[0].bias += 0.1
    solved, kept = solve_vertices(found, surface.program()), implicit_vertices(found, surface.program())
    is_stale = ~solved.is_current
    assert 0 < int(is_stale.sum()) < len(is_stale)
    torch.testing.assert_close(kept[is_stale], found.vertices[is_stale], rtol=0, atol=0)
    torch.testing.assert_close(kept[~is_stale], solved.vertices[~is_stale], rtol=0, atol=0)
    (gradient,) = torch.autograd.grad(kept[is_stale].sum(), network[-1].bias)
    assert not bool(gradient.any())


@pytest.mark.slow
@pytest.mark.parametrize("measure", [EdgeLength(), sum_of_edges], ids=["sampled", "all"])
@pytest.mark.parametrize("every", [50, 200])
def test_a_thousand_steps_keep_the_torus_whole(measure: Callable[..., Tensor], every: int) -> None:
    """With vertices solved for outside of their cells the sum of edges grows without bound."""
    torch.manual_seed(0)
    network = MLP(in_dim=3, width=32, depth=3)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    surface = TrackedLevelSet(network, CUBE, every_n_steps=every)
    for step in range(1000):
        points = torch.rand(2048, 3) - 0.5
        ring = torch.stack([points[:, :2].norm(dim=1) - 0.3, points[:, 2]], dim=1)
        fit = (network(points)[:, 0] - (ring.norm(dim=1) - 0.12)).abs().mean()
        term = surface.term(measure)
        assert step < 400 or (fit < 0.02 and 50 < term.detach() < 250), (step, float(fit), float(term))
        optimizer.zero_grad()
        (fit + 3e-5 * term).backward()
        optimizer.step()
        surface.step()
    audit = surface.extract().audit()
    assert (audit.is_closed, audit.n_components, audit.euler_characteristic) == (True, 1, 0)
