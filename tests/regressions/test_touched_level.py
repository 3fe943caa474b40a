"""A function that only touches the level was said not to take the value at all."""

from __future__ import annotations

import pytest

from creased import Box, extract_level_set
from tests.tropical.nets import named


@pytest.mark.parametrize("degeneracy", ["perturb", "contract", "error"])
def test_value_that_is_taken_on_an_open_set_is_not_denied(degeneracy: str) -> None:
    surface = extract_level_set(named("FLAT"), Box.cube(3, 2), degeneracy=degeneracy)  # relu(|x|_1 - 1)
    assert surface.is_empty
    assert surface.status == "empty: the function does not cross the value 0 in the domain"
