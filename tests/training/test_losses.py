"""Terms of the loss have the values of their formulas."""

import pytest
import torch
from torch import nn

from creased.training import ClampedDistance

DISTANCES = torch.tensor([0.0, 0.005, -0.05, 0.3, -0.3], dtype=torch.float64)
VALUES = torch.tensor([0.002, 0.001, -0.04, 0.2, -0.07], dtype=torch.float64)


def _loss(term: ClampedDistance) -> float:
    return float(term(nn.Identity(), torch.zeros(5, 3), VALUES, DISTANCES))


def test_errors_count_by_their_size_and_beyond_the_clamp_on_one_side() -> None:
    assert _loss(ClampedDistance(0.1)) == pytest.approx((0.002 + 0.004 + 0.01 + 0 + 0.03) / 5)


def test_within_the_tolerance_of_the_surface_large_errors_count_more() -> None:
    near = 0.002 * (1 + 0.2) + 0.004 * (1 + 0.4)
    assert _loss(ClampedDistance(0.1, tolerance=0.01)) == pytest.approx((near + 0.01 + 0 + 0.03) / 5)


@pytest.mark.parametrize("options", [{"clamp": 0.0}, {"tolerance": 0.0}, {"tolerance": -1.0}])
def test_lengths_that_are_not_positive_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        ClampedDistance(**options)
