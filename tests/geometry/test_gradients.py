"""Gradients of the edge length against central differences of whole extractions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from creased import MLP, Box, extract_level_set, lower
from creased.geometry import EdgeLength, edge_lengths, implicit_vertices

STEP = 1e-6
N_ENTRIES = 3  # of each weight and bias, those with the largest gradients
CASES = [
    ("ReLU", lambda: MLP(2, 8, 2), 2),
    ("ReLU in space", lambda: MLP(3, 7, 2), 3),
    ("deep", lambda: MLP(3, 5, 3), 3),
    ("leaky", lambda: MLP(2, 7, 2, activation=lambda: nn.LeakyReLU(0.2)), 2),
    ("leaky in space", lambda: MLP(3, 6, 2, activation=lambda: nn.LeakyReLU(0.1)), 3),
]


def build(case: str) -> tuple[nn.Module, Box]:
    """A network whose zero set lies well in the box."""
    make, dim = next((make, dim) for name, make, dim in CASES if name == case)
    torch.manual_seed(4)
    module = make().double()
    with torch.no_grad():
        values = module(torch.rand(500, dim, dtype=torch.float64) * 2 - 1)
        module[-1].bias -= values.median()
    return module, Box.cube(dim, 1)


def exact_total(module: nn.Module, box: Box) -> tuple[float, tuple[int, int]]:
    """Total edge length by extraction alone, and what must not change under a small step."""
    surface = extract_level_set(module, box)
    counts = (surface.vertices.shape[0], surface.edges.shape[0])
    return float(edge_lengths(surface.vertices, surface.edges).sum()), counts


@pytest.mark.parametrize("case", [name for name, _, _ in CASES])
def test_gradient_of_total_length_is_that_of_re_extraction(case: str) -> None:
    module, box = build(case)
    surface = extract_level_set(module, box)
    assert surface.edges.shape[0] >= 5
    total = edge_lengths(implicit_vertices(surface, lower(module)), surface.edges).sum()
    expected, counts = exact_total(module, box)
    assert float(total.detach()) == pytest.approx(expected, rel=1e-9)
    parameters = list(module.parameters())
    gradients = torch.autograd.grad(total, parameters)
    n_checked = 0
    for parameter, gradient in zip(parameters, gradients, strict=True):
        for entry in gradient.abs().flatten().topk(min(N_ENTRIES, gradient.numel())).indices.tolist():
            if float(gradient.flatten()[entry]) == 0:
                continue
            slope = central_difference(module, box, parameter, entry, counts)
            torch.testing.assert_close(gradient.flatten()[entry], slope, rtol=1e-5, atol=1e-6)
            n_checked += 1
    assert n_checked >= 2 * len(parameters) - 2


def central_difference(
    module: nn.Module, box: Box, parameter: Tensor, entry: int, counts: tuple[int, int]
) -> Tensor:
    """Slope of the exact total in one entry, its combinatorics being the same on both sides."""
    totals = []
    for sign in (1, -1):
        with torch.no_grad():
            parameter.view(-1)[entry] += sign * STEP
        total, found = exact_total(module, box)
        assert found == counts
        totals.append(total)
        with torch.no_grad():
            parameter.view(-1)[entry] -= sign * STEP
    return torch.tensor((totals[0] - totals[1]) / (2 * STEP), dtype=torch.float64)


@pytest.mark.parametrize("case", ["ReLU", "ReLU in space", "leaky"])
def test_gradient_of_the_regularizer_is_that_of_the_summed_lengths(case: str) -> None:
    module, box = build(case)
    surface = extract_level_set(module, box)
    parameters = list(module.parameters())
    value = EdgeLength(n_samples=None)(surface, lower(module))
    total = edge_lengths(implicit_vertices(surface, lower(module)), surface.edges).sum()
    found, expected = (torch.autograd.grad(scalar, parameters) for scalar in (value, total))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)


def test_moving_the_last_bias_moves_a_plane_against_its_normal() -> None:
    module = nn.Sequential(nn.Linear(3, 1)).double()
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[0.0, 0.0, 2.0]]))
        module[0].bias.fill_(0.5)
    surface = extract_level_set(module, Box.cube(3, 1))
    heights = implicit_vertices(surface, lower(module))[:, 2]
    torch.testing.assert_close(heights.detach(), torch.full((4,), -0.25, dtype=torch.float64))
    (slope,) = torch.autograd.grad(heights.sum(), module[0].bias)
    torch.testing.assert_close(slope, torch.tensor([4 * -0.5], dtype=torch.float64))
