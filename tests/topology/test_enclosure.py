"""What components of a closed level set enclose."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from creased import Box, LevelSet, extract_level_set, lower
from creased.topology.enclosure import enclosed_signs
from tests.topology.test_level_set_sides import Rings


def shells(dim: int) -> LevelSet:
    """Four spheres of the 1-norm, of radius 1/2, 3/2, 5/2 and 7/2: below the level between each two."""
    return extract_level_set(lower(Rings(2), input_shape=(dim,)), Box.cube(dim, 5))


@pytest.mark.parametrize("dim", [2, 3])
def test_components_enclose_what_is_below_and_above_in_turn(dim: int) -> None:
    found = shells(dim)
    signs = enclosed_signs(found, torch.zeros_like(found.vertices[:, 0]))
    assert sorted(signs.tolist()) == [-1, -1, 1, 1]


@pytest.mark.parametrize("dim", [2, 3])
def test_what_errors_could_turn_inside_out_is_unknown(dim: int) -> None:
    found = shells(dim)
    errors = found.vertices.new_full((len(found.vertices),), 0.25 if dim == 2 else 0.05)
    signs = enclosed_signs(found, errors)
    assert 0 < int((signs == 0).sum()) < 4  # the smallest, and not the largest
    assert (enclosed_signs(found, errors * torch.inf) == 0).all()


def test_a_surface_turned_inside_out_has_the_other_sign() -> None:
    found = shells(3)
    errors = torch.full_like(found.vertices[:, 0], 1e-9)
    mirrored = replace(found, vertices=found.vertices * found.vertices.new_tensor([-1, 1, 1]))
    assert torch.equal(enclosed_signs(mirrored, errors), -enclosed_signs(found, errors))
