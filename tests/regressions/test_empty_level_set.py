"""In training a level set may come out empty: solving and regularizing it raised."""

from __future__ import annotations

import torch

from creased import MLP, Box, extract_level_set, lower
from creased.geometry import EdgeLength, implicit_vertices
from tests.strategies import ball_program


def test_empty_level_set_has_no_vertices_to_solve() -> None:
    program = ball_program(3)
    solved = implicit_vertices(extract_level_set(program, Box.cube(3, 1), 1e4), program)
    assert solved.shape == (0, 3)


def test_zero_of_an_empty_level_set_can_be_differentiated() -> None:
    module = MLP(3, 4, 1).double()
    value = EdgeLength()(extract_level_set(module, Box.cube(3, 1), 1e4), lower(module))
    assert float(value.detach()) == 0
    value.backward()
    for parameter in module.parameters():
        assert parameter.grad is None or not bool(torch.any(parameter.grad))
