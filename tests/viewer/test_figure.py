"""The figure holds the surface, and its creases trace by trace; it is drawn by plotly from plain JSON."""

import numpy as np
import pytest
import torch

import creased
from creased import Affine, Box, Program, extract_level_set
from tests.viewer.nets import tiny_program, tiny_surface

pytest.importorskip("plotly")


def test_a_figure_holds_the_surface_and_all_its_creases() -> None:
    surface, _ = tiny_surface(tiny_program())
    drawn = creased.figure(surface, title="tiny")
    solid, *lines = drawn.data
    assert (solid.type, len(solid.i)) == ("mesh3d", surface.triangles().shape[0])
    assert [line.name for line in lines] == ["wall of the domain", "layer 1", "layer 2"]
    assert sum(int(np.isnan(line.x).sum()) for line in lines) == surface.edges.shape[0]
    assert drawn.layout.title.text == "tiny"
    corners = np.stack([solid.x, solid.y, solid.z], axis=1)
    own = surface.vertices[surface.polygons.indices].numpy()
    np.testing.assert_allclose(corners, own, atol=1e-6)
    triangles = surface.vertices[surface.triangles()].numpy()
    np.testing.assert_allclose(corners[np.stack([solid.i, solid.j, solid.k], axis=1)], triangles, atol=1e-6)
    assert '"mesh3d"' in drawn.to_json()


def test_in_the_plane_it_shows_the_polylines() -> None:
    surface, _ = tiny_surface(tiny_program(2))
    line, unseen = creased.figure(surface).data
    assert (line.mode, unseen.mode, unseen.marker.opacity) == ("lines", "markers", 0)
    ends = np.stack([line.x, line.y], axis=1).reshape(-1, 3, 2)
    np.testing.assert_allclose(ends[:, :2], surface.vertices[surface.edges].numpy(), atol=1e-6)


def test_an_empty_level_set_gives_an_empty_figure_that_says_so() -> None:
    never = Program((), Affine(torch.ones(1, 3).double(), torch.full((1,), 9.0).double()))
    drawn = creased.figure(extract_level_set(never, Box.cube(3, 0.5)))
    assert len(drawn.data) == 0
    assert "empty" in drawn.layout.title.text
