"""A part of which pruning drops every region has no forms to bound."""

from creased import Box, extract_level_set
from tests.strategies import random_program


def test_part_of_which_nothing_is_kept() -> None:
    program = random_program(3, (8, 8, 8), seed=3)
    assert extract_level_set(program, Box.cube(3, 1), 1e3, prune=True, at_once=5).is_empty
