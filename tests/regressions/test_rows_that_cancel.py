"""Rows that cancel on whole cells, or lie on an earlier crease, were noise where a block passed values on.

Marching gave the cells of its seeds the sign of that noise, and walked cells that do not exist. Subdivision
took the noise of what passes a block by as relative to its value at a vertex, but it has the noise of the
interpolation, which is relative to the size of the domain.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from creased import Affine, Block, Box, Program, extract_level_set, lower
from tests.modules import Does


def _counts(program: Program, level: float) -> list[tuple[int, ...]]:
    found = [
        extract_level_set(program, Box.cube(3, 1.5), level, **options)
        for options in ({"prune": False}, {"prune": True}, {"method": "march", "complete": True})
    ]
    assert all(surface.n_inconsistent == 0 for surface in found)
    assert found[-1].is_complete
    return [(s.vertices.shape[0], s.edges.shape[0], s.polygons.n) for s in found]


@pytest.mark.parametrize("level", [-0.06, 0.1])
def test_a_maximum_of_what_is_equal_on_cells(level: float) -> None:
    def module(m: Does, x: Tensor) -> Tensor:
        larger = torch.maximum(functional.hardtanh(x, -0.7, 0.9), x)
        return (torch.maximum(x, larger) * m.w).sum(1)

    counts = _counts(lower(Does(module).double(), input_shape=(3,)).detach(), level)
    assert len(set(counts)) == 1


@pytest.mark.parametrize("seed", range(6))
def test_a_crease_that_is_found_again_from_what_was_passed_on(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    weight, head = (torch.randn(n, 3, generator=generator, dtype=torch.float64) / 3 for n in (3, 1))
    zeros, unit = torch.zeros(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64)
    none = torch.zeros_like(unit)
    first = Block(Affine(weight, zeros), torch.cat([unit, none]), torch.cat([none, unit]), zeros.repeat(2))
    second = Block(Affine(torch.cat([0.8 * unit, 0.2 * weight], dim=1), zeros))  # relu of a leaky relu
    program = Program((first, second), Affine(head, torch.full((1,), -0.01, dtype=torch.float64)))
    counts = _counts(program, 0.01 * (1 if float(head.sum()) > 0 else -1))
    assert len(set(counts)) == 1
