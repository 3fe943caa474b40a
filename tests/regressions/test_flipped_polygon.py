"""A flipped polygon was reported as nonmanifold_vertices vertices, and a sound manifold as none."""

from __future__ import annotations

from dataclasses import replace

import torch

from creased import Box, Polygons, extract_level_set
from tests.strategies import ball_program


def test_flipping_a_polygon_pinches_no_vertex() -> None:
    surface = extract_level_set(ball_program(3, 14), Box.cube(3, 1))
    cycles = list(surface.polygons.indices.split(surface.polygons.sizes.tolist()))
    cycles[3] = cycles[3].flip(0)
    found = replace(surface, polygons=Polygons(surface.polygons.offsets, torch.cat(cycles))).audit()
    assert found.n_misoriented_edges == len(cycles[3])
    assert found.n_nonmanifold_vertices == 0
    assert found.is_manifold
