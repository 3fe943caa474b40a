"""Neurons within rounding of zero."""

import torch

from creased.core.program.rounding import snapped_preactivations
from tests.strategies import random_program


def test_neurons_within_rounding_of_their_creases_are_zero() -> None:
    program = random_program(3, (24, 24), seed=0)
    generator = torch.Generator().manual_seed(0)
    points = torch.rand((50, 3), generator=generator, dtype=torch.float64) - 0.5
    first, n = program.blocks[0].affine, 20
    weight = first.weight[:n]
    heights = first(points[:n]).diagonal()
    points[:n] -= weight * (heights / weight.square().sum(1))[:, None]  # onto a crease, but for rounding
    values = program.preactivations(points)[:, : program.n_neurons]
    snapped = snapped_preactivations(program, points)
    on_crease = torch.zeros_like(values, dtype=torch.bool)
    on_crease.diagonal()[:n] = True
    assert bool(values[on_crease].any())
    assert not bool(snapped[on_crease].any())
    torch.testing.assert_close(snapped[~on_crease], values[~on_crease])
