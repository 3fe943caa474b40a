"""Sub-boxes fill the box that they divide."""

from __future__ import annotations

import math

import pytest

from creased import Box
from creased.core.subdivision.sub_boxes import split_box


@pytest.mark.parametrize("n_parts", [1, 2, 5, 8])
def test_sub_boxes_fill_the_box(n_parts: int) -> None:
    parts = split_box(Box([0, 0, 0], [3, 2, 1]), n_parts)
    volumes = [math.prod(upper - lower for lower, upper in zip(p.lower, p.upper, strict=True)) for p in parts]
    assert len(parts) == n_parts
    assert sum(volumes) == pytest.approx(6)
    assert max(volumes) < 3 * min(volumes)
