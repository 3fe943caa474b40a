"""Slabs of a box between planes of a grid."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from creased import Box, GridMLP, Simplex, extract_complex, lower
from creased.core.grids.planes import walls_on_planes
from creased.core.grids.slabs import slabs_of


@pytest.mark.parametrize("box", [Box.cube(3, 0.3), Box((-0.17, -0.3, 0.0), (0.3, 0.3, 0.3))])
def test_slabs_fill_the_box_and_meet_in_planes(box: Box) -> None:
    grid = lower(GridMLP(in_dim=3, levels=(7,), features=2, width=4, half_width=0.3)).grid
    assert grid is not None
    slabs = slabs_of(grid, box, n_cubes=1)
    assert (slabs[0].lower, slabs[-1].upper) == (box.lower, box.upper)
    for one, other in pairwise(slabs):
        (_, upper, *_), (lower_, *_) = (
            walls_on_planes(grid, s.exact_walls()).ids.tolist() for s in (one, other)
        )
        assert upper == lower_ < 0
        assert one.upper[0] == other.lower[0]
    assert len(slabs) == (7 if box.lower[0] == -0.3 else 6)


def test_few_cubes_and_other_domains_stay_whole() -> None:
    grid = lower(GridMLP(in_dim=2, levels=(4,), features=2, width=4)).grid
    assert grid is not None
    triangle = Simplex(torch.tensor([[0.0, 0.0], [0.4, 0.0], [0.0, 0.4]], dtype=torch.float64))
    assert slabs_of(grid, Box.cube(2, 0.5), n_cubes=16) == [Box.cube(2, 0.5)]
    assert slabs_of(grid, triangle, n_cubes=1) == [triangle]


def test_regions_of_slabs_are_those_of_the_box() -> None:
    torch.manual_seed(0)
    program, box = lower(GridMLP(in_dim=2, levels=(3, 6), features=2, width=5).double()), Box.cube(2, 0.5)
    assert program.grid is not None
    parts = [extract_complex(program, slab, exact=True) for slab in slabs_of(program.grid, box, n_cubes=12)]
    assert len(parts) == 3
    assert sum(part.f_vector()[2] for part in parts) == extract_complex(program, box).f_vector()[2]
    assert all(part.euler_characteristic() == 1 for part in parts)
