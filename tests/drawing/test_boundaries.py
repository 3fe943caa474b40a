"""Boundaries as drawn: they are the level set, part of the curve, and dual to edges between F and G."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection

from creased import Box, extract_level_set
from creased.drawing import draw_boundary, draw_dual, flatten_boundary
from creased.tropical import TropicalRational, ZeroSetHasInteriorError
from tests.drawing.axes import drawn, new_axes
from tests.tropical.nets import named

NAMES = ["L1", "E2321", "rnd[2,4,1]s1"]


@pytest.mark.parametrize("name", NAMES)
def test_bold_lines_are_the_level_set(name: str) -> None:
    boundary = flatten_boundary(TropicalRational.from_program(named(name)))
    axes = new_axes()
    draw_boundary(axes, boundary)
    bold = np.array(drawn(axes, LineCollection)[-1].get_segments())
    values = named(name)(torch.tensor(bold.reshape(-1, 2)))
    torch.testing.assert_close(values, torch.zeros_like(values), atol=1e-9, rtol=0)
    surface = extract_level_set(named(name), boundary.curve.domain)
    ends = surface.vertices[surface.edges]
    expected = float((ends[:, 0] - ends[:, 1]).norm(dim=1).sum())
    assert np.linalg.norm(bold[:, 0] - bold[:, 1], axis=1).sum() == pytest.approx(expected)


@pytest.mark.parametrize("name", NAMES)
def test_boundary_is_where_a_region_of_the_one_meets_one_of_the_other(name: str) -> None:
    boundary = flatten_boundary(TropicalRational.from_program(named(name)))
    curve = boundary.curve
    first, second = boundary.is_numerator[curve.pairs].T
    between = {frozenset(map(tuple, s)) for s in curve.segments[first != second].tolist()}
    assert between == {frozenset(map(tuple, s)) for s in boundary.segments.tolist()}
    for i, corners in enumerate(curve.regions):
        value = float(named(name)(torch.tensor(corners.mean(0))[None]))
        assert (value > 0) == boundary.is_numerator[i]


def test_diamond_has_four_sides_and_four_bold_dual_edges() -> None:
    boundary = flatten_boundary(TropicalRational.from_program(named("L1")))
    assert (len(boundary.segments), int(boundary.dual_mask.sum())) == (4, 4)
    axes = new_axes()
    draw_dual(axes, boundary.curve, colours=boundary.colours, bold=boundary.dual_mask)
    (edges,) = drawn(axes, LineCollection)
    widths = edges.get_linewidths()
    assert sorted(widths)[3] < sorted(widths)[4]
    assert len(widths) == 8


def test_sides_have_two_hues() -> None:
    boundary = flatten_boundary(TropicalRational.from_program(named("E2321")))
    red, _, blue = boundary.colours.T
    assert ((red > blue) == boundary.is_numerator).all()
    assert 0 < boundary.is_numerator.sum() < len(red)


def test_what_is_no_boundary_is_refused() -> None:
    with pytest.raises(ZeroSetHasInteriorError, match="on an open set"):
        flatten_boundary(TropicalRational.from_program(named("E231")))
    with pytest.raises(ValueError, match="needs F and G everywhere"):
        flatten_boundary(TropicalRational.from_program(named("L1"), Box.cube(2, 1)))
