"""A surface that only touches a wall collapses to an edge of the box; its polygons clashed."""

from __future__ import annotations

import torch

from creased import Affine, Block, Box, Program, extract_level_set


def test_collapsed_surface_is_oriented() -> None:
    hidden = Affine(torch.tensor([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]), torch.tensor([0.0, -1.0]))
    program = Program((Block(hidden),), Affine(torch.tensor([[0.0, 1.0]]), torch.tensor([-1.0])))
    found = extract_level_set(program.to(dtype=torch.float64), Box.cube(3, 1)).audit()
    assert (found.n_polygons, found.n_edges) == (2, 7)
    assert found.n_boundary_edges == 6
    assert (found.n_misoriented_edges, found.n_nonmanifold_vertices) == (0, 0)
