"""A function that only touches the level was said not to take the value at all."""

from __future__ import annotations

import pytest

from creased import Box, extract_level_set
from creased.core.provenance import Finding
from tests.strategies import ball_program, random_program
from tests.tropical.nets import named

FLAT = named("FLAT")  # relu(|x|_1 - 1)


@pytest.mark.parametrize("degeneracy", ["perturb", "contract", "error"])
def test_value_that_is_taken_on_an_open_set_is_not_denied(degeneracy: str) -> None:
    surface = extract_level_set(FLAT, Box.cube(3, 2), degeneracy=degeneracy)
    assert surface.is_empty
    assert surface.provenance.has(Finding.EMPTY)
    assert surface.provenance.has(Finding.FLAT)
    assert surface.status.endswith("above")


def test_what_counts_as_below_is_said() -> None:
    surface = extract_level_set(FLAT, Box.cube(3, 2), degeneracy="contract", zero_sign=-1)
    assert surface.polygons.n == 8
    assert surface.provenance.has(Finding.FLAT)
    assert surface.status.endswith("below")


def test_no_other_level_set_is_said_to_be_more_than_a_surface() -> None:
    for level in (0.5, -0.5):
        found = extract_level_set(FLAT, Box.cube(3, 2), level, degeneracy="contract")
        assert not found.provenance.has(Finding.FLAT)
    assert extract_level_set(ball_program(3), Box.cube(3, 1), degeneracy="contract").status == ""
    far = extract_level_set(random_program(2, (5,)), Box.cube(2, 1), 1e3)
    assert [note.finding for note in far.provenance.notes] == [Finding.EMPTY]
