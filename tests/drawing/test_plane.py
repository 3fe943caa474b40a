"""What is drawn of a complex in the plane: cells that fill the box, with their gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from creased import Box, slice_program
from creased.drawing import draw_complex, flatten
from creased.drawing.plane import GRID
from creased.tropical import cells, count
from tests.core.grids.test_grid_complex import random_on_grid
from tests.strategies import random_program
from tests.tropical.nets import named


def test_regions_fill_the_box_and_have_the_gradients_of_their_points() -> None:
    program, box = random_program(2, (6, 5), seed=2), Box.cube(2, 1)
    flat = flatten(program, box)
    area = 0.0
    for polygon in flat.polygons:
        x, y = polygon.T
        area += (x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    assert area == pytest.approx(4)
    points = torch.tensor(np.array([p.mean(0) for p in flat.polygons])).requires_grad_()
    (expected,) = torch.autograd.grad(program(points).sum(), points)
    torch.testing.assert_close(torch.tensor(flat.gradients), expected)


def test_a_plane_through_a_grid_shows_its_simplices() -> None:
    program, box = random_on_grid(3, (2, 4), seed=3), Box.cube(2, 0.5)
    cut = slice_program(program, [0.0, 0.0, 0.1], [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]).program
    flat = flatten(cut, box, level := float(cut(torch.rand(50, 2).double() - 0.5).mean()))
    assert flat.n_cells == count(cut, box).activation_cells < len(flat.polygons)
    points = torch.tensor(np.array([p.mean(0) for p in flat.polygons])).requires_grad_()
    (expected,) = torch.autograd.grad(cut(points).sum(), points)
    torch.testing.assert_close(torch.tensor(flat.gradients), expected)
    assert {GRID, -1, 0, 1, flat.n_layers} == set(flat.layers.tolist())
    on_level = torch.tensor(flat.segments[flat.layers == flat.n_layers].reshape(-1, 2))
    torch.testing.assert_close(cut(on_level)[:, 0], torch.full((len(on_level),), level).double())
    axes = pytest.importorskip("matplotlib.figure").Figure().add_subplot()
    draw_complex(axes, flat)
    assert "grid" in [text.get_text() for text in axes.get_legend().get_texts()]
    on_plane = slice_program(program, [0.0, 0.0, 0.25], [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]).program
    assert flatten(on_plane, box, 1e3).n_cells == count(on_plane, box, method="exact").activation_cells


def test_segments_of_the_last_layer_lie_on_the_level_set() -> None:
    program = random_program(2, (6, 5), seed=2)
    level = float(program(torch.zeros(1, 2).double()))
    flat = flatten(program, Box.cube(2, 1), level)
    found = flat.segments[flat.layers == flat.n_layers].reshape(-1, 2)
    assert len(found) > 0
    torch.testing.assert_close(program(torch.tensor(found))[:, 0], torch.full((len(found),), level).double())
    walls = flat.segments[flat.layers == -1].reshape(-1, 2)
    assert np.abs(walls).max(1) == pytest.approx(1)


@pytest.mark.parametrize("name", ["L1", "E231", "E2321", "rnd[2,4,3,1]s3"])
def test_creases_that_coincide_or_concur_leave_no_slivers(name: str) -> None:
    box = Box.cube(2, 2)
    flat = flatten(named(name), box)
    assert flat.n_cells == sum(1 for _ in cells(named(name), box))
    assert len(flat.cells) == len(flat.polygons) == len(flat.gradients)
    assert np.linalg.norm(flat.segments[:, 0] - flat.segments[:, 1], axis=1).min() > 1e-3


def test_the_level_set_cuts_cells_in_two() -> None:
    flat = flatten(named("L1"), Box.cube(2, 2))
    assert (flat.n_cells, len(flat.polygons)) == (4, 8)
    assert np.bincount(flat.cells).tolist() == [2, 2, 2, 2]


def test_complex_is_drawn_on_given_axes() -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    draw_complex(axes, flatten(random_program(2, (4,), seed=1), Box.cube(2, 1)))
    assert axes.get_xlim() == (-1, 1)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["layer 1", "level set"]


def test_three_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match="see slice_program"):
        flatten(random_program(3, (4,)), Box.cube(3, 1))
