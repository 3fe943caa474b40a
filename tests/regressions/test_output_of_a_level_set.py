"""A level set of output 1 was solved for output 0: it did not remember which output it was of."""

from __future__ import annotations

import pytest
import torch

from creased import Box, extract_level_set
from creased.geometry import EdgeLength, edge_lengths, implicit_vertices
from tests.strategies import random_program


@pytest.mark.parametrize("output", [0, 1, 2])
@pytest.mark.parametrize("level", [0.0, 0.01])
def test_vertices_are_solved_for_their_own_output(output: int, level: float) -> None:
    program = random_program(2, (6, 5), out_dim=3, seed=5)
    surface = extract_level_set(program, Box.cube(2, 1), level, output=output)
    assert surface.edges.shape[0] > 2
    torch.testing.assert_close(implicit_vertices(surface, program), surface.vertices, rtol=1e-9, atol=1e-9)
    expected = edge_lengths(surface.vertices, surface.edges).sum()
    torch.testing.assert_close(EdgeLength(None)(surface, program), expected)
