"""A tropical polynomial rounded its monomials to float32 before it was evaluated at float64 points."""

import torch

from creased import MLP, lower
from creased.tropical import TropicalPolynomial, TropicalRational


def test_monomials_are_not_rounded_on_the_way_to_double() -> None:
    third = TropicalPolynomial([[1 / 3]], [0.1])
    value = third(torch.ones(1, dtype=torch.float64))
    assert abs(value.item() - (1 / 3 + 0.1)) < 1e-15


def test_a_network_is_its_rational_map_to_the_last_bits() -> None:
    torch.manual_seed(4)
    program = lower(MLP(2, width=5, depth=2).double()).detach()
    points = torch.rand((100, 2), dtype=torch.float64)
    values = TropicalRational.from_program(program)(points)
    torch.testing.assert_close(values, program(points)[:, 0], atol=1e-13, rtol=0)
