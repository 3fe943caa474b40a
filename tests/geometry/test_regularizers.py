"""The edge-length regularizer: its value, its sample, and that it does what it says."""

from __future__ import annotations

import pytest
import torch

from creased import MLP, Box, extract_level_set, lower
from creased.geometry import EdgeLength, Regularizer, edge_lengths
from creased.networks.initialise import geometric
from tests.strategies import ball_program


def test_value_is_the_total_edge_length(device: torch.device, dtype: torch.dtype) -> None:
    program = ball_program(3, dtype=dtype, device=device)
    surface = extract_level_set(program, Box.cube(3, 1))
    regularizer: Regularizer = EdgeLength(n_edges=None)
    expected = edge_lengths(surface.vertices, surface.edges).sum()
    torch.testing.assert_close(regularizer(surface, program), expected, rtol=1e-4, atol=1e-5)


def test_samples_estimate_the_whole_without_bias() -> None:
    program = ball_program(3, 14, depth=2)
    surface = extract_level_set(program, Box.cube(3, 1))
    torch.manual_seed(0)
    samples = torch.stack([EdgeLength(n_edges=20)(surface, program) for _ in range(400)])
    whole = float(EdgeLength(n_edges=None)(surface, program))
    lengths = edge_lengths(surface.vertices, surface.edges)
    spread = float(lengths.std()) * len(lengths) / 20**0.5
    assert float(samples.std()) == pytest.approx(spread, rel=0.15)
    assert float(samples.mean()) == pytest.approx(whole, abs=4 * float(samples.std()) / 20)


def test_sample_larger_than_the_surface_is_the_whole() -> None:
    program = ball_program(3)
    surface = extract_level_set(program, Box.cube(3, 1))
    torch.testing.assert_close(EdgeLength(10**6)(surface, program), EdgeLength(None)(surface, program))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_empty_level_set_gives_zero(dim: int, device: torch.device, dtype: torch.dtype) -> None:
    program = ball_program(dim, dtype=dtype, device=device)
    value = EdgeLength()(extract_level_set(program, Box.cube(dim, 1), 1e4), program)
    assert (float(value), value.shape, value.dtype) == (0.0, (), dtype)


def test_points_on_a_line_have_no_edges() -> None:
    program = ball_program(1)
    surface = extract_level_set(program, Box.cube(1, 1))
    assert surface.vertices.shape[0] == 2
    assert float(EdgeLength()(surface, program)) == 0


@pytest.mark.parametrize("n_edges", [0, -3])
def test_sample_must_not_be_empty(n_edges: int) -> None:
    with pytest.raises(ValueError, match=f"n_edges must be positive or null, got {n_edges}"):
        EdgeLength(n_edges)


@pytest.mark.parametrize(("dim", "rate"), [(2, 2e-4), (3, 2e-7)])
def test_descent_shortens_the_exact_edges(dim: int, rate: float) -> None:
    torch.manual_seed(0)
    module = MLP(dim, 16, 2, initialise=geometric(0.4)).double()
    optimizer = torch.optim.SGD(module.parameters(), lr=rate)
    regularizer, box, lengths = EdgeLength(n_edges=None), Box.cube(dim, 1), []
    for _ in range(6):
        surface = extract_level_set(module, box)
        lengths.append(float(edge_lengths(surface.vertices, surface.edges).sum()))
        optimizer.zero_grad()
        regularizer(surface, lower(module)).backward()
        optimizer.step()
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] < 0.998 * lengths[0]
